"""What a rule did along gradient streams: in any of the four executions, or in NumPy."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import tensorflow as tf

from ..errors import InputError
from ..optimizer import Optimizer
from ..program import Program
from ..rules import Rule, Step
from .streams import Streams

START = 1.0
"""Where parameters begin: not at 0, which would hide a decay."""


@dataclass(frozen=True)
class Trajectory:
    """Steps 1, 2, … of an implementation from its own first state, or some of them.

    t:      [steps] their numbers.
    g:      [steps, coordinates] the gradients.
    before: slots before each step, by name, [steps, coordinates].
    after:  the update ("delta"), slots and stages of each step, [steps, coordinates] or [steps, 1]; where the
            implementation shows it, the parameter afterwards ("x").
    x:      [steps, coordinates] the parameter before each step, or None where it is not shown.
    """

    t: np.ndarray
    g: np.ndarray
    before: Mapping[str, np.ndarray]
    after: Mapping[str, np.ndarray]
    x: np.ndarray | None = None

    def steps(self, chosen: Any) -> Self:
        """Some of the steps, chosen by a slice or an array of positions."""
        before, after = ({name: array[chosen] for name, array in of.items()} for of in (self.before, self.after))
        x = None if self.x is None else self.x[chosen]
        return type(self)(self.t[chosen], self.g[chosen], before, after, x)


def compiled_trajectories(rules: Mapping[str, Rule], streams: Streams, execution: str) -> dict[str, Trajectory]:
    """Several rules, each on variables of its own, along the same streams, in one program of the given execution.

    Raises InputError for what the optimizer refuses, and for a rule that fails while it is traced.
    """
    g = streams.gradients
    variables = {name: tf.Variable(tf.fill([g.shape[1]], tf.constant(START, g.dtype))) for name in rules}
    named = ", ".join(dict.fromkeys(type(rule).__name__ for rule in rules.values()))
    with failures_named(named):
        optimizer = Optimizer([(rule, {name: variables[name]}) for name, rule in rules.items()])
    first = {name: {slot: v.numpy() for slot, v in slots.items()} for name, slots in optimizer.slots.items()}

    def cost(variables: Mapping[str, tf.Variable], row: tf.Tensor) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(row * variable) for variable in variables.values()])

    def observe(_cost: tf.Tensor, gradients: Mapping[str, tf.Tensor], updates: Mapping[str, Step]) -> dict[str, Any]:
        return {
            name: dict(delta=step.delta, **step.slots._asdict(), **step.stages, x=tf.identity(variables[name]))
            for name, step in updates.items()
        }

    program = Program(cost, variables, optimizer, execution, observe)  # pyright: ignore[reportArgumentType]
    with failures_named(named):
        found = program.run((tf.constant(g),), np.arange(len(g))[:, np.newaxis])
    values = {name: {value: array.numpy() for value, array in found[name].items()} for name in rules}
    return {name: trajectory_of(type(rule).__name__, g, first[name], values[name]) for name, rule in rules.items()}


def numpy_trajectory(rule: Rule, streams: Streams) -> Trajectory:
    """The rule on NumPy arrays of the streams' dtype. Raises InputError for a rule that fails."""
    g = streams.gradients
    x, wide = np.full(g.shape[1], START, g.dtype), np.result_type(g.dtype, np.float64).type
    name, steps = type(rule).__name__, []
    with failures_named(name), np.errstate(all="ignore"):
        slots = rule.slots(x)
        if not hasattr(slots, "_asdict"):
            raise InputError(f"{name}: slots must return a NamedTuple, found {type(slots).__name__}.")
        first = {slot: np.asarray(value) for slot, value in slots._asdict().items()}
        for t, row in enumerate(g, start=1):
            step = rule.update(row, slots, wide(t), x)
            slots, x = step.slots, x - step.delta
            steps.append(dict(delta=step.delta, **slots._asdict(), **step.stages, x=x))
        after = {value: np.stack([step[value] for step in steps]) for value in steps[0]}
    return trajectory_of(name, g, first, after)


@contextmanager
def failures_named(name: str) -> Iterator[None]:
    """Whatever somebody's own rule raises becomes an InputError that names the rule."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{name} failed in a step: {type(error).__name__}: {error}") from error


def trajectory_of(
    owner: str, g: np.ndarray, first: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> Trajectory:
    """A trajectory from step 1, from the first slots and all that came after each step, [steps, coordinates].

    Raises InputError for values of another shape, and for slots and updates of another dtype, than the gradients'.
    """
    for name, value in first.items():
        _check(f"{owner}: slot {name}", value, g.shape[1:], g.dtype)
    for name, value in after.items():
        if name in ("delta", *first):
            _check(f"{owner}: {name}", value, g.shape, g.dtype)
        elif value.shape not in (g.shape, g.shape[:1], (len(g), 1)) or not np.issubdtype(value.dtype, np.floating):
            found = f"{value.dtype} {value.shape[1:]}"
            raise InputError(f"{owner}: stage {name} must be a scalar or of shape {g.shape[1:]}, found {found}.")
    after = {name: value if value.ndim == 2 else value[:, np.newaxis] for name, value in after.items()}
    before = {name: _shifted(value, after[name]) for name, value in first.items()}
    x = _shifted(np.full(g.shape[1], START), after["x"]) if "x" in after else None
    return Trajectory(np.arange(1, len(g) + 1), g, before, after, x)


def _check(where: str, value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if value.shape != shape or value.dtype != dtype:
        raise InputError(f"{where} must be {dtype} {shape[-1:]}, found {value.dtype} {value.shape[-1:]}.")


def _shifted(first: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.concatenate([first[np.newaxis].astype(after.dtype), after[:-1]])
