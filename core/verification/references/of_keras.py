"""Keras's optimizers as references."""

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ...errors import InputError
from ...keras_names import AROUND_THE_RULE, SLOTS
from .reference import Reference, Slots, construction_named


class Keras(Reference):
    """keras.optimizers, called eagerly."""

    package, dialect, narrow_settings = "keras", "keras", True
    constructor = "keras.optimizers.{Rule}({settings})"
    settings: ClassVar = {}
    slots: ClassVar = SLOTS

    def _build(self, settings: dict[str, Any]) -> None:
        import keras

        self._take(getattr(keras.optimizers, self.spelled(self.rule))(**settings))

    def _take(self, optimizer: Any) -> None:
        import keras

        self._optimizer, self._x = optimizer, tf.Variable(tf.zeros(self.size, self.dtype))
        floatx = keras.config.floatx()
        keras.config.set_floatx(self.dtype.name)
        try:
            optimizer.build([self._x])
        finally:
            keras.config.set_floatx(floatx)
        self._slots = {ours: getattr(optimizer, theirs)[0] for ours, theirs in self.slot_names.items()}

    def first(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self._slots.items()}

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        self._x.assign(tf.zeros_like(self._x))
        self._optimizer.iterations.assign(t - 1)
        for name, variable in self._slots.items():
            variable.assign(slots[name])
        self._optimizer.apply([tf.constant(g)], [self._x])
        return {"delta": -self._x.numpy(), **self.first()}

    @classmethod
    def of(cls, optimizer: Any, dtype: Any, size: int) -> "Keras":
        """A copy of somebody's own Keras optimizer. Raises InputError for one of another class."""
        import keras

        rule = keras_rule(optimizer)
        self = cls.__new__(cls)
        self.rule, self.dtype, self.size, self.slot_names = rule, np.dtype(dtype), size, cls.slots[rule]
        with construction_named("A copy of the Keras optimizer"):
            self._take(keras.optimizers.deserialize(keras.optimizers.serialize(optimizer)))
        return self


def keras_rule(optimizer: Any) -> str:
    """The rule that a Keras optimizer computes: "adam", "adagrad", "adadelta" or "sgd".

    Raises InputError for what is no Keras optimizer, or one that does more than its rule.
    """
    import keras

    classes = {getattr(keras.optimizers, Keras.spelled(name)): name for name in SLOTS}
    if type(optimizer) not in classes:
        known = ", ".join(sorted(kind.__name__ for kind in classes))
        raise InputError(f"A Keras optimizer must be one of {known}, found {optimizer!r}.")
    config = optimizer.get_config()
    if given := [name for name in AROUND_THE_RULE if config.get(name)]:
        raise InputError(f"The Keras optimizer must be its rule alone, found {given[0]} = {config[given[0]]!r}.")
    return classes[type(optimizer)]


def keras_settings(optimizer: Any) -> dict[str, float]:
    """The settings of a Keras optimizer by our rules' names; its learning rate as it is now.

    Raises InputError for a learning rate that is no number.
    """
    config = optimizer.get_config()
    if not isinstance(config["learning_rate"], float | int):
        raise InputError("The learning rate of the Keras optimizer must be a number here, found a schedule.")
    names = ("beta_1", "beta_2", "rho", "epsilon", "initial_accumulator_value")
    return {"learning_rate": float(optimizer.learning_rate)} | {n: float(config[n]) for n in names if n in config}
