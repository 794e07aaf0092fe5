"""Watches a program's steps for numbers that are not finite, and finds where they began."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from ..errors import InputError, NonFiniteError
from .feeds import Feed
from .loss_scale import SMALLEST
from .optimizer import Optimizer
from .program import Program

OnNonfinite = Literal["stop", "skip", "continue"]
"""What a number that is not finite does to a run: the first ends it before that step; each step with one in its cost or
gradients is dropped; or the first is only noted."""


class _Call(NamedTuple):
    """A call since the last look: what it took, and where its feed stood before."""

    data: Feed | Sequence[tf.Tensor]
    batches: Any
    place: dict[str, Any] | None

    def steps(self) -> Iterator[tuple[Sequence[tf.Tensor], np.ndarray]]:
        """Data and batch of each step once more."""
        if not isinstance(self.data, Feed):
            yield from ((self.data, batch) for batch in self.batches)
            return
        self.go_back()
        for _ in range(self.batches):
            data, batches = self.data.take(1)
            yield data, batches[0]

    def go_back(self) -> None:
        if isinstance(self.data, Feed) and self.place is not None:
            self.data.state = self.place


class Guard:
    """Runs a program that observes its cost, and looks for what is not finite among costs, variables and slots.

        guard = Guard(program)
        costs = guard.run(data, batches)  # looks at the costs; or (feed, steps)
        guard.look()                      # looks at variables and slots, and holds a copy of them

    Where something is not finite, all steps since the last look are taken once more from the copy, one at a time. The
    first that is not finite is then computed operation by operation, which shows its first such value: the cost, a
    variable's gradient, a slot, a stage of the rule, Δ or the variable itself.

    A slot that starts with a value that is not finite is not looked at. A step that a loss scale drops is no such step,
    as its overflow is dealt with; one that brings the scale below 2⁻¹⁴ is, since it shows that no scale helps.

    With "skip" the optimizer, made with `drops_nonfinite`, drops each step of which the cost or a gradient is not
    finite, inside the compiled loop. A step that leads from finite ones to a value that is not is still an end.

    found: the error of the last step that was looked for and found; None as long as there was none.

    Raises InputError for "skip" where the optimizer drops no steps.
    """

    def __init__(self, program: Program, on_nonfinite: OnNonfinite = "stop"):
        if on_nonfinite == "skip" and not program.optimizer.drops_nonfinite:
            raise InputError("A guard skips steps that the optimizer drops: make it with drops_nonfinite=True.")
        self.found: NonFiniteError | None = None
        self._program, self._on_nonfinite = program, on_nonfinite
        self._state = program.optimizer.state
        self._watched = [name for name, variable in self._state.items() if _is_finite(variable.numpy())]
        self._held = self._read()
        self._since: list[_Call] = []

    def run(self, data: Feed | Sequence[tf.Tensor], batches: Any, then: int | None = None) -> np.ndarray:
        """The cost of each step, float64 [steps], of a call of the program's own `run`, those dropped included.

        Raises NonFiniteError where a cost is not finite, and what `Program.run` raises. All that a step changes is then
        as it was at the last look, the place of a feed too. With "skip", it is not raised for a cost. With "continue",
        nothing is raised, and nothing looked at after the first such step.
        """
        if self._is_done:
            return self._program.run(data, batches, then).numpy()
        if not self._since and _number(self._held) != self._program.optimizer.begun:
            self._held = self._read()  # another state was restored
        self._since.append(_Call(data, batches, data.state if isinstance(data, Feed) else None))
        costs = self._program.run(data, batches, then).numpy()
        if not self._is_sound(costs):
            self._find(self._read())
        return costs

    def look(self) -> Mapping[str, np.ndarray]:
        """Looks at all variables and slots, and holds a copy of them, to be gone back to, which it returns: by the
        names of `Optimizer.state`, and never changed. Raises what `run` raises."""
        state = self._read()
        if not self._is_done:
            if not self._holds_finite(state):
                self._find(state)
            self._held, self._since = state, []
        return state

    @property
    def _is_done(self) -> bool:
        return self.found is not None and self._on_nonfinite == "continue"

    def _find(self, state: Mapping[str, np.ndarray]) -> None:
        """Finds the first step since the last look that is not finite; `state` is what it and later ones led to."""
        since, self._since = self._since, []
        places = [(call.data, call.data.state) for call in since if isinstance(call.data, Feed)]
        self._assign(self._held)
        self.found = self._first(since, state)
        if self._on_nonfinite == "continue":
            self._assign(state)
            for feed, place in places:
                feed.state = place
            return
        self._assign(self._held)
        for call in reversed(since):
            call.go_back()
        raise self.found

    def _first(self, since: Sequence[_Call], state: Mapping[str, np.ndarray]) -> NonFiniteError:
        program = self._program
        single = Program(  # without a recorder
            program.step.cost,
            program.step.variables,
            program.optimizer,
            program.execution,
            strategy=program.strategy,
            microbatches=program.microbatches,
            compute=program.step.compute,
        )
        for data, batch in (step for call in since for step in call.steps()):
            before, cost, after = self._read(), single.run(data, [batch]).numpy(), self._read()
            if not (self._is_sound(cost) and self._holds_finite(after)):
                self._assign(before)
                execution = f", as {program.execution} computes it, and finite operation by operation"
                what = self._what(data, batch) or self._what_is_left(after) + execution
                return NonFiniteError(_number(after), what)
        # No step since the last look: it was set from outside. Or the cost draws random numbers.
        return NonFiniteError(_number(state), self._what_is_left(state))

    def _what(self, data: Sequence[tf.Tensor], batch: np.ndarray) -> str:
        """The first value of the next step that is not finite, in words; "" where all are, operation by operation."""
        cost, gradients = self._program.differentiated(tuple(data), tf.constant(batch))
        values = _values(self._program.optimizer, cost, gradients)
        looked_at = ((name, value) for name, value in values if name not in self._state or name in self._watched)
        return next(filter(None, (_described(name, np.asarray(value)) for name, value in looked_at)), "")

    def _what_is_left(self, state: Mapping[str, np.ndarray]) -> str:
        left = "the cost is not finite" if _is_scaled(state) else "the loss scale is below 2⁻¹⁴, and no gradient finite"
        return next(filter(None, (_described(name, state[name]) for name in self._watched)), left)

    def _read(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self._state.items()}

    def _is_sound(self, costs: np.ndarray) -> bool:
        """Whether these let a run go on; where steps are skipped, any do."""
        return self._on_nonfinite == "skip" or _is_finite(costs)

    def _holds_finite(self, state: Mapping[str, np.ndarray]) -> bool:
        return all(_is_finite(state[name]) for name in self._watched) and _is_scaled(state)

    def _assign(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._state.items():
            variable.assign(state[name])


def _number(state: Mapping[str, np.ndarray]) -> int:
    """How many steps led to a state, those dropped included."""
    return int(state["step"]) + int(state["dropped steps"])


def _is_scaled(state: Mapping[str, np.ndarray]) -> bool:
    """Whether the loss scale is one that helps; without one, nothing has to."""
    return float(state.get("loss scale", 1)) >= SMALLEST


def _values(optimizer: Optimizer, cost: tf.Tensor, gradients: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the next step computes, in its order, by the names of `Optimizer.state` where it has them."""
    yield "the cost", cost
    for name, gradient in gradients.items():
        yield f"the gradient of {name}", gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    for name, step in optimizer.updates(gradients, cost).items():
        yield from ((f"{value} of {name}", of) for value, of in {**step.values, "Δ": step.delta}.items())
        yield name, tf.cast(step.x, optimizer.assigned(name)[0].dtype)


def _described(name: str, value: np.ndarray) -> str:
    """That something is not finite; "" where it is."""
    there = ~np.isfinite(value)
    if not there.any():
        return ""
    kind = "NaN" if np.isnan(value[there].astype(np.float64)).any() else "infinite"
    return f"{name} is {kind}" + (f" in {there.sum():,} of {value.size:,} elements" if value.ndim else "")


def _is_finite(value: np.ndarray) -> bool:
    return bool(np.isfinite(value).all())
