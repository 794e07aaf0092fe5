"""Schedules: numbers that follow the step, as data, so that they are saved, compared, explained and drawn.

Each is called with s, the number of steps taken before, a number or an array, and returns the value of step s + 1. Any
number of a rule or a piece may be one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any

from ..errors import InputError
from ..xp import Array, cast_like, ceil, cos, floor, maximum, minimum, power, where
from .settings import Interval, NonNegative, Positive, accepted, hints

Steps = Annotated[float, Interval(1, closed=True)]
"""A number of steps."""


@dataclass(frozen=True)
class Schedule:
    """A number for every step. Subclasses are frozen dataclasses whose fields are numbers."""

    def __post_init__(self) -> None:
        for one in fields(self):
            where_ = f"{type(self).__name__}: {one.name}"
            object.__setattr__(self, one.name, accepted(where_, getattr(self, one.name), hints(type(self))[one.name]))

    def __call__(self, step: Array) -> Array:
        raise NotImplementedError

    def __str__(self) -> str:
        return repr(self)


@dataclass(frozen=True)
class Piecewise(Schedule):
    """Constant between boundaries: values[k] from boundaries[k − 1] on, as Keras's PiecewiseConstantDecay, whose
    boundaries are the last steps of the value before, and TF1's; PyTorch's MultiStepLR has factors in their place."""

    boundaries: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1 or list(self.boundaries) != sorted(set(self.boundaries)):
            raise InputError(
                "Piecewise: boundaries must rise, and there must be one value more than boundaries, found "
                f"{len(self.boundaries)} boundaries and {len(self.values)} values."
            )

    def __call__(self, step: Array) -> Array:
        value = cast_like(self.values[0], step)
        for boundary, after in zip(self.boundaries, self.values[1:], strict=True):
            value = where(step >= boundary, cast_like(after, step), value)
        return value


@dataclass(frozen=True)
class Exponential(Schedule):
    """initial · factor^(s / steps); in stairs, by the whole part of s / steps. Keras's and Optax's exponential_decay,
    and PyTorch's ExponentialLR (steps = 1) and StepLR (in stairs)."""

    initial: NonNegative
    factor: Positive
    steps: Steps = 1
    stairs: bool = False

    def __call__(self, step: Array) -> Array:
        passed = step / self.steps
        return self.initial * power(cast_like(self.factor, step), floor(passed) if self.stairs else passed)


@dataclass(frozen=True)
class InverseTime(Schedule):
    """initial / (1 + factor · s / steps); in stairs, by the whole part of s / steps. Keras's InverseTimeDecay."""

    initial: NonNegative
    factor: NonNegative
    steps: Steps = 1
    stairs: bool = False

    def __call__(self, step: Array) -> Array:
        passed = step / self.steps
        return self.initial / (1 + self.factor * (floor(passed) if self.stairs else passed))


@dataclass(frozen=True)
class Polynomial(Schedule):
    """end + (initial − end) · (1 − s/steps)^power, and end after that; linear where power is 1. Where it cycles, it
    begins again from the same line over twice, three times, … the steps. Keras's PolynomialDecay, Optax's
    polynomial_schedule, PyTorch's PolynomialLR (end = 0) and LinearLR (power = 1)."""

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0
    power: Positive = 1.0
    cycles: bool = False

    def __call__(self, step: Array) -> Array:
        length: Any = self.steps
        if self.cycles:
            length = self.steps * maximum(ceil(step / self.steps), 1.0)
        left = 1 - minimum(step, length) / length
        return self.end + (self.initial - self.end) * power(left, cast_like(self.power, step))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a wave from initial to end: end + (initial − end) · (1 + cos(π·s/steps))/2; Loshchilov & Hutter, "SGDR",
    ICLR 2017, equation 5. Keras's CosineDecay and Optax's cosine_decay_schedule (end = alpha · initial), PyTorch's
    CosineAnnealingLR (end = eta_min)."""

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0

    def __call__(self, step: Array) -> Array:
        return _wave(self.initial, self.end, minimum(step, self.steps) / self.steps)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Waves one after another, each `longer` times as long as the last and beginning `lower` times as high: "SGDR",
    section 3. Keras's CosineDecayRestarts, PyTorch's CosineAnnealingWarmRestarts (lower = 1)."""

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0
    longer: Annotated[float, Interval(1, closed=True)] = 1.0
    lower: Positive = 1.0

    def __call__(self, step: Array) -> Array:
        passed = step / self.steps
        if self.longer == 1:
            before, started, length = floor(passed), floor(passed), 1.0
        else:
            ratio = cast_like(self.longer, step)
            before = floor(_log(1 + passed * (self.longer - 1)) / math.log(self.longer) + 1e-12)
            length = power(ratio, before)
            started = (length - 1) / (self.longer - 1)
        high = self.initial * power(cast_like(self.lower, step), before)
        return _wave(high, self.end, (passed - started) / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to a peak and down far below the start, by half waves: Smith & Topin, "Super-convergence", 2018. It starts at
    peak/start and ends at peak/start/end, after `steps` steps; `rise` of them go up. PyTorch's OneCycleLR, of which the
    last step is steps − 1, is OneCycle over steps − 1 with its pct_start in that measure."""

    peak: NonNegative
    steps: Steps
    rise: Annotated[float, Interval(0.0, 1.0)] = 0.3
    start: Positive = 25.0
    end: Positive = 1e4

    def __call__(self, step: Array) -> Array:
        top, low = self.rise * self.steps, self.peak / self.start
        up = _wave(low, self.peak, minimum(step, top) / top)
        passed = (minimum(maximum(step, top), self.steps) - top) / (self.steps - top)
        return where(step < top, up, _wave(self.peak, low / self.end, passed))


@dataclass(frozen=True)
class Warmup(Schedule):
    """A line from `start` to the first value of another schedule, or to a number, in `steps` steps; then that, as from
    its own first step. Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2."""

    then: Any
    steps: Steps
    start: NonNegative = 0.0

    def __call__(self, step: Array) -> Array:
        then = self.then if callable(self.then) else lambda _: cast_like(self.then, step)
        goal = then(step * 0)
        line = self.start + (goal - self.start) * (step / self.steps)
        return where(step < self.steps, line, then(maximum(step - self.steps, 0.0)))


def _wave(high: Any, low: Any, part: Array) -> Array:
    """Half a cosine from high to low."""
    return low + (high - low) * (0.5 * (1 + cos(math.pi * part)))


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "piecewise": Piecewise, "exponential": Exponential, "inverse-time": InverseTime, "polynomial": Polynomial,
    "cosine": Cosine, "cosine-restarts": CosineRestarts, "one-cycle": OneCycle, "warmup": Warmup,
}  # fmt: skip
"""By the name that the command line uses."""
