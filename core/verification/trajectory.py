"""What an implementation did along gradient streams: a rule in any of the four executions, or in NumPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from ..engine.checks import slots_of, step_of
from ..engine.optimizer import Optimizer
from ..engine.program import Program
from ..errors import InputError
from ..mistakes import mistakes_in, written
from ..rules import At, Rule, Step, named, refilled
from .layout import Layout
from .streams import Streams

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Trajectory:
    """Steps 1, 2, … of an implementation from its own first state, or some of them.

    t:      [steps] their numbers.
    g:      [steps, coordinates] the gradients.
    x:      [steps, coordinates] the parameter before each step.
    before: slots before each step, by name, [steps, coordinates].
    after:  slots and stages of each step, by name, [steps, coordinates] or [steps, 1], and as far as the implementation
            shows them the update ("delta") and the parameter afterwards ("x").
    calls:  [steps, coordinates] which call of the implementation made the step, from 1, where it is called for one
            tensor after another.
    layout: the tensors that were updated; one vector where there is none.
    """

    t: np.ndarray
    g: np.ndarray
    x: np.ndarray
    before: Values
    after: Values
    calls: np.ndarray | None = None
    layout: Layout | None = None

    def steps(self, chosen: Any) -> Self:
        """Some of the steps, chosen by a slice or an array of positions."""
        before, after = ({name: array[chosen] for name, array in of.items()} for of in (self.before, self.after))
        calls = None if self.calls is None else self.calls[chosen]
        return type(self)(self.t[chosen], self.g[chosen], self.x[chosen], before, after, calls, self.layout)


class Run(NamedTuple):
    """A rule to be run, the number that decides the order of its tensors, and slots [coordinates] if not its own."""

    rule: Rule
    turn: int = 0
    start: Values | None = None


def compiled_trajectories(
    runs: Mapping[str, Run], streams: Streams, execution: str, layout: Layout
) -> dict[str, Trajectory]:
    """Several rules, each on tensors of its own, along the same streams, in one program of the given execution.

    Of narrow variables the parameter is what the next step goes on from: the master, as long as the variable is what is
    rounded from it.

    Raises InputError for what the optimizer refuses, and for a rule that fails while it is traced.
    """
    g, begin = streams.gradients, streams.start
    starts, tensors = layout.split(begin), list(layout.places)
    orders = {name: layout.order(run.turn) for name, run in runs.items()}
    groups = {
        name: {f"{name}/{tensor}": tf.Variable(tf.cast(starts[tensor], streams.dtype)) for tensor in order}
        for name, order in orders.items()
    }
    variables = {name: variable for group in groups.values() for name, variable in group.items()}
    some_rule = next(iter(runs.values())).rule
    with mistakes_in(some_rule):
        optimizer = Optimizer([(run.rule, groups[name]) for name, run in runs.items()])
    for name, tensor in variables.items():
        for slot, value in optimizer.slots[name].items():
            if value.shape not in (tensor.shape, []):
                raise InputError(
                    f"{written(some_rule, 'slots')}: slot {slot} must be a number or have its parameter's shape to be "
                    f"judged, {tensor.shape}, found {value.shape}."
                )
    for name, run in runs.items():
        own = list(optimizer.slots[f"{name}/{tensors[0]}"])
        start = called(run.start, own, type(run.rule).__name__) if run.start else {}
        for slot, value in start.items():
            for tensor, part in layout.split(value).items():
                variable = optimizer.slots[f"{name}/{tensor}"][slot]
                variable.assign(part if variable.shape.rank else part.ravel()[0])
    first = {
        name: {
            slot: layout.joined({tensor: optimizer.slots[f"{name}/{tensor}"][slot].numpy() for tensor in tensors})
            for slot in optimizer.slots[f"{name}/{tensors[0]}"]
        }
        for name, run in runs.items()
    }

    def cost(variables: Mapping[str, tf.Variable], *parts: tf.Tensor) -> tf.Tensor:
        of = dict(zip(tensors, parts, strict=True))
        return tf.add_n([tf.reduce_sum(of[name.split("/")[1]][0] * variable) for name, variable in variables.items()])

    def observe(_cost: tf.Tensor, gradients: Mapping[str, tf.Tensor], updates: Mapping[str, Step]) -> dict[str, Any]:
        """All values of all tensors of a rule in one row: a tensor array for each would cost a kernel each."""
        seen = {}
        for name in runs:
            owner = type(runs[name].rule).__name__
            of = [_values(owner, updates[f"{name}/{t}"], optimizer.parameter(f"{name}/{t}")) for t in tensors]
            everywhere = [value for value in of[0] if all(value in one for one in of)]
            seen[name] = {value: tf.concat([one[value] for one in of], axis=0) for value in everywhere}
        return seen

    program = Program(cost, variables, optimizer, execution, observe)  # pyright: ignore[reportArgumentType]
    with mistakes_in(some_rule):
        data = tuple(tf.cast(part, streams.dtype) for part in layout.split(g).values())
        found = program.run(data, np.arange(len(g))[:, np.newaxis])
    columns = np.concatenate([layout.places[tensor].ravel() for tensor in tensors])
    back = np.argsort(columns)
    return {
        name: trajectory_of(
            type(run.rule).__name__,
            g,
            shifted(begin, found[name]["x"].numpy()[:, back]),
            first[name],
            {value: array.numpy()[:, back] for value, array in found[name].items()},
            layout.calls([orders[name]] * len(g)),
            layout,
        )
        for name, run in runs.items()
    }


def _values(owner: str, step: Step, parameter: tf.Tensor) -> dict[str, tf.Tensor]:
    """All that a step shows, [numbers of the tensor] each; a stage that is a scalar stands for all of them."""
    check_names(owner, step)
    flat = {}
    for name, value in {"delta": step.delta, **step.values, "x": tf.identity(parameter)}.items():
        if value.shape not in (parameter.shape, []) or not value.dtype.is_floating:
            raise InputError(
                f"{owner}: stage {name} must be a scalar or of shape {parameter.shape}, "
                f"found {value.dtype.name} {value.shape}."
            )
        flat[name] = tf.reshape(tf.broadcast_to(value, parameter.shape), [-1])
    return flat


def numpy_trajectory(rule: Rule, streams: Streams, start: Values | None = None) -> Trajectory:
    """The rule on NumPy arrays of the streams' dtype, one vector. Raises InputError for a rule that fails.

    start: slots to begin with, in place of the rule's own.
    """
    g, x = streams.gradients, streams.start
    wide = np.result_type(g.dtype, np.float64).type
    name, steps = type(rule).__name__, []
    with mistakes_in(rule, name), np.errstate(all="ignore"):
        slots = slots_of(rule, x)
        if start:
            slots = refilled(slots, called(start, tuple(named(slots)), name))
        first = {slot: np.asarray(value) for slot, value in named(slots).items()}
        for t, row in enumerate(g, start=1):
            step = step_of(rule, row, slots, x, At(wide(t)))
            if t == 1:  # NumPy would broadcast it
                _check(f"{written(rule, 'update')}: delta", np.asarray(step.delta), row.shape, row.dtype)
            check_names(written(rule, "update"), step)
            slots, x = step.slots, step.x
            steps.append({"delta": step.delta, **step.values, "x": x})
        after = {value: np.stack([step[value] for step in steps]) for value in steps[0]}
    return trajectory_of(name, g, shifted(streams.start, after["x"]), first, after)


def check_names(owner: str, step: Step) -> None:
    """Raises InputError where a stage or a slot is called as another value of a step is."""
    names = ["delta", "x", *named(step.slots), *step.stages]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{owner}: a slot or stage is called {twice[0]}, as another value of the step is.")


def called(slots: Values, names: Sequence[str], owner: str) -> Values:
    """Slots under the names that their owner has for them, unless they are the same: in their order.

    Raises InputError where there are not as many.
    """
    if set(slots) == set(names):
        return slots
    if len(slots) != len(names):
        expected, found = (", ".join(of) or "none" for of in (slots, names))
        advice = ' It may be another optimizer, such as "keras:SGD(momentum=0.9)" for momentum.' if not slots else ""
        raise InputError(
            f"{owner} must keep as many slots as the reference, which keeps {expected}; found {found}.{advice}"
        )
    return dict(zip(names, slots.values(), strict=True))


def trajectory_of(
    owner: str,
    g: np.ndarray,
    x: np.ndarray,
    first: Values,
    after: Values,
    calls: np.ndarray | None = None,
    layout: Layout | None = None,
) -> Trajectory:
    """A trajectory from step 1: parameters before each step, first slots, and all that came after each step.

    A slot that is one number stands for all coordinates.

    Raises InputError for values of another shape, and for slots and updates of another dtype, than the gradients'.
    """
    first = {name: filled(value, g[0]) for name, value in first.items()}
    numbers = [name for name in first if after[name].shape == g.shape[:1] and after[name].dtype == g.dtype]
    after = {**after, **{name: np.repeat(after[name][:, np.newaxis], g.shape[1], axis=1) for name in numbers}}
    for name, value in first.items():
        if name in ("delta", "x"):
            raise InputError(f"{owner}: a slot cannot be called {name}, as the update or the parameter is.")
        _check(f"{owner}: slot {name}", value, g.shape[1:], g.dtype)
    for name, value in after.items():
        if name in ("delta", *first):
            _check(f"{owner}: {name}", value, g.shape, g.dtype)
        elif value.shape not in (g.shape, g.shape[:1], (len(g), 1)) or not np.issubdtype(value.dtype, np.floating):
            found = f"{value.dtype} {value.shape[1:]}"
            raise InputError(f"{owner}: stage {name} must be a scalar or of shape {g.shape[1:]}, found {found}.")
    after = {name: value if value.ndim == 2 else value[:, np.newaxis] for name, value in after.items()}
    before = {name: shifted(value, after[name]) for name, value in first.items()}
    return Trajectory(np.arange(1, len(g) + 1), g, x, before, after, calls, layout)


def filled(slot: Any, like: np.ndarray) -> np.ndarray:
    """A slot; where it is one number, as many of it as there are parameters."""
    return np.full(like.shape, slot) if np.ndim(slot) == 0 else np.asarray(slot)


def _check(where: str, value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if value.shape != shape or value.dtype != dtype:
        raise InputError(f"{where} must be {dtype} {shape[-1:]}, found {value.dtype} {value.shape[-1:]}.")


def shifted(first: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What was there before each step, of what there was before the first and after each."""
    return np.concatenate([first[np.newaxis].astype(after.dtype), after[:-1]])
