"""A landscape's heights on a grid, and which steps moving pictures show: the same for pictures and page."""

from typing import Any, NamedTuple

import numpy as np
from contourpy import contour_generator

from .conduct import Race
from .frame import Frame, frame

POINTS = 141
"""To a side."""
FLOOR = 1e-3
LINES = 4
"""Contours to a factor of ten."""
EDGE = 0.045
"""Between a contour's label and a path, another label or the edge of the map, at least, of its width or height."""
FRAMES = 40
"""About the number of pictures in a moving one."""


class Relief(NamedTuple):
    """The heights of a map.

    x, y:   [points].
    height: [points of y, points of x], log₁₀ of the cost above the minimum, which counts as no less than a thousandth
            of the start's: even the floor of a narrow valley, which no grid meets, then looks flat.
    frame:  [2, 2] the edges of the map; see `frame`.
    """

    x: np.ndarray
    y: np.ndarray
    height: np.ndarray
    frame: Frame

    def contours(self) -> np.ndarray:
        """Heights of the contours: those of every power of ten, and others evenly between them."""
        return np.arange(np.ceil(LINES * self.height.min()), np.floor(LINES * self.height.max()) + 1) / LINES

    def decades(self) -> dict[int, str]:
        """The powers of ten among these, as text: {-1: "0.1", 0: "1", …}."""
        low, high = np.ceil(self.height.min()), np.floor(self.height.max())
        return {int(power): power_of_ten(int(power)) for power in np.arange(low, high + 1)}


class Label(NamedTuple):
    """A power of ten beside its contour."""

    x: float
    y: float
    text: str


def labels(relief: Relief, paths: np.ndarray) -> list[Label]:
    """One for each power of ten whose contour has a free place: where it is farthest from other labels and from paths.

    paths: [2, points] of all rules and minima; those that are not finite do not count.
    """
    low, width = relief.frame[:, :1], np.ptp(relief.frame, axis=1, keepdims=True)
    taken = (paths[:, np.isfinite(paths).all(axis=0)] - low) / width
    lines, found = contour_generator(relief.x, relief.y, relief.height), []
    for power, text in relief.decades().items():
        pieces: Any = lines.lines(power)
        points = (np.concatenate([np.empty((0, 2)), *pieces]).T - low) / width
        points = points[:, ((points > EDGE) & (points < 1 - EDGE)).all(axis=0)]
        if points.size:
            distances = np.linalg.norm(points[:, :, np.newaxis] - taken[:, np.newaxis], axis=0).min(axis=1)
            if distances.max() < EDGE:
                continue
            best = points[:, distances.argmax()]
            taken = np.column_stack([taken, best])
            x, y = best * width[:, 0] + low[:, 0]
            found.append(Label(float(x), float(y), text))
    return found


def relief(one: Race) -> Relief:
    """Row by row: on a network's slice a whole grid at once would take a gigabyte."""
    land, shown = one.landscape, frame(one)
    x, y = (np.linspace(low, high, POINTS) for low, high in shown)
    costs = np.stack([land.costs(row) for row in np.stack(np.meshgrid(x, y), axis=-1)]) - land.least
    start = float(land.costs(np.array(land.start))) - land.least
    return Relief(x, y, np.log10(np.maximum(costs, FLOOR * start)), shown)


def power_of_ten(power: int) -> str:
    """1000 and 0.001 in digits, what is beyond them as 10⁴ and 10⁻⁴."""
    if abs(power) <= 3:
        return f"{10.0**power:g}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def frames(steps: int) -> list[int]:
    """The steps to show, 0 first and the last one last: closer together at the start, where more happens."""
    return sorted({0, *np.unique(np.geomspace(1, steps, FRAMES).round().astype(int)).tolist()})
