"""Errors that can be planted in any implementation, whatever it computes, by changing what goes in and comes out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .implementations import Around, Implementation
from .trajectory import Trajectory

DECAY = 1e-4


def around(inner: Implementation, slots: tuple[str, ...]) -> list[Around]:
    """The errors that can be planted around an implementation with these slots, each by its name in words."""
    return [
        Around("Δ's sign", inner, after=_delta(lambda part, delta: -delta)),
        Around("Δ a thousandth too long", inner, after=_delta(lambda part, delta: delta * _like(delta, 1.001))),
        Around("t counted from 0", inner, before=_step(-1), idle=True),
        Around("t counted from 2", inner, before=_step(1), idle=True),
        Around("g clipped to 1", inner, before=lambda part: replace(part, g=np.clip(part.g, -1, 1))),
        decayed(inner, DECAY, f"{DECAY:g}·θ added to Δ"),
        *(Around(f"{slot} not updated", inner, after=_kept(slot)) for slot in slots),
    ]


def decayed(inner: Implementation, factor: float, name: str) -> Around:
    """Decoupled weight decay: Δ + factor·θ."""
    return Around(name, inner, after=_delta(lambda part, delta: delta + _like(delta, factor) * part.x))


def regularised(inner: Implementation, factor: float, name: str) -> Around:
    """L2: factor·θ in the gradient."""
    return Around(name, inner, before=lambda part: replace(part, g=part.g + _like(part.g, factor) * part.x))


def scaled(inner: Implementation, factor: float, name: str) -> Around:
    """The update times a factor."""
    return Around(name, inner, after=_delta(lambda part, delta: delta * _like(delta, factor)))


def counting_calls(inner: Implementation) -> Around:
    """The step counted once a tensor."""
    return Around("the step counted once a tensor", inner, before=lambda part: replace(part, t=part.calls))


def _like(values: Any, number: float) -> Any:
    return values.dtype.type(number)


def _step(by: int) -> Callable[[Trajectory], Trajectory]:
    return lambda part: replace(part, t=part.t + by)


def _delta(change: Callable[[Trajectory, Any], Any]) -> Callable[[Trajectory, dict[str, Any]], dict[str, Any]]:
    return lambda part, values: {**values, "delta": change(part, values["delta"])}


def _kept(slot: str) -> Callable[[Trajectory, dict[str, Any]], dict[str, Any]]:
    return lambda part, values: {**values, slot: part.before[slot]}
