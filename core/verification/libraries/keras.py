"""Keras's optimizers as references."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from .reference import Library, Slots


class Keras(Library):
    """keras.optimizers, as a graph, as `fit` calls them; or operation by operation where not `compiled`."""

    name, package, dialect, narrow_settings = "keras", "keras", "keras", True
    constructor = "keras.optimizers.{name}({settings})"
    module = "optimizers"
    around = (
        "amsgrad", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "loss_scale_factor",
        "gradient_accumulation_steps", "momentum", "nesterov", "centered",
    )  # fmt: skip
    compiled = True

    @classmethod
    def configuration(cls, optimizer: Any) -> dict[str, Any]:
        """Its configuration; the learning rate as it is now, or the schedule or function that it follows.

        Keras would write a schedule down, which not every one can be.
        """
        rate, shown = optimizer._learning_rate, object.__new__(type(optimizer))
        vars(shown).update(vars(optimizer), _learning_rate=0.0)
        return {**shown.get_config(), "learning_rate": rate if callable(rate) else float(optimizer.learning_rate)}

    @classmethod
    def options_of(cls, optimizer: Any) -> dict[str, Any]:
        excluded = ("_exclude_from_weight_decay_pattern", "_exclude_from_weight_decay")  # in no configuration
        found = next((value for name in excluded if (value := getattr(optimizer, name, None))), None)
        return super().options_of(optimizer) | ({"exclude_from_weight_decay": found} if found else {})

    @classmethod
    def _copied(cls, kind: Any, configuration: Mapping[str, Any]) -> Any:
        return kind.from_config(configuration)

    def _build(self, settings: dict[str, Any]) -> None:
        self._hold(self.named(self.spelling.name)(**settings))

    def _hold(self, optimizer: Any) -> None:
        import keras

        self._optimizer = optimizer
        self._x = {name: tf.Variable(tf.zeros(shape, self.dtype)) for name, shape in self.layout.shapes.items()}
        self._before_building(optimizer)
        floatx = keras.config.floatx()
        keras.config.set_floatx(self.dtype.name)
        try:
            optimizer.build(list(self._x.values()))
        finally:
            keras.config.set_floatx(floatx)
        if not self.rule:
            self.slot_names = {name: name for name, value in vars(optimizer).items() if self._is_slot(value)}
        found = {ours: getattr(optimizer, theirs) for ours, theirs in self.slot_names.items()}
        self._slots = {
            ours: of if isinstance(of, list) else [of] * len(self._x) for ours, of in found.items()
        }  # one variable for all tensors: of one number
        held = {id(variable) for variables in self._slots.values() for variable in variables}
        held |= {id(optimizer.iterations), id(getattr(optimizer, "_learning_rate", None))}
        rest = [variable.path for variable in optimizer.variables if id(variable) not in held]
        self._rest = rest
        # A partial: TensorFlow counts retracings by code, and would warn of many copies of one method.
        self._apply = tf.function(partial(self._applied), autograph=False) if self.compiled else self._applied

    def _before_building(self, optimizer: Any) -> None:
        """Whatever is set before an optimizer is built for its variables, which are there."""

    def _is_slot(self, value: Any) -> bool:
        """Whether an attribute is a number, or holds a variable for each parameter and is not the list of these."""
        shapes, optimizer = list(self.layout.shapes.values()), self._optimizer
        if any(value is one for one in optimizer.variables) and value is not getattr(optimizer, "_learning_rate", None):
            return tuple(value.shape) == () and "float" in value.dtype
        if not isinstance(value, list) or len(value) != len(shapes):
            return False
        if any(one is mine for one, mine in zip(value, self._x.values(), strict=True)):
            return False
        return [tuple(getattr(one, "shape", (-1,))) for one in value] == shapes

    def first(self) -> dict[str, np.ndarray]:
        tensors = list(self.layout.places)
        return {
            name: self.layout.joined({t: v.numpy() for t, v in zip(tensors, variables, strict=True)})
            for name, variables in self._slots.items()
        }

    def _applied(self, gradients: list[tf.Tensor]) -> None:
        self._optimizer.apply(gradients, list(self._x.values()))

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        for name, part in self.layout.split(x).items():
            self._x[name].assign(part)
        if not self._continues(t, slots):
            self._optimizer.iterations.assign(t - 1)
            for name, variables in self._slots.items():
                for variable, part in zip(variables, self.layout.split(slots[name]).values(), strict=True):
                    variable.assign(part if len(variable.shape) else part.ravel()[0])
        self._apply([tf.constant(part) for part in self.layout.split(g).values()])
        x = self.layout.joined({name: v.numpy() for name, v in self._x.items()})
        return {"x": x, **self._went(t, self.first())}
