"""Other people's implementations, each loaded only when it is asked for, behind one small interface.

All take one step from a given state and from a parameter of 0, so that the parameter afterwards is −Δ to the last
bit: one that is read back as θ before − θ after carries θ's own rounding.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ..errors import InputError
from ..keras_names import AROUND_THE_RULE, SLOTS

Slots = Mapping[str, np.ndarray]


class Reference(ABC):
    """Another implementation of a rule, on `size` parameters of one dtype.

    rule:     "adam", "adagrad" or "adadelta".
    settings: by our rules' names; what is left out is the library's own default.

    Subclasses say which package they need, which of our dialects they compute, how they are called, how they call our
    settings and slots,
    and whether they keep settings in float32 even where they compute in float64: such a reference can be asked in
    float64 about settings alone that float32 holds exactly, with their complements.
    """

    package: ClassVar[str]
    dialect: ClassVar[str]
    constructor: ClassVar[str]
    narrow_settings: ClassVar[bool] = False
    narrow_powers: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, str]]
    slots: ClassVar[Mapping[str, Mapping[str, str]]]

    def __init__(self, rule: str, settings: Mapping[str, float], dtype: Any, size: int):
        self.rule, self.dtype, self.size = rule, np.dtype(dtype), size
        self.slot_names = self.slots[rule]
        with _construction_named(f"{type(self).__name__} for {rule}"):
            self._build({self.settings.get(name, name): value for name, value in settings.items()})

    @classmethod
    def missing(cls) -> str | None:
        """The package that it needs and that is not installed, or None."""
        return None if find_spec(cls.package) else cls.package

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        """The Python that makes this optimizer with these settings, by its own names."""
        named = [f"{cls.settings.get(name, name)}={value!r}" for name, value in settings.items()]
        return cls.constructor.format(rule=rule, Rule=rule.capitalize(), settings=", ".join(named))

    @abstractmethod
    def _build(self, settings: dict[str, Any]) -> None:
        """Makes the optimizer, with settings by its own names."""

    @abstractmethod
    def first(self) -> dict[str, np.ndarray]:
        """The slots before the first step, by our names. To be asked before any step is taken."""

    @abstractmethod
    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        """Step t (from 1) for gradients g, from these slots: the update ("delta") and the new slots, by our names."""


class Keras(Reference):
    """keras.optimizers, called eagerly."""

    package, dialect, narrow_settings = "keras", "keras", True
    constructor = "keras.optimizers.{Rule}({settings})"
    settings: ClassVar = {}
    slots: ClassVar = SLOTS

    def _build(self, settings: dict[str, Any]) -> None:
        import keras

        self._take(getattr(keras.optimizers, self.rule.capitalize())(**settings))

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
        self._take(keras.optimizers.deserialize(keras.optimizers.serialize(optimizer)))
        return self


def keras_rule(optimizer: Any) -> str:
    """The rule that a Keras optimizer computes: "adam", "adagrad" or "adadelta".

    Raises InputError for what is no Keras optimizer, or one that does more than its rule.
    """
    import keras

    classes = {getattr(keras.optimizers, name.capitalize()): name for name in SLOTS}
    if type(optimizer) not in classes:
        known = ", ".join(sorted(kind.__name__ for kind in classes))
        raise InputError(f"A Keras optimizer must be one of {known}, found {optimizer!r}.")
    config = optimizer.get_config()
    if given := [name for name in AROUND_THE_RULE if config.get(name)]:
        raise InputError(f"The Keras optimizer must be its rule alone, found {given[0]} = {config[given[0]]!r}.")
    return classes[type(optimizer)]


def keras_settings(optimizer: Any) -> dict[str, float]:
    """The settings of a Keras optimizer by our rules' names; its learning rate as it is now."""
    config = optimizer.get_config()
    names = ("beta_1", "beta_2", "rho", "epsilon", "initial_accumulator_value")
    return {"learning_rate": float(optimizer.learning_rate)} | {n: float(config[n]) for n in names if n in config}


class TF1Kernel(Reference):
    """The kernels of tf.compat.v1.train's optimizers, tf.raw_ops.ResourceApply…; β^t is a running product, as there."""

    package, dialect = "tensorflow", "tf1"
    constructor = "tf.raw_ops.ResourceApply{Rule}"
    settings: ClassVar = {}
    slots: ClassVar = {
        "adam": {"m": "m", "v": "v"},
        "adagrad": {"a": "accum"},
        "adadelta": {"mean_g2": "accum", "mean_dx2": "accum_update"},
    }
    defaults: ClassVar = {
        "adam": dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
        "adagrad": dict(initial_accumulator_value=0.1),
        "adadelta": dict(learning_rate=1e-3, rho=0.95, epsilon=1e-8),
    }

    def _build(self, settings: dict[str, Any]) -> None:
        self._settings = {
            name: tf.constant(value, self.dtype) for name, value in {**self.defaults[self.rule], **settings}.items()
        }
        self._x = tf.Variable(tf.zeros(self.size, self.dtype))
        self._slots = {name: tf.Variable(tf.constant(value)) for name, value in self.first().items()}

    def first(self) -> dict[str, np.ndarray]:
        value = self._settings.get("initial_accumulator_value", tf.zeros([], self.dtype)).numpy()
        return {name: np.full(self.size, value, self.dtype) for name in self.slot_names}

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        self._x.assign(tf.zeros_like(self._x))
        for name, variable in self._slots.items():
            variable.assign(slots[name])
        s = self._settings
        handles = {theirs: self._slots[ours].handle for ours, theirs in self.slot_names.items()}
        call = dict(var=self._x.handle, **handles, lr=s["learning_rate"], grad=tf.constant(g))
        if self.rule == "adam":
            powers = (running_product(s[beta].numpy(), t) for beta in ("beta_1", "beta_2"))
            call |= dict(zip(("beta1_power", "beta2_power"), powers, strict=True))
            call |= dict(beta1=s["beta_1"], beta2=s["beta_2"], epsilon=s["epsilon"])
        elif self.rule == "adadelta":
            call |= dict(rho=s["rho"], epsilon=s["epsilon"])
        getattr(tf.raw_ops, f"ResourceApply{self.rule.capitalize()}")(**call)
        return {"delta": -self._x.numpy(), **{name: variable.numpy() for name, variable in self._slots.items()}}


class TF1Session(Reference):
    """tf.compat.v1.train's optimizers in a graph of their own and a Session."""

    package, dialect, narrow_settings, narrow_powers = "tensorflow", "tf1", True, True
    constructor = "tf.compat.v1.train.{Rule}Optimizer({settings})"
    settings: ClassVar = {"beta_1": "beta1", "beta_2": "beta2"}
    slots: ClassVar = {
        "adam": {"m": "m", "v": "v"},
        "adagrad": {"a": "accumulator"},
        "adadelta": {"mean_g2": "accum", "mean_dx2": "accum_update"},
    }

    def _build(self, settings: dict[str, Any]) -> None:
        v1 = tf.compat.v1
        with tf.Graph().as_default() as graph, _deprecations_muted():
            optimizer = getattr(v1.train, f"{self.rule.capitalize()}Optimizer")(**settings)
            self._x = v1.get_variable("x", initializer=np.zeros(self.size, self.dtype), use_resource=True)
            self._g = v1.placeholder(self._x.dtype, [self.size])
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

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        powers = [running_product(beta, t) for beta in self._betas]
        held = [np.zeros(self.size, self.dtype), *(slots[name] for name in self._slots), *powers]
        self._session.run(self._assign, dict(zip(self._given, held, strict=True)))
        self._session.run(self._apply, {self._g: g})
        x, slots = self._session.run((self._x, self._slots))
        return {"delta": -x, **slots}


def running_product(beta: Any, t: int) -> Any:
    """β·β·…·β, t factors, rounded after each: what TF1 carries along."""
    return np.multiply.reduce(np.full(t, beta))


class Torch(Reference):
    """torch.optim, one tensor at a time."""

    package, dialect = "torch", "torch"
    constructor = "torch.optim.{Rule}(parameters, {settings})"
    settings: ClassVar = {"learning_rate": "lr", "epsilon": "eps"}
    slots: ClassVar = {
        "adam": {"m": "exp_avg", "v": "exp_avg_sq"},
        "adagrad": {"a": "sum"},
        "adadelta": {"mean_g2": "square_avg", "mean_dx2": "acc_delta"},
    }

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        paired = dict(settings)
        if rule == "adam":
            betas = (paired.pop("beta_1"), paired.pop("beta_2"))
            paired = dict(learning_rate=paired.pop("learning_rate"), betas=betas, **paired)
        return super().call(rule, paired)

    def _build(self, settings: dict[str, Any]) -> None:
        import torch

        betas = {name: settings.pop(name) for name in ("beta_1", "beta_2") if name in settings}
        if betas:
            settings["betas"] = (betas.get("beta_1", 0.9), betas.get("beta_2", 0.999))
        self._x = torch.nn.Parameter(torch.from_numpy(np.zeros(self.size, self.dtype)))
        self._optimizer = getattr(torch.optim, self.rule.capitalize())([self._x], foreach=False, **settings)
        if self.rule == "adagrad":
            return
        # Torch makes the other slots in the first step; a gradient of 0 leaves them as they begin.
        self._x.grad = torch.zeros_like(self._x)
        self._optimizer.step()

    def first(self) -> dict[str, np.ndarray]:
        state = self._optimizer.state[self._x]
        return {ours: state[theirs].numpy().copy() for ours, theirs in self.slot_names.items()}

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        import torch

        state = self._optimizer.state[self._x]
        state["step"] = torch.tensor(float(t - 1))
        for ours, theirs in self.slot_names.items():
            state[theirs].copy_(torch.from_numpy(np.ascontiguousarray(slots[ours])))
        with torch.no_grad():
            self._x.zero_()
        self._x.grad = torch.from_numpy(np.ascontiguousarray(g))
        self._optimizer.step()
        return {"delta": -self._x.detach().numpy(), **self.first()}


class Optax(Reference):
    """optax's transformations under jax.jit, with 64-bit types for float64."""

    package, dialect = "optax", "optax"
    constructor = "optax.{rule}({settings})"
    settings: ClassVar = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps"}
    slots: ClassVar = {
        "adam": {"m": "mu", "v": "nu"},
        "adagrad": {"a": "sum_of_squares"},
        "adadelta": {"mean_g2": "e_g", "mean_dx2": "e_x"},
    }

    def _build(self, settings: dict[str, Any]) -> None:
        import jax
        import optax

        self._wide = lambda: jax.enable_x64(self.dtype == np.float64)
        optimizer = getattr(optax, self.rule)(**settings)
        with self._wide():
            self._state = optimizer.init(jax.numpy.zeros(self.size, self.dtype))
            self._update = jax.jit(lambda g, state: optimizer.update(g, state, g))

    def _read(self, state: Any) -> dict[str, np.ndarray]:
        import optax

        return {ours: np.asarray(optax.tree_utils.tree_get(state, theirs)) for ours, theirs in self.slot_names.items()}

    def first(self) -> dict[str, np.ndarray]:
        return self._read(self._state)

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        import jax
        import optax

        with self._wide():
            given = {theirs: jax.numpy.asarray(slots[ours]) for ours, theirs in self.slot_names.items()}
            if self.rule == "adam":
                given["count"] = jax.numpy.asarray(t - 1, jax.numpy.int32)
            updates, state = self._update(jax.numpy.asarray(g), optax.tree_utils.tree_set(self._state, **given))
            return {"delta": -np.asarray(updates), **self._read(state)}


REFERENCES: Mapping[str, type[Reference]] = {
    "keras": Keras,
    "tf1-kernel": TF1Kernel,
    "tf1-session": TF1Session,
    "torch": Torch,
    "optax": Optax,
}
"""By the names that the command line uses."""


@contextmanager
def _deprecations_muted():
    """TF1's optimizers call what TensorFlow advises against since; nobody can do anything about it."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _construction_named(name: str):
    """What a library does not accept becomes an InputError with the library's own words."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be built: {error}") from error
