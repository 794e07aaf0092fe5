"""Errors that can be planted in any implementation, whatever it computes, by changing what goes in and comes out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .implementations import Implementation, run_along
from .layout import Layout
from .streams import Streams
from .trajectory import Trajectory, Values

DECAY = 1e-4
WITHOUT_X = "θ taken for 0"


class Around(Implementation):
    """Another implementation with something done to what goes in and to what comes out.

    before: from a trajectory to the one that goes in; after: from that trajectory and the values for it to what comes
            out, where the update is always "delta".
    idle:   in some rules it may change nothing.
    """

    def __init__(
        self,
        name: str,
        inner: Implementation,
        before: Callable[[Trajectory], Trajectory] = lambda trajectory: trajectory,
        after: Callable[[Trajectory, dict[str, Any]], dict[str, Any]] = lambda trajectory, values: values,
        idle: bool = False,
    ):
        self.name, self._inner, self._before, self._after, self.idle = name, inner, before, after, idle

    def first(self, like: np.ndarray) -> Values:
        return self._inner.first(like)

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        first, layout = start or self._inner.first(streams.gradients[0]), Layout.of(streams.kinds)

        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
            rows = {name: slot[np.newaxis] for name, slot in slots.items()}
            one = Trajectory(np.array([t]), g[np.newaxis], x[np.newaxis], rows, {}, None, layout)
            return {name: np.asarray(value)[0] for name, value in self.follow(one).items() if name in ("delta", *slots)}

        return run_along(self.name, step, streams, first, streams.start, layout=layout)

    def follow(self, trajectory: Trajectory) -> Values:
        given = self._before(trajectory)
        values = dict(self._inner.follow(given))
        x = values.pop("x", None)
        if "delta" not in values:
            values["delta"] = given.x - x
        return self._after(trajectory, values)


def around(inner: Implementation, slots: tuple[str, ...]) -> list[Around]:
    """The errors that can be planted around an implementation with these slots, each by its name in words."""
    return [
        scaled(inner, -1.0, "Δ's sign"),
        scaled(inner, 1.001, "Δ a thousandth too long"),
        Around("t counted from 0", inner, before=_step(-1), idle=True),
        Around("t counted from 2", inner, before=_step(1), idle=True),
        Around("g clipped to 1", inner, before=lambda part: replace(part, g=np.clip(part.g, -1, 1)), idle=True),
        Around(WITHOUT_X, inner, before=lambda part: replace(part, x=np.zeros_like(part.x)), idle=True),
        decayed(inner, DECAY, f"{DECAY:g}·θ added to Δ"),
        *(Around(f"{slot} not updated", inner, after=_kept(slot), idle=True) for slot in slots),
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
