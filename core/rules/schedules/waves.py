"""Schedules that are halves of cosine waves."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from ...errors import InputError
from ...xp import Array, clip, cos, floor, log, minimum, power, where
from ..settings import Interval, NonNegative, Positive
from .schedule import Schedule, Steps, whole_part


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

    "SGDR", section 3. Where a start falls between two steps, the wave begins at the step after it; at the one before it
    within 1/1024 of a step. float64 finds each of up to 10^11 · (longer − 1) steps; float32 would not. Keras's
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
            before = whole_part(step, self.steps)
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


def _wave(high: Any, low: Any, part: Array) -> Array:
    """Half a cosine from high to low."""
    return low + (high - low) * (0.5 * (1 + cos(math.pi * part)))
