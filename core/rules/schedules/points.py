"""Schedules that are lists of steps and values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ...errors import InputError
from ...xp import Array, clip, full_like, where
from ..settings import NonNegative
from .schedule import Schedule, Step, Steps, must_rise, number_of, number_text


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


def _items_at(steps: tuple[int, ...], values: tuple[float, ...]) -> list[str]:
    return [f"{step}={number_text(value)}" for step, value in zip(steps, values, strict=True)]


def _numbers_at(items: Mapping[str, str]) -> tuple[tuple[Any, ...], tuple[float, ...]]:
    """The steps and the values of items such as 1000=3e-4."""
    for step, text in items.items():
        if not step or not text:
            raise InputError(f"an item must be STEP=VALUE, found {step or text!r}")
    steps = tuple(number_of(step, "the step of a value") for step in items)
    return steps, tuple(number_of(text, f"the value at {step}") for step, text in items.items())
