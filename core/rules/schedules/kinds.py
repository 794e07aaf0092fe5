"""The schedules; Keras, Optax and PyTorch compute the same numbers where they are named."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from ...errors import InputError
from ...xp import Array, clip, cos, floor, full_like, log, maximum, minimum, power, where, zeros_like
from ..settings import Interval, NonNegative, Positive
from .schedule import Schedule, Step, Steps, checked, must_rise, number_of, number_text


@dataclass(frozen=True)
class Constant(Schedule):
    """One value at every step, as a plain number; a text needs it in front of a warm-up. Optax's constant_schedule."""

    value: NonNegative

    def __call__(self, step: Array) -> Array:
        return full_like(step, self.value)


@dataclass(frozen=True)
class Piecewise(Schedule):
    """Constant between boundaries: values[0] at first, and values[k + 1] once boundaries[k] steps are taken.

    Optax's piecewise_constant_schedule and PyTorch's MultiStepLR have factors in place of values. Boundaries of Keras's
    PiecewiseConstantDecay and of TF1's are one less: the last s with the value before.
    """

    FROM_THE_BEGINNING: ClassVar = ("boundaries",)

    boundaries: tuple[Steps, ...]
    values: tuple[NonNegative, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        must_rise("Piecewise: boundaries", self.boundaries)
        if len(self.values) != len(self.boundaries) + 1:
            raise InputError(
                f"Piecewise: values must be one more than the {len(self.boundaries)} boundaries, "
                f"found {len(self.values)}."
            )

    def __call__(self, step: Array) -> Array:
        value = full_like(step, self.values[0])
        for boundary, after in zip(self.boundaries, self.values[1:], strict=True):
            value = where(step >= boundary, full_like(step, after), value)
        return value

    def items(self) -> list[str]:
        return [number_text(self.values[0]), *_items_at(self.boundaries, self.values[1:])]

    @classmethod
    def of_items(cls, items: Mapping[str, str]) -> Self:
        if "" not in items:
            raise InputError("it lacks its first number, the first value")
        boundaries, values = _numbers_at({step: text for step, text in items.items() if step})
        return cls(boundaries, (number_of(items[""], "the first value"), *values))


@dataclass(frozen=True)
class Points(Schedule):
    """Straight lines between points: values[k] once steps[k] steps are taken, and the last value after that.

    Optax's piecewise_interpolate_schedule("linear"), its linear_onecycle_schedule too, PyTorch's OneCycleLR with
    anneal_strategy="linear", and a trapezoid, which rises, stays and falls.
    """

    FROM_THE_BEGINNING: ClassVar = ("steps",)

    steps: tuple[Step, ...]
    values: tuple[NonNegative, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        must_rise("Points: steps", self.steps)
        if len(self.values) != len(self.steps) or len(self.steps) < 2:
            raise InputError(
                "Points: steps and values must be as many, and two at least, "
                f"found {len(self.steps)} and {len(self.values)}."
            )

    def __call__(self, step: Array) -> Array:
        value = full_like(step, self.values[0])
        for k, begun in enumerate(self.steps[:-1]):
            part = clip((step - begun) / (self.steps[k + 1] - begun), 0, 1)
            line = self.values[k] + (self.values[k + 1] - self.values[k]) * part
            value = where(step >= begun, line, value)
        return where(step >= self.steps[-1], full_like(step, self.values[-1]), value)

    def items(self) -> list[str]:
        return _items_at(self.steps, self.values)

    @classmethod
    def of_items(cls, items: Mapping[str, str]) -> Self:
        return cls(*_numbers_at(items))


@dataclass(frozen=True)
class Exponential(Schedule):
    """initial · factor^(s / steps); in stairs, by the whole part of s / steps.

    Keras's ExponentialDecay, Optax's exponential_decay, PyTorch's ExponentialLR (steps = 1) and StepLR (in stairs).
    Optax's transition_begin holds the first value for so many steps, and its end_value is a limit: neither is here.
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
            length = length * maximum(1 + _whole_part(step - 1, self.steps), 1)
        left = maximum(length - step, 0) / length
        return self.end + (self.initial - self.end) * (left if self.power == 1 else power(left, self.power))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a wave from initial to end, and end after `steps`: end + (initial − end) · (1 + cos(π·s/steps))/2.

    Loshchilov & Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017, equation 5. Keras's
    CosineDecay and Optax's cosine_decay_schedule, whose alpha is end / initial; PyTorch's CosineAnnealingLR (end =
    eta_min), which rises again after `steps`. With a `Warmup` in front, Keras's warmup_target is `initial`.
    """

    FROM_THE_BEGINNING: ClassVar = ("steps",)

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0

    def __call__(self, step: Array) -> Array:
        return _wave(self.initial, self.end, minimum(step, self.steps) / self.steps)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Waves one after another: each `longer` times as long as the last, and `lower` times as high above `end`.

    "SGDR", section 3. A wave begins at the first s that its start is not beyond by more than 1/1024 of a step. Keras's
    CosineDecayRestarts, of which `longer` is t_mul, `lower` m_mul and end alpha · initial; PyTorch's
    CosineAnnealingWarmRestarts (lower = 1, longer = T_mult, whole); Optax's sgdr_schedule lists its waves.
    """

    initial: NonNegative
    steps: Steps
    end: NonNegative = 0.0
    longer: Annotated[Any, Interval(1, closed=True)] = 1.0
    lower: Positive = 1.0

    def __call__(self, step: Array) -> Array:
        if self.longer == 1:
            before = _whole_part(step, self.steps)
            start, length = self.steps * before, self.steps
        else:
            # Rounding may carry the logarithm at a start below a whole number; a 1024th of a step takes it over.
            passed = 1 + (step + 2.0**-10) / self.steps * (self.longer - 1)
            before = floor(log(passed) / log(self.longer))
            length = self.steps * power(self.longer, before)
            start = (length - self.steps) / (self.longer - 1)
        height = (self.initial - self.end) * power(self.lower, before)
        return _wave(self.end + height, self.end, (step - start) / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Half a wave up to a peak in rise · steps, and half a wave down in the others, far below the start.

    It starts at peak / start_divisor and ends at that / end_divisor. Smith & Topin, "Super-convergence", 2018, with
    waves in place of lines. Optax's cosine_onecycle_schedule. PyTorch's OneCycleLR reaches its peak at pct_start ·
    total_steps − 1 and its end at total_steps − 1: it is OneCycle over total_steps − 1 with that rise. Keras has none.
    """

    FROM_THE_BEGINNING: ClassVar = ("steps",)

    peak: NonNegative
    steps: Steps
    rise: Annotated[Any, Interval(0.0, 1.0)] = 0.3
    start_divisor: Positive = 25.0
    end_divisor: Positive = 1e4

    def __post_init__(self) -> None:
        super().__post_init__()
        up = self.rise * self.steps
        if isinstance(up, float) and min(up, self.steps - up) < 1:
            raise InputError(
                "OneCycle: at least one step must go up and one down, "
                f"found {up:g} and {self.steps - up:g} of steps {self.steps} with rise {self.rise:g}."
            )

    def __call__(self, step: Array) -> Array:
        top, start = self.rise * self.steps, self.peak / self.start_divisor
        up = _wave(start, self.peak, minimum(step, top) / top)
        down = _wave(self.peak, start / self.end_divisor, (clip(step, top, self.steps) - top) / (self.steps - top))
        return where(step < top, up, down)


@dataclass(frozen=True)
class Warmup(Schedule):
    """A straight line from `start`, in `steps`, to the first value of a schedule, which follows from its own first step
    on, or to a number, which stays.

    Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2. In a text, `warmup=500` stands behind the items of
    the schedule, and all steps are counted from the beginning of the run: see `parse`. Keras's CosineDecay with
    warmup_target, Optax's warmup_cosine_decay_schedule and join_schedules, PyTorch's SequentialLR of a LinearLR.
    """

    then: Any
    steps: Steps
    start: NonNegative = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.then, Warmup):
            raise InputError("Warmup: then must be another schedule or a number, found a Warmup.")
        if not isinstance(self.then, Schedule):
            object.__setattr__(self, "then", Constant(checked("Warmup: then", self.then, NonNegative)))

    def __call__(self, step: Array) -> Array:
        goal = self.then(zeros_like(step))
        line = self.start + (goal - self.start) * (step / self.steps)
        return where(step < self.steps, line, self.then(maximum(step - self.steps, 0)))

    def __str__(self) -> str:
        start = f",warmup-from={number_text(self.start)}" if self.start else ""
        return f"{self.then.moved(self.steps)},warmup={self.steps}{start}"


def _wave(high: Any, low: Any, part: Array) -> Array:
    """Half a cosine from high to low."""
    return low + (high - low) * (0.5 * (1 + cos(math.pi * part)))


def _passed(step: Array, steps: int, stairs: bool) -> Array:
    return _whole_part(step, steps) if stairs else step / steps


def _whole_part(step: Array, steps: int) -> Array:
    """The whole part of step / steps for a whole step, half a step away from where rounding could change it: XLA
    multiplies by 1 / steps, and 49 · (1/49) is below 1."""
    return floor((step + 0.5) / steps)


def _items_at(steps: tuple[int, ...], values: tuple[float, ...]) -> list[str]:
    return [f"{step}={number_text(value)}" for step, value in zip(steps, values, strict=True)]


def _numbers_at(items: Mapping[str, str]) -> tuple[tuple[Any, ...], tuple[float, ...]]:
    """The steps and the values of items such as 1000=3e-4."""
    for step, text in items.items():
        if not step or not text:
            raise InputError(f"an item must be STEP=VALUE, found {step or text!r}")
    steps = tuple(number_of(step, "the step of a value") for step in items)
    return steps, tuple(number_of(text, f"the value at {step}") for step, text in items.items())
