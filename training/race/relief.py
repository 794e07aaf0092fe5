"""A landscape's heights on a grid, and which steps moving pictures show: the same for pictures and page."""

from typing import NamedTuple

import numpy as np

from .landscapes import Landscape

POINTS = 121
"""To a side."""
FLOOR = 1e-3
FRAMES = 40
"""About so many in a moving picture."""


class Relief(NamedTuple):
    """x, y: [points]; height: [points of y, points of x], log₁₀(s + 0.001), where s is the cost over the least as a
    share of the start's: even a narrow valley's floor, which no grid meets, then looks flat.
    """

    x: np.ndarray
    y: np.ndarray
    height: np.ndarray


def relief(landscape: Landscape) -> Relief:
    """Row by row: on MNIST a whole grid at once would take a gigabyte."""
    x, y = (np.linspace(*bound, POINTS) for bound in landscape.bounds)
    costs = np.stack([landscape.costs(row) for row in np.stack(np.meshgrid(x, y), axis=-1)])
    start = landscape.costs(np.array(landscape.start))
    return Relief(x, y, np.log10((costs - landscape.least) / (start - landscape.least) + FLOOR))


def frames(steps: int) -> list[int]:
    """The steps to show, 0 first and the last one last: closer together at the start, where more happens."""
    return sorted({0, *np.unique(np.geomspace(1, steps, FRAMES).round().astype(int)).tolist()})
