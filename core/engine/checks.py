"""What an optimizer refuses, in one sentence each: variables, settings, slots, gradients, and what a rule returns."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import numpy as np
import tensorflow as tf

from ..errors import InputError
from ..mistakes import described, mistakes_in, written
from ..rules import At, Rule, Step, named, parts_of
from .sparse import Sparse


def check_variable(name: Any, variable: Any, taken: Mapping[str, tf.Variable]) -> None:
    """taken: the variables that have a rule already, by name."""
    if not isinstance(name, str) or not isinstance(variable, tf.Variable):
        raise InputError(
            f"Optimizer needs a mapping from name to tf.Variable, found {described(name)}: {described(variable)}."
        )
    if not variable.dtype.is_floating:
        raise InputError(f"Variable {name!r} must be of a real floating dtype, found {variable.dtype.name}.")
    if not variable.trainable:
        raise InputError(f"Variable {name!r} was made with trainable=False: a tape has no gradient of it.")
    if name in taken:
        raise InputError(f"Two variables are called {name!r}; each needs a name of its own.")
    for other, another in taken.items():
        if another is variable:
            raise InputError(f"{other!r} and {name!r} are the same variable; it can be updated by one rule only.")


def first_slots(name: str, rule: Rule, x: tf.Tensor) -> Any:
    """The slots of a rule before its first step on a parameter x of this name, which is of the slots' dtype.

    Raises InputError for slots that are no NamedTuple of tensors of that dtype, for a setting out of its range, and for
    whatever a user's own rule raises.
    """
    _check_settings(f"{type(rule).__name__} on {name!r}", rule, x.dtype)
    slots, where = slots_of(rule, x), _where(rule, "slots", name)
    for slot, value in named(slots).items():
        if not tf.is_tensor(value) or value.dtype != x.dtype:
            raise InputError(f"{where}: slot {slot} must be a {x.dtype.name} tensor, found {described(value)}.")
    return slots


def slots_of(rule: Rule, x: Any) -> Any:
    """A rule's slots before its first step on a parameter x. Raises InputError where they are no NamedTuple."""
    with mistakes_in(rule, method="slots"):
        slots = rule.first(x)
    if not hasattr(slots, "_asdict"):
        raise InputError(f"{written(rule, 'slots')}: slots must return a NamedTuple, found {described(slots)}.")
    return slots


def step_of(rule: Rule, g: Any, slots: Any, x: Any, at: At, said: str = "failed") -> Step:
    """One step of a rule on whatever it can run on; `said` is what is said of it where it cannot.

    Raises InputError for what a user's own rule raises, and unless it returns a Step of the slots' type.
    """
    with mistakes_in(rule, said=said):
        step = rule.resolved(at.t, x).update(g, slots, x, at)
    if wrong := _wrong(step, slots):
        raise InputError(f"{written(rule, 'update')}: {wrong}.")
    with mistakes_in(rule, said=said):
        return step.completed(x)


def _where(rule: Rule, method: str, name: str) -> str:
    return f"{written(rule, method)}, on {name!r}"


def check_sparse(sparse: Any) -> None:
    """Raises InputError for what is no `Sparse`."""
    if sparse is not None and sparse not in get_args(Sparse):
        raise InputError(f"sparse must be one of {', '.join(map(repr, get_args(Sparse)))}, found {sparse!r}.")


def _check_settings(where: str, rule: Rule, dtype: tf.DType) -> None:
    """Refuses numbers that the dtype rounds to 0 or to infinity: an ε that is 0 there leads to 0/0."""
    limits = np.finfo(dtype.name)
    for part in parts_of(rule):
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, float) and value and not float(limits.tiny) <= abs(value) <= float(limits.max):
                raise InputError(f"{where}: {field.name} = {value:g} is out of the range of {dtype.name}.")


def check_gradient(name: str, gradient: Any, variable: tf.Variable) -> None:
    if gradient is None:
        raise InputError(f"The gradient of {name!r} is None: the cost does not depend on that variable.")
    if isinstance(gradient, tf.IndexedSlices):
        shape = gradient.values.shape[:1].concatenate(variable.shape[1:])
        if not variable.shape.rank or not shape.is_compatible_with(gradient.values.shape):
            raise InputError(
                f"The gradient of {name!r} must be of rows of shape {variable.shape[1:]}, found values of shape "
                f"{gradient.values.shape}."
            )
        gradient = gradient.values
    elif not tf.is_tensor(gradient):
        raise InputError(f"The gradient of {name!r} must be a tensor, found {described(gradient)}.")
    elif not variable.shape.is_compatible_with(gradient.shape):
        raise InputError(f"The gradient of {name!r} must have shape {variable.shape}, found {gradient.shape}.")
    narrow = variable.dtype.size < tf.float32.size
    if gradient.dtype != variable.dtype and not (narrow and gradient.dtype == tf.float32):
        raise InputError(
            f"The gradient of {name!r} must be of dtype {variable.dtype.name}, found {gradient.dtype.name}."
        )


def check_step(rule: Rule, name: str, step: Any, slots: Any, shape: tf.TensorShape, dtype: tf.DType) -> None:
    """Raises InputError unless a rule returned, for the variable of this name, a Step of the slots' type, shapes and
    dtype with stages by name."""
    where = _where(rule, "update", name)
    if wrong := _wrong(step, slots):
        raise InputError(f"{where}: {wrong}.")
    shapes = {slot: value.shape for slot, value in named(slots).items()}
    moved = [(part, value, shape) for part, value in (("delta", step.delta), ("x", step.x)) if value is not None]
    for part, value, expected in [
        *moved,
        *((f"slot {slot}", value, shapes[slot]) for slot, value in named(step.slots).items()),
    ]:
        if not tf.is_tensor(value) or value.shape != expected or value.dtype != dtype:
            raise InputError(
                f"{where}: {part} must be a {dtype.name} tensor of shape {expected}, found {described(value)}."
            )
    for stage, value in step.stages.items():
        if not tf.is_tensor(value):
            raise InputError(f"{where}: stage {stage} must be a tensor, found {described(value)}.")


def _wrong(step: Any, slots: Any) -> str | None:
    """What is wrong with what an update returned for slots of this type, before any value in it is looked at."""
    if isinstance(step, Step) and step.delta is None and step.x is None:
        return "update must return Step with delta or with x, found neither"
    if not isinstance(step, Step) or not _are_alike(step.slots, slots):
        inner = f" with slots of {described(step.slots)}" if isinstance(step, Step) else ""
        found = f"a Step{inner}" if inner else described(step)
        return f"update must return Step(delta, {type(slots).__name__}(…), stages), found {found}"
    if not isinstance(step.stages, Mapping) or not all(isinstance(stage, str) for stage in step.stages):
        return f"stages must be a dictionary of arrays by name, found {described(step.stages)}"
    return None


def _are_alike(one: Any, other: Any) -> bool:
    """Whether slots are of one kind, down to those within, and have the same arrays in them."""
    if type(one) is not type(other):
        return False
    return not hasattr(one, "_asdict") or all(map(_are_alike, _parts(one), _parts(other)))


def _parts(slots: Any) -> list[Any]:
    """Arrays of any kind are alike here."""
    return [value if isinstance(value, tuple) else None for value in slots]
