"""TensorFlow 1's optimizers as references: their kernels, and themselves in a Session."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from .reference import Reference, Slots


class TF1Kernel(Reference):
    """The kernels of tf.compat.v1.train's optimizers, tf.raw_ops.ResourceApply…; β^t is a running product, as there."""

    name, package, dialect = "tf1-kernel", "tensorflow", "tf1"
    constructor = "tf.raw_ops.Resource{name}"
    settings: ClassVar = {"learning_rate": "lr", "beta_1": "beta1", "beta_2": "beta2"}

    def _build(self, settings: dict[str, Any]) -> None:
        self._numbers = {**self.by_their_names(self.rule, self.formula.decided), **settings}
        self._first = self.formula.first(np.zeros(self.layout.size, self.dtype))
        self._x = tf.Variable(tf.zeros(self.layout.size, self.dtype))
        self._slots = {name: tf.Variable(tf.constant(self._first[name])) for name in self.slot_names}
        self._kept = {name: tf.Variable(tf.zeros_like(self._x)) for name in self.spelling.unused}
        self._kernel = getattr(tf.raw_ops, f"Resource{self.spelling.name}")
        self._takes = inspect.signature(self._kernel).parameters

    def first(self) -> dict[str, np.ndarray]:
        return self._first

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        self._x.assign(x)
        for name, variable in self._slots.items():
            variable.assign(slots[name])
        theirs = {self.slot_names[ours]: variable for ours, variable in self._slots.items()}
        call = {name: variable.handle for name, variable in {"var": self._x, **self._kept, **theirs}.items()}
        for name, value in self._numbers.items():
            call[name] = value if isinstance(value, bool) else tf.constant(value, self.dtype)
        call[self.spelling.settings.get("g", "grad")] = tf.constant(g)
        for beta in ("beta1", "beta2"):
            if f"{beta}_power" in self._takes:
                call[f"{beta}_power"] = running_product(call[beta].numpy(), t)
        self._kernel(**{name: value for name, value in call.items() if name in self._takes})
        return {"x": self._x.numpy(), **{name: variable.numpy() for name, variable in self._slots.items()}}


class TF1Session(Reference):
    """tf.compat.v1.train's optimizers in a graph of their own and a Session."""

    name, package, dialect, narrow_settings, narrow_powers = "tf1-session", "tensorflow", "tf1", True, True
    constructor = "tf.compat.v1.train.{name}Optimizer({settings})"
    settings: ClassVar = {"beta_1": "beta1", "beta_2": "beta2"}

    def _build(self, settings: dict[str, Any]) -> None:
        v1 = tf.compat.v1
        with tf.Graph().as_default() as graph, _deprecations_muted():
            optimizer = getattr(v1.train, f"{self.spelling.name}Optimizer")(**settings)
            self._x = v1.get_variable("x", initializer=np.zeros(self.layout.size, self.dtype), use_resource=True)
            self._g = v1.placeholder(self._x.dtype, [self.layout.size])
            self._apply = optimizer.apply_gradients([(self._g, self._x)])
            self._slots = {ours: optimizer.get_slot(self._x, theirs) for ours, theirs in self.slot_names.items()}
            powers = list(getattr(optimizer, "_get_beta_accumulators", list)())
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
    """TF1's optimizers call what TensorFlow advises against since; there is no other way to call them."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
