"""The one optimizer: it owns the step counter and the slots, and applies rules to raw variables."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

from .errors import InputError
from .rules import Rule, Step

Variables = Mapping[str, tf.Variable]
Gradients = Mapping[str, Any]
"""By the variables' names; a tf.Tensor each, as the rules need it, or what else a tape may give, to be refused."""
Seen = Callable[..., Iterable[tf.Tensor]]
"""Takes a gradient and slots as they are read, and returns them as a rule is given them."""


def unchanged(*read: tf.Tensor) -> Iterable[tf.Tensor]:
    """A rule is given what is read."""
    return read


@dataclass(frozen=True)
class _Assignment:
    """A variable, the rule that updates it, and the type of the rule's slots.

    No tuple: tf.Module looks into tuples for variables to call its own, and these are not.
    """

    variable: tf.Variable
    rule: Rule
    slots_type: type


class Optimizer(tf.Module):
    """Applies one update rule, or one rule a group of variables, to named variables.

        Optimizer(Adam(), {"w": w, "b": b})
        Optimizer([(Adam(1e-4), {"w": w}), (Adagrad(0.1), {"b": b})])

    step:  tf.Variable, int64, the number of steps taken.
    slots: {variable name: {slot name: tf.Variable}}, of the variable's shape; float32 for narrower variables, of
           the variable's own dtype otherwise. All are created here, so that nothing is created inside a traced
           function, and `tf.train.Checkpoint` finds them as slots/<variable>/<slot>.

    one_pass: for functions that XLA compiles for a CPU with its option xla_cpu_use_multi_output_fusion, of tensors that
    are larger than the processor's caches: `apply` lets it write a variable and its slots in one loop, which reads and
    writes each once. By default it makes a loop of each. Results are equal to rounding: in one loop a product and a
    sum may be rounded once, as one operation. A traced function that is not compiled by XLA cannot run so.

    Raises InputError where no variable is given, where a variable or a name is given twice, for a variable that is
    not trainable or not of a real floating dtype, for a rule whose slots are no NamedTuple of tensors of the slots'
    dtype, and for a setting too small or too large for that dtype.
    """

    def __init__(
        self,
        rule: Rule | Iterable[tuple[Rule, Variables]],
        variables: Variables | None = None,
        *,
        one_pass: bool = False,
    ):
        super().__init__(name="optimizer")
        self.one_pass = one_pass
        if not isinstance(rule, Rule) and (variables is not None or not isinstance(rule, Iterable)):
            raise InputError(f"Optimizer needs (rule, variables), or a list of such pairs, found {rule!r}.")
        groups = [(rule, variables)] if isinstance(rule, Rule) else list(rule)
        self.step = tf.Variable(tf.constant(0, tf.int64), trainable=False, name="step")
        self.slots: dict[str, dict[str, tf.Variable]] = {}
        assignments: dict[str, _Assignment] = {}
        for rule, variables in groups:
            if not isinstance(variables, Mapping):
                raise InputError(f"Optimizer needs a mapping from name to tf.Variable, found {variables!r}.")
            for name, variable in variables.items():
                _check_variable(name, variable, assignments)
                where, dtype = f"{type(rule).__name__} on {name!r}", slot_dtype(variable)
                _check_settings(where, rule, dtype)
                slots = rule.slots(tf.cast(variable, dtype))
                _check_slots(where, slots, dtype)
                assignments[name] = _Assignment(variable, rule, type(slots))
                self.slots[name] = {
                    slot: tf.Variable(value, trainable=False, name=f"{name}/{slot}")
                    for slot, value in slots._asdict().items()
                }
        if not assignments:
            raise InputError("Optimizer needs a mapping from name to tf.Variable with at least one variable.")
        self._assignments = assignments

    def owns(self, variables: Variables) -> bool:
        """Whether these are the variables that the optimizer was given, by these names."""
        owned = {name: assignment.variable for name, assignment in self._assignments.items()}
        return owned.keys() == variables.keys() and all(owned[name] is variables[name] for name in owned)

    def assigned(self, name: str) -> tuple[tf.Variable, Rule]:
        """The variable of this name, and the rule that updates it."""
        assignment = self._assignments[name]
        return assignment.variable, assignment.rule

    def moved(self, name: str, delta: tf.Tensor) -> tf.Tensor:
        """What the variable of this name is after a step of Δ = `delta` from where it stands, in its dtype."""
        variable = self._assignments[name].variable
        return tf.cast(tf.cast(variable, delta.dtype) - delta, variable.dtype)

    def updates(self, gradients: Gradients, seen: Seen = unchanged) -> dict[str, Step]:
        """What each variable's rule gives for these gradients at the next step; changes nothing.

        gradients: by the variables' names, of their shapes and dtypes, as `tape.gradient(cost, variables)` returns.
        seen:      what each rule is given of a gradient and of the slots behind it, all in the slots' dtype.

        Raises InputError for a missing, unknown, None or sparse gradient, for a wrong shape or dtype, and for a
        rule that does not return what it should.
        """
        if not isinstance(gradients, Mapping) or gradients.keys() != self._assignments.keys():
            expected = ", ".join(self._assignments)
            found = ", ".join(gradients) if isinstance(gradients, Mapping) else type(gradients).__name__
            raise InputError(f"Optimizer needs one gradient for each of: {expected}; found: {found}.")
        for name, gradient in gradients.items():
            _check_gradient(name, gradient, self._assignments[name].variable)
        t = tf.cast(self.step + 1, tf.float64)
        return {name: self._update(name, gradients[name], t, seen) for name in self._assignments}

    def apply(self, gradients: Gradients) -> dict[str, Step]:
        """Takes one step: every variable and slot is assigned, after all updates have been computed.

        Takes and raises what `updates` does, and returns what it returned.
        """
        updates = self.updates(gradients)
        deltas, slots = self._apart(gradients, updates)
        for name in updates:
            self._assignments[name].variable.assign(self.moved(name, deltas[name]))
            for slot, value in slots[name].items():
                self.slots[name][slot].assign(value)
        self.step.assign_add(1)
        return updates

    def _apart(
        self, gradients: Gradients, updates: Mapping[str, Step]
    ) -> tuple[dict[str, tf.Tensor], dict[str, dict[str, tf.Tensor]]]:
        """The deltas and the slots of updates; with `one_pass`, each as if it alone were computed.

        XLA merges loops that read the same, not those of which one reads what another has written. So each loop
        computes all that it needs, and barriers hide that others do so too until the loops are one.
        """
        if not self.one_pass or tf.executing_eagerly():
            slots = {name: step.slots._asdict() for name, step in updates.items()}
            return {name: step.delta for name, step in updates.items()}, slots
        t = tf.cast(self.step + 1, tf.float64)

        def alone(name: str, number: int) -> Step:
            return self._update(name, gradients[name], t, partial(_hidden, number))

        deltas = {name: alone(name, 0).delta for name in updates}
        slots = {
            name: {slot: getattr(alone(name, number).slots, slot) for number, slot in enumerate(own, start=1)}
            for name, own in self.slots.items()
        }
        return deltas, slots

    def _update(self, name: str, gradient: tf.Tensor, t: tf.Tensor, seen: Seen) -> Step:
        variable, rule = self._assignments[name].variable, self._assignments[name].rule
        dtype = slot_dtype(variable)
        g, *values = seen(tf.cast(gradient, dtype), *map(tf.convert_to_tensor, self.slots[name].values()))
        slots = self._assignments[name].slots_type(*values)
        step = rule.update(g, slots, t, tf.cast(variable, dtype))
        check_step(f"{type(rule).__name__} on {name!r}", step, slots, variable.shape, dtype)
        return step


def slot_dtype(variable: tf.Variable) -> tf.DType:
    """The dtype of a variable's slots and of its updates: float32 for narrower variables, else its own."""
    return variable.dtype if variable.dtype.size >= tf.float32.size else tf.float32


def _hidden(number: int, *read: tf.Tensor) -> list[tf.Tensor]:
    """The tensors, behind a barrier to XLA's optimizations, which would merge barriers of one order into one."""
    order = [*range(number, len(read)), *range(number)]
    barrier: Any = optimization_barrier(*(read[place] for place in order))
    behind = dict(zip(order, barrier, strict=True))
    return [behind[place] for place in range(len(read))]


def _check_variable(name: Any, variable: Any, taken: Mapping[str, _Assignment]) -> None:
    if not isinstance(name, str) or not isinstance(variable, tf.Variable):
        raise InputError(f"Optimizer needs a mapping from name to tf.Variable, found {name!r}: {type(variable)}.")
    if not variable.dtype.is_floating:
        raise InputError(f"Variable {name!r} must be of a real floating dtype, found {variable.dtype.name}.")
    if not variable.trainable:
        raise InputError(f"Variable {name!r} was made with trainable=False: a tape gives no gradient for it.")
    if name in taken:
        raise InputError(f"The name {name!r} is given to two variables; each needs a name of its own.")
    for other, assignment in taken.items():
        if assignment.variable is variable:
            raise InputError(f"{other!r} and {name!r} are the same variable; it can be updated by one rule only.")


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


def _check_gradient(name: str, gradient: Any, variable: tf.Variable) -> None:
    if gradient is None:
        raise InputError(f"The gradient of {name!r} is None: the cost does not depend on that variable.")
    if isinstance(gradient, tf.IndexedSlices):
        raise InputError(
            f"The gradient of {name!r} is sparse (tf.IndexedSlices, as tf.gather gives) and the rules are dense: "
            "pass tf.convert_to_tensor(gradient), or look rows up by a product with tf.one_hot."
        )
    if not tf.is_tensor(gradient):
        raise InputError(f"The gradient of {name!r} must be a tensor, found {gradient!r}.")
    if not variable.shape.is_compatible_with(gradient.shape):
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
