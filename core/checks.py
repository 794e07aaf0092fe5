"""What an optimizer refuses, in one sentence each: variables, settings, slots, gradients, and what a rule returns."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import numpy as np
import tensorflow as tf

from .errors import InputError
from .rules import Rule, Step
from .sparse import Sparse


def check_variable(name: Any, variable: Any, taken: Mapping[str, tf.Variable]) -> None:
    """taken: the variables that have a rule already, by name."""
    if not isinstance(name, str) or not isinstance(variable, tf.Variable):
        raise InputError(f"Optimizer needs a mapping from name to tf.Variable, found {name!r}: {type(variable)}.")
    if not variable.dtype.is_floating:
        raise InputError(f"Variable {name!r} must be of a real floating dtype, found {variable.dtype.name}.")
    if not variable.trainable:
        raise InputError(f"Variable {name!r} was made with trainable=False: a tape gives no gradient for it.")
    if name in taken:
        raise InputError(f"The name {name!r} is given to two variables; each needs a name of its own.")
    for other, another in taken.items():
        if another is variable:
            raise InputError(f"{other!r} and {name!r} are the same variable; it can be updated by one rule only.")


def first_slots(where: str, rule: Rule, x: tf.Tensor) -> Any:
    """The slots of a rule before its first step on a parameter x, which is of the slots' dtype.

    Raises InputError for slots that are no NamedTuple of tensors of that dtype, and for a setting out of its range.
    """
    _check_settings(where, rule, x.dtype)
    slots = rule.slots(x)
    _check_slots(where, slots, x.dtype)
    return slots


def check_sparse(sparse: Any) -> None:
    """Raises InputError for what is no `Sparse`."""
    if sparse is not None and sparse not in get_args(Sparse):
        raise InputError(f"sparse must be one of {', '.join(map(repr, get_args(Sparse)))}, found {sparse!r}.")


def _check_settings(where: str, rule: Rule, dtype: tf.DType) -> None:
    """Refuses numbers that the dtype rounds to 0 or to infinity: an ε that is 0 there gives 0/0."""
    limits = np.finfo(dtype.name)
    for field in fields(rule):
        value = getattr(rule, field.name)
        if isinstance(value, float) and value and not float(limits.tiny) <= abs(value) <= float(limits.max):
            raise InputError(f"{where}: {field.name} = {value:g} is out of the range of {dtype.name}.")


def _check_slots(where: str, slots: Any, dtype: tf.DType) -> None:
    if not hasattr(slots, "_asdict"):
        raise InputError(f"{where}: slots must return a NamedTuple, found {slots!r}.")
    for slot, value in slots._asdict().items():
        if not tf.is_tensor(value) or value.dtype != dtype:
            found = value.dtype.name if tf.is_tensor(value) else repr(value)
            raise InputError(f"{where}: slot {slot} must be a {dtype.name} tensor, found {found}.")


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
        raise InputError(f"The gradient of {name!r} must be a tensor, found {gradient!r}.")
    elif not variable.shape.is_compatible_with(gradient.shape):
        raise InputError(f"The gradient of {name!r} must have shape {variable.shape}, found {gradient.shape}.")
    if gradient.dtype != variable.dtype:
        raise InputError(
            f"The gradient of {name!r} must be of dtype {variable.dtype.name}, found {gradient.dtype.name}."
        )


def check_step(where: str, step: Any, slots: Any, shape: tf.TensorShape, dtype: tf.DType) -> None:
    """Raises InputError unless a rule returned a Step of the slots' type, shapes and dtype."""
    if not isinstance(step, Step) or type(step.slots) is not type(slots):
        raise InputError(f"{where}: update must return Step(delta, {type(slots).__name__}(…), stages), found {step!r}.")
    for part, value, expected in [
        ("delta", step.delta, shape),
        *((f"slot {slot}", value, getattr(slots, slot).shape) for slot, value in step.slots._asdict().items()),
    ]:
        if not tf.is_tensor(value) or value.shape != expected or value.dtype != dtype:
            found = f"{value.dtype.name} {value.shape}" if tf.is_tensor(value) else repr(value)
            raise InputError(f"{where}: {part} must be a {dtype.name} tensor of shape {expected}, found {found}.")
