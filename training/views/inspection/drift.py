"""How far rounding has carried a training run in float32 from the same run in float64."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

ROUNDING = 2.0**-24
"""The largest relative error of one rounding to float32."""


class Walk(NamedTuple):
    """A training run: its variables before and after, each as one float64 vector, and the cost of its last step."""

    start: np.ndarray
    end: np.ndarray
    cost: float


class Drift(NamedTuple):
    """The distance between two runs from one start on the same batches. Norms are Euclidean, over all variables.

    moved:     the distance of their variables, as a share of the way that the reference went: ‖θ − θ*‖ / ‖θ* − θ₀‖.
    roundings: the same distance in roundings of the variables, ‖θ − θ*‖ / (2⁻²⁴·‖θ*‖). To round θ* itself to float32
               takes about 0.4: no run in float32 can come closer.
    cost:      the relative difference of their last costs.
    """

    moved: float
    roundings: float
    cost: float


def vector(variables: Mapping[str, tf.Variable]) -> np.ndarray:
    """All variables as they are, one after another, in float64."""
    return np.concatenate([np.ravel(variable.numpy()).astype(np.float64) for variable in variables.values()])


def drift(walk: Walk, reference: Walk) -> Drift:
    """Of a run against another, as a rule one in float64."""
    apart = float(np.linalg.norm(walk.end - reference.end))
    return Drift(
        moved=_share(apart, float(np.linalg.norm(reference.end - reference.start))),
        roundings=_share(apart, ROUNDING * float(np.linalg.norm(reference.end))),
        cost=_share(abs(walk.cost - reference.cost), abs(reference.cost)),
    )


def _share(part: float, whole: float) -> float:
    """0/0 is no distance at all."""
    return part / whole if whole else 0.0 if part == 0 else float("inf")
