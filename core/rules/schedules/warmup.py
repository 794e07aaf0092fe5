"""A constant, and the line up to a schedule."""

from dataclasses import dataclass
from typing import Any

from ...errors import InputError
from ...xp import Array, full_like, maximum, where, zeros_like
from ..settings import NonNegative
from .schedule import Schedule, Steps, checked, number_text


@dataclass(frozen=True)
class Constant(Schedule):
    """One value at every step, as a plain number; a text needs it in front of a warm-up. Optax's constant_schedule."""

    value: NonNegative

    def __call__(self, step: Array) -> Array:
        return full_like(step, self.value)


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
