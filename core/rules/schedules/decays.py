"""Schedules that fall by powers and quotients."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ...xp import Array, maximum, power
from ..settings import NonNegative, Positive
from .schedule import Schedule, Steps, whole_part


@dataclass(frozen=True)
class Exponential(Schedule):
    """initial · factor^(s / steps); in stairs, by the whole part of s / steps.

    Keras's ExponentialDecay, Optax's exponential_decay, PyTorch's ExponentialLR (steps = 1) and StepLR (in stairs).
    Optax's transition_begin holds the first value for some steps, and its end_value is a limit: neither is here.
    Compiled for float64, its stairs fall a step late where 1/steps is rounded down, as with 49 steps.
    """

    initial: NonNegative
    factor: Positive
    steps: Steps = 1
    stairs: bool = False

    def __call__(self, step: Array) -> Array:
        return self.initial * power(self.factor, _passed(step, self.steps, self.stairs))


@dataclass(frozen=True)
class InverseTime(Schedule):
    """initial / (1 + factor · s / steps); in stairs, by the whole part of s / steps. Keras's InverseTimeDecay."""

    initial: NonNegative
    factor: NonNegative
    steps: Steps = 1
    stairs: bool = False

    def __call__(self, step: Array) -> Array:
        return self.initial / (1 + self.factor * _passed(step, self.steps, self.stairs))


@dataclass(frozen=True)
class Polynomial(Schedule):
    """end + (initial − end) · (1 − s/steps)^power, and end after `steps`; a straight line where power is 1.

    Where it cycles, it jumps up after `steps` to the curve from initial to end over 2·steps, then 3·steps, …

    Keras's PolynomialDecay, Optax's polynomial_schedule and linear_schedule (without their transition_begin), PyTorch's
    PolynomialLR (end = 0) and LinearLR (power = 1, with factors in place of values).
    """

    FROM_THE_BEGINNING: ClassVar = ("steps",)

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0
    power: Positive = 1.0
    cycles: bool = False

    def __call__(self, step: Array) -> Array:
        length: Any = self.steps
        if self.cycles:  # at s = steps, the first curve ends: the second begins at the step after
            length = length * maximum(1 + whole_part(step - 1, self.steps), 1)
        left = maximum(length - step, 0) / length
        return self.end + (self.initial - self.end) * (left if self.power == 1 else power(left, self.power))


def _passed(step: Array, steps: int, stairs: bool) -> Array:
    return whole_part(step, steps) if stairs else step / steps
