"""Any rule as a keras.optimizers.Optimizer, and a running Keras optimizer as one of ours.

`import core` leaves Keras alone: this module is imported by name, also before a model saved with it is loaded.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule
from keras.src.utils.naming import auto_name  # private: adam, adam_1, …, as Keras's own optimizers are called

from ..engine.checks import check_sparse, check_step, first_slots
from ..engine.optimizer import Optimizer, Variables, global_norm, parameter, slot_dtype
from ..engine.sparse import Occurrences, Sparse, updated
from ..errors import InputError
from ..mistakes import mistakes_in
from ..rules import RULES, At, Rule, named, refilled
from ..verification.cards import FORMULAS
from ..verification.libraries import Keras


class StepSchedule(LearningRateSchedule):
    """A schedule as rules take it, rate(steps taken before), in the form that Keras reads.

    Keras gives its schedules the number of batches; where it accumulates gradients, `batches_per_step` make one step.
    """

    def __init__(self, schedule: Callable[[Any], Any], batches_per_step: int = 1):
        self.schedule = schedule
        self.batches_per_step = batches_per_step

    def __call__(self, step: Any) -> tf.Tensor:
        rate = self.schedule(tf.cast(tf.convert_to_tensor(step) // self.batches_per_step, tf.float64))
        return rate if tf.is_tensor(rate) else tf.constant(rate, tf.float64)


@keras.saving.register_keras_serializable("rawstep")
class KerasOptimizer(keras.optimizers.Optimizer):
    """Any update rule as a Keras optimizer, for `compile` and `fit`, with `jit_compile` or without.

        model.compile(KerasOptimizer(Adam.dialect("keras")), loss="sparse_categorical_crossentropy")

    Computes θ ← θ − Δ, where Δ is what `rule.update` returns at t = iterations + 1. The slots start as `rule.slots`
    says, in the variable's dtype, or in float32 for narrower variables, of which a float32 master is kept as
    `core.Optimizer` keeps it; θ − Δ is computed there.

    The learning rate becomes Keras's: a variable of floatx that starts at the rule's number and that callbacks may set;
    the rule's schedule, one of keras.optimizers.schedules or a function of the number of steps taken before; or a
    function without arguments, which is called at each step.

    sparse:  how gradients that are tf.IndexedSlices count, see `core.engine.sparse.Sparse`; as Keras's own optimizers
             count them, each occurrence of a row by itself, unless given. Clipping comes first, and is Keras's:
             `clipvalue` clips each occurrence before any are added up, the norms are those of all occurrences.
    options: what Keras does around a step, by Keras's names: weight_decay, clipnorm, clipvalue, global_clipnorm,
             use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps.

    A `.keras` file holds the rule's name (module:Class for a user's own), its settings, the slots and the iterations.

    As with Keras's own, variables that are not trainable or not of a floating dtype may be among those it is built
    with, and get no gradient.

    Raises InputError for what is no rule, options or a learning rate that Keras refuses, and another backend of Keras;
    from `build` for slots and settings that `core.Optimizer` refuses, and for slots that start from the parameter's
    value in a model that is built only while it trains; and on saving for what a file cannot hold: a tensor among the
    settings, a schedule that is a function, a rule's class that does not stand at the top of a module.
    """

    def __init__(self, rule: Rule, name: str | None = None, *, sparse: Sparse = "occurrences", **options: Any):
        if keras.backend.backend() != "tensorflow":
            raise InputError(f"KerasOptimizer needs Keras's tensorflow backend, found {keras.backend.backend()}.")
        if not isinstance(rule, Rule):
            raise InputError(f"KerasOptimizer needs a rule, such as Adam(), found {rule!r}.")
        check_sparse(sparse)
        rate: Any = rule.learning_rate
        try:
            if not callable(rate):
                rate = float(rate)
            elif not isinstance(rate, LearningRateSchedule) and _takes_steps(rate):
                rate = StepSchedule(rate, options.get("gradient_accumulation_steps") or 1)
            super().__init__(learning_rate=rate, name=name or auto_name(type(rule).__name__), **options)
        except (TypeError, ValueError) as error:
            raise InputError(f"Keras cannot take this learning rate or these options: {error}") from error
        self.rule = rule
        self.sparse: Sparse = sparse
        self._norm: Any = None

    def build(self, variables: list[Any]) -> None:
        """Creates the slots of each variable, as Keras's variables; none where a variable is refused."""
        if self.built:
            return
        with tf.init_scope():  # `fit` builds inside a tf.function, where neither θ nor the slots would have a value
            firsts = [self._first_slots(v) for v in variables]
            super().build(variables)
            self._slots = [
                {slot: self._new_variable(v, slot, first) for slot, first in slots.items()}
                for v, slots in zip(variables, firsts, strict=True)
            ]
            self._masters = [
                self._new_variable(v, "master", np.zeros(v.shape)) if _is_narrow(v) else None for v in variables
            ]

    def _first_slots(self, variable: Any) -> dict[str, Any]:
        """The slots' values before the first step, by name; none for a variable that can have no gradient."""
        dtype = tf.as_dtype(variable.dtype)
        if not dtype.is_floating or self._overwrite_variable_with_gradient(variable):
            return {}
        name, raw, rule = _name(variable), _raw(variable), self.rule
        if callable(rule.learning_rate) and not _takes_steps(rule.learning_rate):
            rate: Any = rule.learning_rate()
            rule = replace(rule, learning_rate=float(rate))

        def slots(x: Any) -> dict[str, Any]:
            wide = slot_dtype(raw)
            return {slot: of.numpy() for slot, of in named(first_slots(name, rule, tf.cast(x, wide))).items()}

        if raw.is_initialized():
            return slots(raw)
        first, other = slots(tf.zeros(raw.shape)), slots(tf.ones(raw.shape))
        for slot, value in first.items():
            if not np.array_equal(value, other[slot], equal_nan=True):
                raise InputError(
                    f"{type(self.rule).__name__} on {name!r}: slot {slot} starts from the parameter, which has no "
                    "value yet: build the model before it trains, by keras.Input or model.build(shape)."
                )
        return first

    def _new_variable(self, variable: Any, name: str, first: Any) -> Any:
        """As Keras's add_variable_from_reference makes one, but wide, and of any shape."""
        dtype = slot_dtype(_raw(variable)).name
        initializer: Any = keras.initializers.Constant(first)
        return self.add_variable(first.shape, initializer, dtype, name=f"{_name(variable)}_{name}")

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """As Keras has it, for the option weight_decay. Raises InputError where the decay is the rule's own."""
        if getattr(self.rule, "weight_decay", 0.0) != 0.0:
            raise InputError(
                f"{type(self.rule).__name__} decays every variable: to exclude some, give Adam and the option "
                "weight_decay."
            )
        super().exclude_from_weight_decay(var_list, var_names)

    def _distributed_tf_update_step(self, distribution: Any, grads_and_vars: Any, learning_rate: Any) -> None:
        """Keras's loop over the variables, of gradients that are those of all replicas; their norm comes first."""
        self._norm = global_norm(gradient for gradient, _ in grads_and_vars) if self.rule.NEEDS_NORM else None
        super()._distributed_tf_update_step(distribution, grads_and_vars, learning_rate)
        self._norm = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Assigns one variable, its slots and its master; Keras calls it for each variable of a step."""
        index, dtype = self._get_variable_index(variable), slot_dtype(variable)
        held, master = self._slots[index], self._masters[index]
        x = parameter(variable, master)
        at = At(tf.cast(tf.convert_to_tensor(self.iterations), tf.float64) + 1, self._norm)
        rule = replace(self.rule, learning_rate=tf.convert_to_tensor(learning_rate))
        slots = refilled(rule.first(x), {slot: tf.convert_to_tensor(value) for slot, value in held.items()})
        if isinstance(gradient, tf.IndexedSlices):
            g: Any = Occurrences(tf.cast(gradient.values, dtype), gradient.indices, variable.shape[0])
        else:
            # A layer may make a gradient of which the graph does not know the shape.
            g = tf.ensure_shape(tf.cast(tf.convert_to_tensor(gradient), dtype), variable.shape)
        with mistakes_in(rule):
            step = updated(rule, g, slots, x, at, self.sparse)
            check_step(rule, _name(variable), step, slots, variable.shape, dtype)
        step = step.completed(x)
        self.assign(variable, step.x)
        if master is not None:
            self.assign(master, step.x)
        for slot, value in named(step.slots).items():
            self.assign(held[slot], value)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` rebuilds the optimizer from; see the class for what is refused."""
        rate = self._learning_rate
        if isinstance(rate, StepSchedule):
            raise InputError(
                "The learning rate is a function of the step, which no file holds: use one of "
                "keras.optimizers.schedules, or a LearningRateSchedule of your own."
            )
        settings = {field.name: getattr(self.rule, field.name) for field in fields(self.rule)}
        if callable(settings["learning_rate"]):
            del settings["learning_rate"]  # Keras's part of the config has it
        for setting, value in settings.items():
            if not isinstance(value, float | int | str | None):
                raise InputError(f"{type(self.rule).__name__}: {setting} cannot be saved, found {value!r}.")
        kind = type(self.rule)
        name = {known: name for name, known in RULES.items()}.get(kind, f"{kind.__module__}:{kind.__qualname__}")
        _class_named(name)  # what would not be found again is refused now
        return {**super().get_config(), "sparse": self.sparse, "rule": name, "settings": settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> "KerasOptimizer":
        """The optimizer that `get_config` described, without its slots.

        Raises InputError for a rule of the user's whose module is not imported, and for settings that a rule lacks.
        """
        config = dict(config)
        name, settings, rate = config.pop("rule"), dict(config.pop("settings")), config.pop("learning_rate")
        if isinstance(rate, dict):
            settings["learning_rate"] = keras.saving.deserialize_keras_object(rate, custom_objects)
        try:
            optimizer = cls(_class_named(name)(**settings), **config)
        except TypeError as error:
            raise InputError(f"The rule {name!r} cannot be built from its saved settings: {error}.") from error
        if not isinstance(rate, dict):
            optimizer.learning_rate = rate  # which may have been set since
        return optimizer


def take_over(keras_optimizer: keras.optimizers.Optimizer, variables: Variables, rule: Rule | None = None) -> Optimizer:
    """Our optimizer in the state of a running Keras one, to go on where Keras stopped.

        variables = {variable.path: variable.value for variable in model.trainable_variables}
        Program(cost, variables, take_over(model.optimizer, variables))

    keras_optimizer: one of keras.optimizers whose rule is here, or a KerasOptimizer, after `build`; left as it is.
    variables:       all that it trains: the tf.Variable that Keras calls the value of each, by names of your own.
    rule:            what goes on from these slots. Where none is given, the Keras dialect with the settings found, or
                     the KerasOptimizer's own rule, at the present learning rate or by Keras's schedule.

    The step counter becomes Keras's iterations. Slots are copied to the bit, into float32 where Keras's are narrower,
    and so are the masters of a KerasOptimizer's narrow variables.
    In float64, Keras takes β^t of β in float32 and we do not: with β2 = 0.999 that parts the two by 1e-5 of a step.

    Raises InputError for another class of optimizer; one that is not built, or does more than its rule (weight decay
    that is no part of it, clipping, averages of weights, loss scaling, accumulated gradients, constraints); a learning
    rate that is a function without arguments; variables that are not the optimizer's, or not all of them; a rule with
    other slots.
    """
    ours, theirs = (isinstance(keras_optimizer, kind) for kind in (KerasOptimizer, keras.optimizers.Optimizer))
    if not ours and (not theirs or Keras.rule_of(keras_optimizer) is None):
        there = dict.fromkeys(Keras.spelled(rule).name for rule in RULES if Keras.has(rule))
        raise InputError(
            f"take_over needs Keras's own {', '.join(there)}, with a rule of rawstep's, or a KerasOptimizer, "
            f"found {_described(keras_optimizer)}."
        )
    for option, value in _options(keras_optimizer).items():
        raise InputError(f"take_over carries the rule alone: {option} must be off, found {value!r}.")
    if not keras_optimizer.built:
        raise InputError("The Keras optimizer has no slots yet: train a step with it, or call its build(variables).")
    if not isinstance(variables, Mapping):
        raise InputError(f"take_over needs a mapping from name to tf.Variable, found {type(variables).__name__}.")
    trained, slots = keras_optimizer._trainable_variables, _slots(keras_optimizer)
    if constrained := [_name(variable) for variable in trained if variable.constraint is not None]:
        raise InputError(f"take_over carries the rule alone, found constraints on: {', '.join(constrained)}.")
    held = {id(_raw(variable)): slots for variable, slots in zip(trained, slots, strict=True)}
    given = {id(variable): name for name, variable in variables.items()}
    strangers = [name for key, name in given.items() if key not in held]
    missing = [_name(variable) for variable in trained if id(_raw(variable)) not in given]
    if strangers or missing:
        raise InputError(
            "take_over needs the tf.Variable behind each variable that the Keras optimizer trains, its value; "
            f"not among them: {', '.join(strangers) or 'none'}; missing: {', '.join(missing) or 'none'}."
        )
    optimizer = Optimizer(_rule(keras_optimizer) if rule is None else rule, variables)
    for name, slots in optimizer.slots.items():
        found = held[id(variables[name])]
        if slots.keys() != found.keys():
            raise InputError(f"The rule must have the slots {', '.join(found)}, found {', '.join(slots) or 'none'}.")
        for slot, variable in slots.items():
            variable.assign(tf.cast(found[slot], variable.dtype))
    for variable, master in zip(trained, getattr(keras_optimizer, "_masters", ()), strict=False):
        if master is not None:
            optimizer.masters[given[id(_raw(variable))]].assign(master)
    optimizer.step.assign(keras_optimizer.iterations)
    return optimizer


def _slots(optimizer: Any) -> list[dict[str, Any]]:
    """For each variable that the optimizer trains, Keras's variables that hold the slots, by our names."""
    if isinstance(optimizer, KerasOptimizer):
        return optimizer._slots
    rule = Keras.rule_of(optimizer)
    assert rule is not None, "another class was refused"
    formula = FORMULAS[rule]["keras"].given(Keras.settings_of(optimizer))
    attributes = {slot: Keras.spelled(rule).slots[slot] for slot in formula.slots}
    count = len(optimizer._trainable_variables)
    return [{ours: getattr(optimizer, theirs)[i] for ours, theirs in attributes.items()} for i in range(count)]


def _described(optimizer: Any) -> str:
    """The optimizer's class, with what it does beside a rule."""
    found = Keras.options_of(optimizer) if isinstance(optimizer, keras.optimizers.Optimizer) else {}
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value!r}' for name, value in found.items())})"


def _options(optimizer: Any) -> dict[str, Any]:
    """By which the optimizer does more than its rule, as Keras calls them."""
    if isinstance(optimizer, KerasOptimizer):
        return {name: value for name in Keras.around if (value := getattr(optimizer, name, None))}
    return Keras.options_of(optimizer)


def _rule(optimizer: Any) -> Rule:
    """The rule that the optimizer computes, at the learning rate that it has now."""
    rate = optimizer._learning_rate
    if isinstance(rate, keras.Variable):
        rate = float(rate.numpy())
    elif isinstance(rate, StepSchedule):
        rate = rate.schedule
    elif isinstance(rate, LearningRateSchedule):
        schedule, rate = rate, lambda step: schedule(tf.cast(step, tf.int64))  # as Keras counts
    else:
        raise InputError(f"The learning rate must be a number or a schedule to be taken over, found {rate!r}.")
    if isinstance(optimizer, KerasOptimizer):
        return replace(optimizer.rule, learning_rate=rate)
    rule = Keras.rule_of(optimizer)
    assert rule is not None, "another class was refused"
    return RULES[rule].dialect("keras", **Keras.settings_of(optimizer) | {"learning_rate": rate})


def _takes_steps(rate: Callable[..., Any]) -> bool:
    """Whether a function is a schedule, of the steps taken before, and not one that is called anew at each step."""
    return isinstance(rate, LearningRateSchedule) or bool(inspect.signature(rate).parameters)


def _is_narrow(variable: Any) -> bool:
    dtype = tf.as_dtype(variable.dtype)
    return dtype.is_floating and dtype != slot_dtype(_raw(variable))


def _raw(variable: Any) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def _name(variable: Any) -> str:
    """The variable's path, as Keras spells it in the name of a slot."""
    return getattr(variable, "path", variable.name).replace("/", "_").replace(":", "_")


def _class_named(name: str) -> type[Rule]:
    """A rule's class; no file decides which module is imported, as Keras has it for its own custom objects."""
    module, _, attribute = name.partition(":")
    found = RULES.get(name) or getattr(sys.modules.get(module), attribute, None)
    if not (isinstance(found, type) and issubclass(found, Rule)):
        raise InputError(
            f"There is no rule {name!r}: a rule of your own must stand at the top of a module that is imported before "
            "a model is loaded."
        )
    return found
