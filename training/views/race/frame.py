"""The part of a landscape that a map shows, and the parts of the paths within it."""

from typing import NamedTuple

import numpy as np

from .conduct import Race

WIDEST = 0.5
"""By how much of its width or height a map grows at most to each side, so that paths stay on it."""
MARGIN = 0.03
"""Between the outermost point of a path and the edge of the map, of its width or height."""
FARTHEST = 1e100
"""Beyond it squares and differences of coordinates overflow."""

Frame = np.ndarray
"""[2, 2]: the lowest and the highest x, then those of y."""


class Visible(NamedTuple):
    """A path as far as it is on the map.

    line:     [2, points], NaN between pieces.
    exits:    [2, exits] points on the edge at which it leaves the map.
    farthest: [2] of the path beyond the map, the point farthest from its centre; None where all of it is on the map.
    """

    line: np.ndarray
    exits: np.ndarray
    farthest: np.ndarray | None


def path(x: np.ndarray) -> np.ndarray:
    """[2, steps + 1] the path from the first start, for x [steps + 1, starts, 2]; NaN where it is not finite."""
    points = x[:, 0].T
    return np.where(np.isfinite(points).all(axis=0), np.clip(points, -FARTHEST, FARTHEST), np.nan)


def frame(one: Race) -> Frame:
    """The landscape's bounds, widened as far as the paths need, within `WIDEST`."""
    bounds = np.array(one.landscape.bounds)
    points = np.concatenate([path(outcome.x) for outcome in one.outcomes.values()], axis=1)
    width = bounds[:, 1] - bounds[:, 0]
    low = np.nanmin(points, axis=1) - MARGIN * width
    high = np.nanmax(points, axis=1) + MARGIN * width
    return np.stack(
        [
            np.clip(low, bounds[:, 0] - WIDEST * width, bounds[:, 0]),
            np.clip(high, bounds[:, 1], bounds[:, 1] + WIDEST * width),
        ],
        axis=1,
    )


def visible(way: np.ndarray, shown: Frame) -> Visible:
    """What of a path [2, points] is within a frame: segments are cut where they cross its edge (Liang & Barsky)."""
    begin, step = way[:, :-1], np.diff(way, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (shown[:, :, np.newaxis] - begin[:, np.newaxis]) / step[:, np.newaxis]  # [axis, edge, segment]
        enters = np.fmax(0, np.fmin(crossings[:, 0], crossings[:, 1]).max(axis=0))
        leaves = np.fmin(1, np.fmax(crossings[:, 0], crossings[:, 1]).min(axis=0))
    inside = (enters <= leaves) & np.isfinite(step).all(axis=0)
    starts, ends = (begin + np.where(inside, share, np.nan) * step for share in (enters, leaves))
    cut = inside & (leaves < 1)
    broken = cut | (inside & ~np.append(inside[1:], False))
    gap = np.full_like(starts, np.nan)
    pieces = np.stack([starts, ends, gap], axis=-1).reshape(2, -1)
    line = pieces[:, np.stack([inside, broken, broken], axis=-1).ravel()]
    return Visible(line, ends[:, cut], _farthest(way, shown))


def _farthest(way: np.ndarray, shown: Frame) -> np.ndarray | None:
    away = np.abs(way - shown.mean(axis=1, keepdims=True)) / (shown[:, 1:] - shown[:, :1])
    beyond = np.nan_to_num(away.max(axis=0), nan=0.0)
    return way[:, beyond.argmax()] if beyond.max() > 0.5 else None


def side(point: np.ndarray, shown: Frame) -> int:
    """Of a point on the edge, its side of the map: 0 left, 1 right, 2 bottom, 3 top."""
    return int(np.argmin(np.abs(point[:, np.newaxis] - shown) / (shown[:, 1:] - shown[:, :1])))
