"""Any rule, or a chain of a rule and pieces around it, as a keras.optimizers.Optimizer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule
from keras.src.utils.naming import auto_name  # private: adam, adam_1, …, as Keras's own optimizers are called

from ..engine.checks import check_sparse, check_step, first_slots
from ..engine.masters import parameter, slot_dtype
from ..engine.reductions import global_norm
from ..engine.sparse import Occurrences, Sparse, updated
from ..errors import InputError
from ..mistakes import mistakes_in
from ..rules import At, Average, Chain, DecoupledDecay, Rule, named, refilled
from .keras_files import read, written
from .keras_pieces import decays, pieces_of, refuse_twice
from .keras_schedule import StepSchedule, takes_steps


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
    options: what Keras itself does around a step, by its names: weight_decay, clipnorm, clipvalue, global_clipnorm,
             use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps.

    The rule may be a chain, `chain(ClipByNorm(1.0), Adam.dialect("keras"), Average(0.99))`, and then its pieces do what
    they say once a step: on gradients that are the mean of those accumulated and the sum of those of all replicas; with
    the norm of dense gradients. Masks ask by Keras's paths, "sequential/dense/kernel". Keras's own options clip the
    gradients of each replica, and average after each batch even where several make a step. What a piece does, no
    option may do once more. At the end of `fit`, or where `finalize_variable_values` is called, the averages of an
    `Average` are written over the variables; SwapEMAWeights may use them before, where it averages all of them.

    A `.keras` file holds the names of the rule and the pieces (module:Class for a user's own), their settings and
    masks, the slots and the iterations.

    As with Keras's own, variables that are not trainable or not of a floating dtype may be among those it is built
    with, and get no gradient.

    Raises InputError for what is no rule, options or a learning rate that Keras refuses, and another backend of Keras;
    from `build` for slots and settings that `core.Optimizer` refuses, and for slots that start from the parameter's
    value in a model that is built only while it trains; and on saving for what a file cannot hold: a tensor among the
    settings, a schedule or a mask that is a function, a class that does not stand at the top of a module.
    """

    def __init__(self, rule: Rule, name: str | None = None, *, sparse: Sparse = "occurrences", **options: Any):
        if keras.backend.backend() != "tensorflow":
            raise InputError(f"KerasOptimizer needs Keras's tensorflow backend, found {keras.backend.backend()}.")
        if not isinstance(rule, Rule):
            raise InputError(f"KerasOptimizer needs a rule, such as Adam(), found {rule!r}.")
        check_sparse(sparse)
        refuse_twice(rule, options)
        rate: Any = rule.learning_rate
        try:
            if not callable(rate):
                rate = float(rate)
            elif not isinstance(rate, LearningRateSchedule) and takes_steps(rate):
                rate = StepSchedule(rate, options.get("gradient_accumulation_steps") or 1)
            super().__init__(learning_rate=rate, name=name or auto_name(_title(rule)), **options)
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
                self._new_variable(v, "master", np.zeros(v.shape)) if is_narrow(v) else None for v in variables
            ]
            names = [name for name, part in _parts(self.rule) if isinstance(part, Average)]
            if names and all(f"{names[-1]}.average" in slots for slots in self._slots):
                # Keras's own name, by which keras.callbacks.SwapEMAWeights finds them.
                self._model_variables_moving_average = [slots[f"{names[-1]}.average"] for slots in self._slots]

    def _first_slots(self, variable: Any) -> dict[str, Any]:
        """The slots' values before the first step, by name; none for a variable that can have no gradient."""
        dtype = tf.as_dtype(variable.dtype)
        if not dtype.is_floating or self._overwrite_variable_with_gradient(variable):
            return {}
        name, raw, rule = spelled(variable), raw_of(variable), self._rule_of(variable)
        if callable(rule.learning_rate) and not takes_steps(rule.learning_rate):
            rate: Any = rule.learning_rate()
            rule = replace(rule, learning_rate=float(rate))

        def slots(x: Any) -> dict[str, Any]:
            wide = slot_dtype(raw)
            return {slot: of.numpy() for slot, of in named(first_slots(name, rule, tf.cast(x, wide))).items()}

        if raw.is_initialized():
            return slots(raw)
        first, other = slots(tf.zeros(raw.shape)), slots(tf.ones(raw.shape))
        copied = [
            f"{part}.average" for part, of in _parts(rule) if isinstance(of, Average) and of.first_step == "copies"
        ]
        for slot, value in first.items():
            if slot not in copied and not np.array_equal(value, other[slot], equal_nan=True):
                raise InputError(
                    f"{type(self.rule).__name__} on {name!r}: slot {slot} starts from the parameter, which has no "
                    "value yet: build the model before it trains, by keras.Input or model.build(shape)."
                )
        return first

    def _rule_of(self, variable: Any) -> Rule:
        """The rule with those of its pieces that act on a variable."""
        return self.rule.for_variable(path_of(variable), len(variable.shape))

    def _at_rate(self, variable: Any, rate: Any) -> Rule:
        rule = replace(self.rule, learning_rate=tf.convert_to_tensor(rate))
        return rule.for_variable(path_of(variable), len(variable.shape))

    def _new_variable(self, variable: Any, name: str, first: Any) -> Any:
        """As Keras's add_variable_from_reference makes one, but wide, and of any shape."""
        dtype = slot_dtype(raw_of(variable)).name
        initializer: Any = keras.initializers.Constant(first)
        return self.add_variable(first.shape, initializer, dtype, name=f"{spelled(variable)}_{name}")

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """As Keras has it, for the option weight_decay. Raises InputError where the decay is the rule's own."""
        if any(isinstance(piece, DecoupledDecay) for piece in pieces_of(self.rule)):
            raise InputError("DecoupledDecay itself says which variables decay: give it where=….")
        if decays(self.rule):
            raise InputError(
                f"{type(self.rule).__name__} decays every variable: to exclude some, give Adam and the option "
                "weight_decay."
            )
        super().exclude_from_weight_decay(var_list, var_names)

    def _distributed_tf_update_step(self, distribution: Any, grads_and_vars: Any, learning_rate: Any) -> None:
        """Keras's loop over the variables, of gradients that are those of all replicas; their norm comes first."""
        if self.rule.reads_norm:  # all replicas have the same sum
            self._norm = global_norm(distribution.experimental_local_results(g)[0] for g, _ in grads_and_vars)
        super()._distributed_tf_update_step(distribution, grads_and_vars, learning_rate)
        self._norm = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Assigns one variable, its slots and its master; Keras calls it for each variable of a step."""
        index, dtype = self._get_variable_index(variable), slot_dtype(variable)
        held, master = self._slots[index], self._masters[index]
        x = parameter(variable, master)
        at = At(tf.cast(tf.convert_to_tensor(self.iterations), tf.float64) + 1, self._norm)
        rule = self._at_rate(self._trainable_variables[index], learning_rate)
        slots = refilled(rule.first(x), {slot: tf.convert_to_tensor(value) for slot, value in held.items()})
        if isinstance(gradient, tf.IndexedSlices):
            g: Any = Occurrences(tf.cast(gradient.values, dtype), gradient.indices, variable.shape[0])
        else:
            # A layer may make a gradient of which the graph does not know the shape.
            g = tf.ensure_shape(tf.cast(tf.convert_to_tensor(gradient), dtype), variable.shape)
        with mistakes_in(rule):
            step = updated(rule, g, slots, x, at, self.sparse)
            check_step(rule, spelled(variable), step, slots, variable.shape, dtype)
        step = step.completed(x)
        self.assign(variable, step.x)
        if master is not None:
            self.assign(master, step.x)
        for slot, value in named(step.slots).items():
            self.assign(held[slot], value)

    def finalize_variable_values(self, var_list: list[Any]) -> None:
        """Writes what the rule serves over the variables, such as averages: Keras calls it at the end of `fit`.

        Keras's own option use_ema does the same with its own averages.
        """
        super().finalize_variable_values(var_list)
        for variable in var_list if any(isinstance(piece, Average) for piece in pieces_of(self.rule)) else ():
            index = self._get_variable_index(variable)
            if not self._slots[index]:
                continue
            x, held = parameter(variable, self._masters[index]), self._slots[index]
            rule = self._at_rate(self._trainable_variables[index], self.learning_rate)
            found = refilled(rule.first(x), {slot: tf.convert_to_tensor(value) for slot, value in held.items()})
            for target in (variable, self._masters[index]):
                if target is not None:
                    self.assign(target, rule.served(x, found))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` rebuilds the optimizer from; see the class for what is refused."""
        rate = self._learning_rate
        if isinstance(rate, StepSchedule):
            raise InputError(
                "The learning rate is a function of the step, which no file holds: use one of "
                "keras.optimizers.schedules, or a LearningRateSchedule of your own."
            )
        return {**super().get_config(), "sparse": self.sparse, **written(self.rule)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> "KerasOptimizer":
        """The optimizer that `get_config` described, without its slots.

        Raises InputError for a class of the user's whose module is not imported, and for settings that a class lacks.
        """
        config = dict(config)
        rate = config["learning_rate"]
        optimizer = cls(read(config, custom_objects), **config)
        if not isinstance(rate, dict):
            optimizer.learning_rate = rate  # which may have been set since
        return optimizer


def _title(rule: Rule) -> str:
    """The name of the rule's class; in a chain, of the rule in the middle."""
    return _title(rule.rule) if isinstance(rule, Chain) else type(rule).__name__


def _parts(rule: Rule) -> Any:
    return rule.parts if isinstance(rule, Chain) else ()


def is_narrow(variable: Any) -> bool:
    dtype = tf.as_dtype(variable.dtype)
    return dtype.is_floating and dtype != slot_dtype(raw_of(variable))


def raw_of(variable: Any) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def path_of(variable: Any) -> str:
    """Keras's path, "sequential/dense/kernel"; of a tf.Variable, its name."""
    return getattr(variable, "path", variable.name)


def spelled(variable: Any) -> str:
    """The variable's path, as Keras spells it in the name of a slot."""
    return path_of(variable).replace("/", "_").replace(":", "_")
