"""TensorFlow 1's optimizers as references: their kernels, and themselves in a Session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from .reference import Reference, Slots


class TF1Kernel(Reference):
    """The kernels of tf.compat.v1.train's optimizers, tf.raw_ops.ResourceApply…; β^t is a running product, as there."""

    package, dialect = "tensorflow", "tf1"
    constructor = "tf.raw_ops.ResourceApply{Rule}"
    names: ClassVar = {"sgd": "GradientDescent"}
    settings: ClassVar = {}
    slots: ClassVar = {
        "adam": {"m": "m", "v": "v"},
        "adagrad": {"a": "accum"},
        "adadelta": {"mean_g2": "accum", "mean_dx2": "accum_update"},
        "sgd": {},
    }
    defaults: ClassVar = {
        "adam": dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
        "adagrad": dict(initial_accumulator_value=0.1),
        "adadelta": dict(learning_rate=1e-3, rho=0.95, epsilon=1e-8),
        "sgd": {},
    }

    def _build(self, settings: dict[str, Any]) -> None:
        self._settings = {
            name: tf.constant(value, self.dtype) for name, value in {**self.defaults[self.rule], **settings}.items()
        }
        self._x = tf.Variable(tf.zeros(self.layout.size, self.dtype))
        self._slots = {name: tf.Variable(tf.constant(value)) for name, value in self.first().items()}

    def first(self) -> dict[str, np.ndarray]:
        value = self._settings.get("initial_accumulator_value", tf.zeros([], self.dtype)).numpy()
        return {name: np.full(self.layout.size, value, self.dtype) for name in self.slot_names}

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        self._x.assign(x)
        for name, variable in self._slots.items():
            variable.assign(slots[name])
        s = self._settings
        handles = {theirs: self._slots[ours].handle for ours, theirs in self.slot_names.items()}
        call = dict(var=self._x.handle, **handles, lr=s["learning_rate"], grad=tf.constant(g))
        if self.rule == "sgd":
            call = dict(var=self._x.handle, alpha=s["learning_rate"], delta=tf.constant(g))
        elif self.rule == "adam":
            powers = (running_product(s[beta].numpy(), t) for beta in ("beta_1", "beta_2"))
            call |= dict(zip(("beta1_power", "beta2_power"), powers, strict=True))
            call |= dict(beta1=s["beta_1"], beta2=s["beta_2"], epsilon=s["epsilon"])
        elif self.rule == "adadelta":
            call |= dict(rho=s["rho"], epsilon=s["epsilon"])
        getattr(tf.raw_ops, f"ResourceApply{self.spelled(self.rule)}")(**call)
        return {"x": self._x.numpy(), **{name: variable.numpy() for name, variable in self._slots.items()}}


class TF1Session(Reference):
    """tf.compat.v1.train's optimizers in a graph of their own and a Session."""

    package, dialect, narrow_settings, narrow_powers = "tensorflow", "tf1", True, True
    constructor = "tf.compat.v1.train.{Rule}Optimizer({settings})"
    names: ClassVar = {"sgd": "GradientDescent"}
    settings: ClassVar = {"beta_1": "beta1", "beta_2": "beta2"}
    slots: ClassVar = {
        "adam": {"m": "m", "v": "v"},
        "adagrad": {"a": "accumulator"},
        "adadelta": {"mean_g2": "accum", "mean_dx2": "accum_update"},
        "sgd": {},
    }

    def _build(self, settings: dict[str, Any]) -> None:
        v1 = tf.compat.v1
        with tf.Graph().as_default() as graph, _deprecations_muted():
            optimizer = getattr(v1.train, f"{self.spelled(self.rule)}Optimizer")(**settings)
            self._x = v1.get_variable("x", initializer=np.zeros(self.layout.size, self.dtype), use_resource=True)
            self._g = v1.placeholder(self._x.dtype, [self.layout.size])
            self._apply = optimizer.apply_gradients([(self._g, self._x)])
            self._slots = {ours: optimizer.get_slot(self._x, theirs) for ours, theirs in self.slot_names.items()}
            powers = list(optimizer._get_beta_accumulators()) if self.rule == "adam" else []
            held = [self._x, *self._slots.values(), *powers]
            self._given = [v1.placeholder(variable.dtype, variable.shape) for variable in held]
            self._assign = [variable.assign(value) for variable, value in zip(held, self._given, strict=True)]
            self._session = v1.Session(graph=graph)
            self._session.run(v1.global_variables_initializer())
            self._betas = self._session.run(powers)

    def first(self) -> dict[str, np.ndarray]:
        return self._session.run(self._slots)

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        powers = [running_product(beta, t) for beta in self._betas]
        held = [x, *(slots[name] for name in self._slots), *powers]
        self._session.run(self._assign, dict(zip(self._given, held, strict=True)))
        self._session.run(self._apply, {self._g: g})
        x, slots = self._session.run((self._x, self._slots))
        return {"x": x, **slots}


def running_product(beta: Any, t: int) -> Any:
    """β·β·…·β, t factors, rounded after each: what TF1 carries along."""
    return np.multiply.reduce(np.full(t, beta))


@contextmanager
def _deprecations_muted() -> Iterator[None]:
    """TF1's optimizers call what TensorFlow advises against since; nobody can do anything about it."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
