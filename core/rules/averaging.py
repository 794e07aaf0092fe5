"""Averages of the parameters, to be evaluated and exported in their place."""

from typing import Annotated, Literal, NamedTuple

from ..xp import Array, equal, where
from .averages import average
from .piece import Piece
from .rule import At, Step
from .settings import ComplementIn, Decay, Interval, Letter


class AverageSlots(NamedTuple):
    """It starts at the parameter."""

    average: Annotated[Array, "running mean of the parameter", Letter("θ̄")]


class Average(Piece):
    """An exponential moving average of the parameters: θ̄ ← γ·θ̄ + (1 − γ)·θ after every step (Polyak & Juditsky 1992
    average with equal weights). Evaluation and export use it, training does not.

    Keras and PyTorch copy θ in the first step, Optax and TF1 average from the parameters before it. PyTorch and TF1
    average in increments, Keras and TF1 subtract 1 − γ in the variable's dtype. Keras can write the average over θ
    every few steps (ema_overwrite_frequency).
    """

    decay: Annotated[Decay, "the share of the average that a step keeps", Letter("γ")] = 0.999
    first_step: Annotated[Literal["copies", "averages"], "whether it copies the parameter"] = "averages"
    incremental: Annotated[bool, "written θ̄ + (1 − γ)·(θ − θ̄)"] = False
    complement_in: ComplementIn = "float64"
    overwrite_every: Annotated[
        int, Interval(0, closed=True), "every how many steps the average is written over the parameter; 0: never"
    ] = 0

    def slots(self, x: Array) -> AverageSlots:
        return AverageSlots(average=x)

    def after(self, step: Step, slots: AverageSlots, x: Array, at: At) -> Step:
        found = average(slots.average, step.x, self.decay, self.complement_in, self.incremental)
        if self.first_step == "copies":
            found = where(equal(at.t, 1.0), step.x, found)
        after = step.x
        if self.overwrite_every:
            after = where(equal(at.t % self.overwrite_every, 0.0), found, after)
        return Step(step.delta if after is step.x else None, AverageSlots(found), dict(distance=step.x - found), after)

    def served(self, x: Array, slots: AverageSlots) -> Array:
        return slots.average
