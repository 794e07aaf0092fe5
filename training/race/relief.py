"""A landscape's heights on a grid, and which steps moving pictures show: the same for pictures and page."""

from typing import NamedTuple

import numpy as np

from .landscapes import Landscape
from .tuning import WITHIN, threshold

POINTS = 121
"""To a side."""
FRAMES = 40
"""About so many in a moving picture."""


class Relief(NamedTuple):
    """x, y: [points]; height: [points of y, points of x], log₁₀ of the cost over the least, in shares of the start's.

    What is lower than the tolerance of the race is as low as that: 0 has no logarithm.
    """

    x: np.ndarray
    y: np.ndarray
    height: np.ndarray


def relief(landscape: Landscape) -> Relief:
    """Row by row: on MNIST a whole grid at once would take a gigabyte."""
    x, y = (np.linspace(*bound, POINTS) for bound in landscape.bounds)
    costs = np.stack([landscape.costs(row) for row in np.stack(np.meshgrid(x, y), axis=-1)])
    allowed = threshold(landscape) - landscape.least
    over = np.maximum((costs - landscape.least) * WITHIN / allowed, WITHIN)
    return Relief(x, y, np.log10(over))


def frames(steps: int) -> list[int]:
    """The steps to show, 0 first and the last one last: closer together at the start, where more happens."""
    return sorted({0, *np.unique(np.geomspace(1, steps, FRAMES).round().astype(int)).tolist()})
