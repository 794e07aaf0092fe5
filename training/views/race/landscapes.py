"""Costs of two numbers that rules race on, with all their lowest points.

A cost is a function of float tensors x [..., 2] and returns [...], of each point by itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

Point = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    """One cost, and what is known of it.

    formula: of the cost, as text for people.
    cost:    x [..., 2] → [...], of the dtype of x.
    bounds:  of a map without paths: ((lowest x, highest x), (lowest y, highest y)).
    start:   where the race begins.
    minima:  all points of lowest cost, to all digits of float64 unless `source` says otherwise.
    least:   the cost there.
    """

    name: str
    title: str
    source: str
    formula: str
    cost: Callable[[tf.Tensor], tf.Tensor]
    bounds: tuple[Point, Point]
    start: Point
    minima: tuple[Point, ...]
    least: float

    def costs(self, points: np.ndarray) -> np.ndarray:
        """The cost of each of many points [..., 2], in float64."""
        return self.cost(tf.constant(points, tf.float64)).numpy()


def rosenbrock(x: tf.Tensor) -> tf.Tensor:
    """A curved valley, steep across and flat along."""
    x, y = tf.unstack(x, axis=-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x: tf.Tensor) -> tf.Tensor:
    """Three squares that vanish together at one point."""
    x, y = tf.unstack(x, axis=-1)
    return (1.5 - x * (1 - y)) ** 2 + (2.25 - x * (1 - y**2)) ** 2 + (2.625 - x * (1 - y**3)) ** 2


def himmelblau(x: tf.Tensor) -> tf.Tensor:
    """Four minima of one depth."""
    x, y = tf.unstack(x, axis=-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def rastrigin(x: tf.Tensor) -> tf.Tensor:
    """A bowl with a local minimum beside every pair of whole numbers."""
    return 20 + tf.reduce_sum(x**2 - 10 * tf.cos(2 * math.pi * x), axis=-1)


def saddle(x: tf.Tensor) -> tf.Tensor:
    """Flat in x at 0, where y leads down to a point that is no minimum."""
    x, y = tf.unstack(x, axis=-1)
    return x**4 / 4 - x**2 / 2 + y**2 / 2


CONDITION = 100.0
"""Of the quadratic: the ratio of its curvatures."""
ANGLE = math.radians(30)
"""By which its axes are turned against the coordinates', so that a rate for each coordinate does not undo them."""


def quadratic(x: tf.Tensor) -> tf.Tensor:
    """Elliptic contours, their axes turned by 30°."""
    x, y = tf.unstack(x, axis=-1)
    along, across = math.cos(ANGLE) * x + math.sin(ANGLE) * y, math.cos(ANGLE) * y - math.sin(ANGLE) * x
    return (along**2 + CONDITION * across**2) / 2


FORMULAS = (
    Landscape(
        "rosenbrock", "Rosenbrock's valley",
        "Rosenbrock, “An Automatic Method for Finding the Greatest or Least Value of a Function”, Computer Journal 3 "
        "(1960); its own start",
        "(1 − x)² + 100·(y − x²)²",
        rosenbrock, ((-2.0, 2.0), (-1.0, 3.0)), (-1.2, 1.0), ((1.0, 1.0),), 0.0,
    ),
    Landscape(
        "beale", "Beale's function",
        "Beale, “On an Iterative Method for Finding a Local Minimum of a Function of More than One Variable”, "
        "Princeton (1958); start of Moré, Garbow & Hillstrom, ACM TOMS 7 (1981), number 5",
        "(1.5 − x·(1 − y))² + (2.25 − x·(1 − y²))² + (2.625 − x·(1 − y³))²",
        beale, ((-0.5, 4.5), (-1.5, 1.75)), (1.0, 1.0), ((3.0, 0.5),), 0.0,
    ),
    Landscape(
        "himmelblau", "Himmelblau's function",
        "Himmelblau, “Applied Nonlinear Programming”, McGraw-Hill (1972); four minima of one depth",
        "(x² + y − 11)² + (x + y² − 7)²",
        himmelblau, ((-5.5, 5.5), (-5.5, 5.5)), (0.0, 0.0),
        ((3.0, 2.0), (-2.80511808695274485, 3.13131251825057297), (-3.77931025337774689, -3.28318599128616941),
         (3.58442834033049174, -1.84812652696440355)),
        0.0,
    ),
    Landscape(
        "rastrigin", "Rastrigin's function",
        "Rastrigin, “Systems of Extremal Control”, Nauka (1974), of two numbers; a local minimum beside every pair of "
        "whole numbers",
        "20 + x² + y² − 10·cos(2·π·x) − 10·cos(2·π·y)",
        rastrigin, ((-3.0, 3.0), (-3.0, 3.0)), (-1.4, 1.7), ((0.0, 0.0),), 0.0,
    ),
    Landscape(
        "saddle", "A saddle",
        "started 0.001 beside the ridge that leads down to its saddle; on saddles: Dauphin et al., "
        "“Identifying and Attacking the Saddle Point Problem”, NeurIPS (2014)",
        "x⁴/4 − x²/2 + y²/2",
        saddle, ((-1.6, 1.6), (-1.2, 1.2)), (0.001, 1.0), ((-1.0, 0.0), (1.0, 0.0)), -0.25,
    ),
    Landscape(
        "quadratic", "An ill-conditioned quadratic",
        "a condition number of 100, the axes u and v turned by 30° against the coordinates'",
        "½·(u² + 100·v²), u = x·cos(30°) + y·sin(30°), v = y·cos(30°) − x·sin(30°)",
        quadratic, ((-2.5, 2.5), (-2.0, 2.0)), (-2.0, 1.5), ((0.0, 0.0),), 0.0,
    ),
)  # fmt: skip
"""Those that are written down as formulas."""

SLICE = "slice"
NAMES = (*(landscape.name for landscape in FORMULAS), SLICE)
"""All that can be raced on; `slice` is made for a workload and a seed, by `loss_slice`."""
