"""Situations in which an optimizer trains under Keras, and the bits that it leaves behind.

A situation is a rule and a few features, at most one of each axis of `AXES`. `trained` plays it with any optimizers:
the same seed, the same data, six batches in two halves. Those under MirroredStrategy need two devices, which a process
has to ask for before TensorFlow does anything else: `on_two_devices` plays them in a process of its own.
"""

import os
import pickle
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from core import RULES, around
from core.bridges.keras import KerasOptimizer

ROOT = Path(__file__).parents[2]

AXES = {
    "model": {
        "built": "a Sequential with an Input",
        "deferred": "a Sequential without one, whose variables the first batch creates",
        "subclassed": "a Model whose layers are created in __init__ and built by the first batch",
        "embedding": "a functional model with an Embedding: sparse gradients, in which rows occur twice",
        "convolution": "a Conv2D",
        "shared": "a layer that is called twice",
        "frozen": "a layer that is not trainable",
        "normalized": "BatchNormalization and Dropout, with variables that no gradient trains, one of them of integers",
        "constrained": "a kernel that is kept non-negative",
    },
    "training": {
        "fit": "two epochs of three batches",
        "several": "fit with steps_per_execution=2, which leaves one batch of each epoch over",
        "batch": "train_on_batch",
        "tape": "GradientTape and apply_gradients(pairs)",
        "apply": "GradientTape and apply(gradients, variables)",
        "alone": "GradientTape, build(variables), and apply(gradients)",
        "parts": "as `apply`, with every second step for the first variables alone",
        "all": "as `apply`, after build(model.variables), also those that are not trained",
    },
    "execution": {
        "graph": "a tf.function",
        "xla": "jit_compile=True",
        "eager": "run_eagerly=True, or no tf.function around the loop",
    },
    "accumulation": {"each": "no accumulation", "accumulation": "gradient_accumulation_steps=2"},
    "average": {
        "plain": "no average",
        "ema": "use_ema",
        "overwrite": "use_ema with ema_overwrite_frequency=2",
    },
    "clip": {
        "unclipped": "no clipping",
        "clipnorm": "clipnorm",
        "clipvalue": "clipvalue",
        "global_clipnorm": "global_clipnorm",
    },
    "decay": {
        "undecayed": "no weight decay",
        "weight_decay": "weight_decay",
        "excluded": "weight_decay with exclude_from_weight_decay of all biases",
    },
    "scale": {
        "unscaled": "no loss scale, except what `compile` does in mixed_float16",
        "factor": "loss_scale_factor",
        "dynamic": "a LossScaleOptimizer around it, whose scale grows on the way",
        "overflow": "the same, from a scale that is too large, so that the first steps are skipped",
    },
    "precision": {
        "float32": "float32",
        "mixed_float16": "the policy of this name",
        "mixed_bfloat16": "the policy of this name",
        "float64": "the policy of this name",
        "float64_exact": "the same, with settings that float32 holds exactly: Keras takes β and a's start through it",
    },
    "optimizers": {"one": "one optimizer", "multi": "a MultiOptimizer: another rule for the last layer"},
    "rate": {
        "number": "a number",
        "exponential": "ExponentialDecay",
        "warmup": "CosineDecay with a warm-up from 0",
        "constant": "a function without arguments, lambda: 0.1",
        "reader": "a function without arguments that reads a tf.Variable, which is halved half-way",
        "halved": "a number that is halved half-way: by LearningRateScheduler in fit, by assignment elsewhere",
        "zero": "0.0 in the first half",
    },
    "interruption": {
        "straight": "no interruption",
        "file": "model.save and keras.models.load_model half-way",
        "weights": "model.save_weights half-way, loaded into a new model with a new optimizer",
        "checkpoint": "tf.train.Checkpoint half-way, read into a new model and a new optimizer, both built",
        "late": "tf.train.Checkpoint half-way, read before the new model and the new optimizer are built",
    },
    "place": {"device": "one device", "mirrored": "MirroredStrategy on two devices"},
}
"""What a situation is made of; the first of each axis is what holds where a situation names none."""

AXIS = {feature: axis for axis, features in AXES.items() for feature in features}
USUAL = {axis: next(iter(features)) for axis, features in AXES.items()}

RATES = {"adam": 0.05, "adagrad": 0.5, "adadelta": 4.0, "sgd": 0.5}
LAST_LAYER = {"adam": "adagrad", "adagrad": "sgd", "adadelta": "adam", "sgd": "adam"}
"""By the rule of all others, the rule that a MultiOptimizer has for the last layer."""

LATER = {"halved": 0.5, "zero": 1.0}
"""The learning rate of the second half, as a part of the rule's in `RATES`."""

OPTIONS = {
    "accumulation": dict(gradient_accumulation_steps=2),
    "ema": dict(use_ema=True, ema_momentum=0.5),
    "overwrite": dict(use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    "clipnorm": dict(clipnorm=0.05),
    "clipvalue": dict(clipvalue=0.02),
    "global_clipnorm": dict(global_clipnorm=0.1),
    "weight_decay": dict(weight_decay=0.1),
    "excluded": dict(weight_decay=0.1),
    "factor": dict(loss_scale_factor=10.0),
}
EXACT = {
    "adam": dict(beta_1=0.875, beta_2=0.96875, epsilon=2.0**-23),
    "adagrad": dict(initial_accumulator_value=0.125, epsilon=2.0**-23),
    "adadelta": dict(rho=0.9375, epsilon=2.0**-23),
    "sgd": {},
}
EXAMPLES, BATCH, EPOCHS = 12, 4, 2

Maker = Callable[..., keras.optimizers.Optimizer]
"""Takes a rule's name, its settings and Keras's options."""


@dataclass(frozen=True)
class Situation:
    """A rule and the features of its training, separated by blanks.

    reason: why bits may differ, where they may; then every number agrees within `units` of the last place of the
            largest number of its tensor.
    """

    rule: str
    features: str = ""
    reason: str = ""
    units: int = 0

    @property
    def id(self) -> str:
        return "-".join([self.rule, *self.features.split()])

    @property
    def on_one_device(self) -> "Situation":
        return replace(self, features=self.features.replace("mirrored", "").strip())

    def __getitem__(self, axis: str) -> str:
        return {AXIS[feature]: feature for feature in self.features.split()}.get(axis, USUAL[axis])


class State(NamedTuple):
    """What a training leaves: the values of each variable, one for each device that holds it.

    trained, other: the model's variables, by whether they are trainable; held: the optimizer's, with its counters.
    """

    trained: list[list[np.ndarray]]
    other: list[list[np.ndarray]]
    held: list[list[np.ndarray]]


def ours(rule: str, settings: Mapping[str, Any], options: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    return KerasOptimizer(RULES[rule].dialect("keras", **settings), **options)


def in_pieces(rule: str, settings: Mapping[str, Any], options: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Ours, with pieces in the place of Keras's options where there are any."""
    names = dict(
        clipnorm="clip_norm",
        clipvalue="clip_value",
        global_clipnorm="clip_global_norm",
        weight_decay="weight_decay",
        ema_momentum="ema",
        ema_overwrite_frequency="overwrite_every",
    )
    asked = {names[option]: value for option, value in options.items() if option in names}
    rest = {option: value for option, value in options.items() if option not in (*names, "use_ema")}
    return KerasOptimizer(around(RULES[rule].dialect("keras", **settings), "keras", **asked), **rest)


def keras_s(rule: str, settings: Mapping[str, Any], options: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    return getattr(keras.optimizers, RULES[rule].__name__)(**settings, **options)


@keras.saving.register_keras_serializable("rawstep-tests")
class Scaled(keras.layers.Layer):
    """tanh(s·x·W), a layer of a user's own, which creates its variables in `build`."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel")

    def call(self, x):
        return keras.ops.tanh(self.scale * (x @ self.kernel))


@keras.saving.register_keras_serializable("rawstep-tests")
class Subclassed(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.first = Scaled(name="first")
        self.head = keras.layers.Dense(2, name="head")

    def build(self, shape):
        self.first.build(shape)
        self.head.build((None, 3))
        super().build(shape)

    def call(self, x):
        return self.head(self.first(x))


def _sequential(*layers: Any) -> keras.Model:
    return keras.Sequential([*layers, keras.layers.Dense(2, name="head")])


def _embedding() -> keras.Model:
    words = keras.Input((3,), dtype="int32")
    rows = keras.layers.Flatten(name="flatten")(keras.layers.Embedding(5, 2, name="first")(words))
    return keras.Model(words, keras.layers.Dense(2, name="head")(rows))


def _shared() -> keras.Model:
    x = keras.Input((3,))
    layer = keras.layers.Dense(3, "tanh", name="first")
    return keras.Model(x, keras.layers.Dense(2, name="head")(layer(layer(x))))


def _frozen() -> keras.Model:
    model = _sequential(
        keras.Input((3,)), keras.layers.Dense(4, "tanh", name="first"), keras.layers.Dense(3, "tanh", name="second")
    )
    model.layers[1].trainable = False
    return model


MODELS: dict[str, Callable[[], keras.Model]] = {
    "built": lambda: _sequential(keras.Input((3,)), keras.layers.Dense(3, "tanh", name="first")),
    "deferred": lambda: _sequential(keras.layers.Dense(3, "tanh", name="first")),
    "subclassed": Subclassed,
    "embedding": _embedding,
    "convolution": lambda: _sequential(
        keras.Input((3,)),
        keras.layers.Reshape((3, 1, 1), name="image"),
        keras.layers.Conv2D(2, (2, 1), activation="tanh", name="first"),
        keras.layers.Flatten(name="flatten"),
    ),
    "shared": _shared,
    "frozen": _frozen,
    "normalized": lambda: _sequential(
        keras.Input((3,)),
        keras.layers.Dense(4, "tanh", name="first"),
        keras.layers.BatchNormalization(name="normalization"),
        keras.layers.Dropout(0.25, seed=1, name="dropout"),
    ),
    "constrained": lambda: _sequential(
        keras.Input((3,)), keras.layers.Dense(3, "tanh", kernel_constraint="non_neg", name="first")
    ),
}


def data(situation: Situation) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    wide = np.float64 if situation["precision"].startswith("float64") else np.float32
    y = generator.standard_normal((EXAMPLES, 2)).astype(wide)
    if situation["model"] == "embedding":
        return generator.integers(0, 5, (EXAMPLES, 3), np.int32), y
    return generator.standard_normal((EXAMPLES, 3)).astype(wide), y


def optimizer_for(situation: Situation, make: Maker, reader: tf.Variable) -> keras.optimizers.Optimizer:
    """The optimizer with all that stands around it."""
    options: dict[str, Any] = {}
    for feature in situation.features.split():
        options |= OPTIONS.get(feature, {})

    def single(rule: str) -> keras.optimizers.Optimizer:
        rate = RATES[rule]
        schedules = keras.optimizers.schedules
        rates = {
            "exponential": lambda: schedules.ExponentialDecay(rate, decay_steps=2, decay_rate=0.5),
            "warmup": lambda: schedules.CosineDecay(0.0, decay_steps=6, warmup_target=rate, warmup_steps=2),
            "constant": lambda: lambda: 0.1,
            "reader": lambda: lambda: reader * rate,
            "zero": lambda: 0.0,
        }
        settings = EXACT[rule] if situation["precision"] == "float64_exact" else {}
        settings = settings | dict(learning_rate=rates.get(situation["rate"], lambda: rate)())
        optimizer = make(rule, settings, options)
        if situation["decay"] == "excluded":
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        return optimizer

    optimizer = single(situation.rule)
    if situation["optimizers"] == "multi":
        last = {"(.*/)?head/.*": single(LAST_LAYER[situation.rule])}
        optimizer = keras.optimizers.MultiOptimizer(
            keras.optimizers.OptimizerMap(optimizer, last), loss_scale_factor=options.get("loss_scale_factor")
        )
    if situation["scale"] == "dynamic":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=16.0, dynamic_growth_steps=2)
    elif situation["scale"] == "overflow":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**17)
    return optimizer


def compiled(situation: Situation, make: Maker, reader: tf.Variable, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = MODELS[situation["model"]]()
    model.compile(
        optimizer_for(situation, make, reader),
        loss="mse",
        jit_compile=situation["execution"] == "xla",
        run_eagerly=situation["execution"] == "eager",
        steps_per_execution=2 if situation["training"] == "several" else 1,
    )
    return model


def trained(situation: Situation, make: Maker) -> State:
    """What six batches leave behind, trained by optimizers of `make`."""
    mirrored = situation["place"] == "mirrored"
    # Not the collective operations that it would choose for processors: those fail on sparse gradients.
    operations = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], operations) if mirrored else None
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(situation["precision"].removesuffix("_exact"))
    try:
        with strategy.scope() if strategy else nullcontext(), TemporaryDirectory() as folder:
            reader = tf.Variable(1.0, trainable=False)
            model = compiled(situation, make, reader, seed=1)
            if situation["interruption"] == "straight":
                _train(situation, model, strategy, range(EPOCHS), reader)
            else:
                _train(situation, model, strategy, range(1), reader)
                model = _interrupted(situation, model, lambda: compiled(situation, make, reader, seed=2), Path(folder))
                _train(situation, model, strategy, range(1, EPOCHS), reader)
            return _state(model, strategy)
    finally:
        keras.config.set_dtype_policy(policy)


def untrained(situation: Situation) -> State:
    """What `trained` starts from."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(situation["precision"].removesuffix("_exact"))
    try:
        keras.utils.set_random_seed(1)
        model = MODELS[situation["model"]]()
        model(data(situation)[0][:BATCH])
        return _state(model, None)
    finally:
        keras.config.set_dtype_policy(policy)


def _state(model: keras.Model, strategy: Any) -> State:
    def values(variables: Iterable[Any]) -> list[list[np.ndarray]]:
        each = [strategy.experimental_local_results(v.value) if strategy else [v.value] for v in variables]
        return [[value.numpy() for value in values] for values in each]

    optimizer = getattr(model, "optimizer", None)
    held = [v for v in optimizer.variables if _is_comparable(v)] if optimizer else []
    return State(values(model.trainable_variables), values(model.non_trainable_variables), values(held))


def _is_comparable(held: Any) -> bool:
    """Keras's optimizers make slots of integers too, which nothing trains; its counters are scalars."""
    return len(held.shape) == 0 or tf.as_dtype(held.dtype).is_floating


def _train(situation: Situation, model: Any, strategy: Any, epochs: range, reader: tf.Variable) -> None:
    """An epoch is a half."""
    x, y = data(situation)
    if situation["training"] in ("fit", "several"):
        if situation["rate"] in LATER and situation["optimizers"] == "one":
            later = RATES[situation.rule] * LATER[situation["rate"]]
            callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: later if epoch else rate)
        else:
            callback = keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: _begin_second_half(situation, model, reader) if epoch else None
            )
        settings: Any = dict(epochs=epochs.stop, initial_epoch=epochs.start, callbacks=[callback])
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, **settings)
        return
    step = _stepper(situation, model, strategy)
    batches: Any = [
        (tf.constant(x[start : start + BATCH]), tf.constant(y[start : start + BATCH]))
        for start in range(0, EXAMPLES, BATCH)
    ]
    if strategy and situation["training"] != "batch":
        batches = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH))
    for epoch in epochs:
        if epoch:
            _begin_second_half(situation, model, reader)
        for number, batch in enumerate(batches):
            step(*batch, number)


def _begin_second_half(situation: Situation, model: Any, reader: tf.Variable) -> None:
    reader.assign(0.5)
    if situation["rate"] in LATER:
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        rules = [LAST_LAYER[situation.rule], situation.rule]  # as a MultiOptimizer has them
        each = getattr(optimizer, "optimizers", [optimizer])
        for one, rule in zip(each, rules[-len(each) :], strict=True):
            one.learning_rate = RATES[rule] * LATER[situation["rate"]]


def _stepper(situation: Situation, model: Any, strategy: Any) -> Callable[..., Any]:
    """A function that takes a step: of a batch, and of its number in the epoch."""
    training, optimizer = situation["training"], model.optimizer
    if training == "batch":
        return lambda x, y, _: model.train_on_batch(x.numpy(), y.numpy())

    def step(x: tf.Tensor, y: tf.Tensor, part: bool) -> None:
        with tf.GradientTape() as tape:
            error = tf.cast(model(x, training=True), y.dtype) - y
            loss = optimizer.scale_loss(tf.reduce_mean(tf.square(error)))
        variables = model.trainable_variables[:2] if part else model.trainable_variables
        gradients = tape.gradient(loss, variables)
        if training == "tape":
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
        elif training == "alone":
            optimizer.apply(gradients)
        else:
            optimizer.apply(gradients, variables)

    def placed(x: Any, y: Any, part: bool) -> None:
        if strategy:
            strategy.run(step, (x, y, part))
        else:
            step(x, y, part)

    function: Any = placed
    if situation["execution"] != "eager":
        function = tf.function(placed, jit_compile=situation["execution"] == "xla")

    def numbered(x: Any, y: Any, number: int) -> None:
        if training in ("alone", "parts", "all") and not optimizer.built:
            _build(situation, model)
        function(x, y, training == "parts" and number % 2 == 1)

    return numbered


def _build(situation: Situation, model: Any) -> None:
    if not model.built:
        model.build((None, 3))
    model.optimizer.build(model.variables if situation["training"] == "all" else model.trainable_variables)


def _interrupted(situation: Situation, model: Any, again: Callable[[], Any], folder: Path) -> Any:
    """The model that goes on."""
    if situation["interruption"] == "file":
        model.save(folder / "model.keras")
        return keras.models.load_model(folder / "model.keras")
    other = again()
    if situation["interruption"] != "late":
        _build(situation, other)
    if situation["interruption"] == "weights":
        model.save_weights(folder / "model.weights.h5")
        other.load_weights(folder / "model.weights.h5")
    else:
        path = tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(folder / "checkpoint"))
        tf.train.Checkpoint(model=other, optimizer=other.optimizer).read(path)
    return other


Pair = tuple[State, State]
"""What our optimizers leave, and what Keras's do."""


def on_two_devices(situations: list[Situation], pieces: list[Situation]) -> dict[str, Pair | str]:
    """For each situation's id, what is left on two devices, or the traceback.

    pieces: those that are played with pieces in the place of Keras's options, against the same on one device.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "situations"
        path.write_bytes(pickle.dumps((situations, pieces)))
        command = f"from tests.core.situations import play; play({str(path)!r})"
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", command], check=True, cwd=folder, env=environment)
        return pickle.loads(path.read_bytes())


def play(path: str) -> None:
    """What the process of `on_two_devices` does: reads situations from a file, and writes what is left into it."""
    device = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [device, device])
    results: dict[str, Pair | str] = {}
    situations, pieces = pickle.loads(Path(path).read_bytes())
    plays = [((each, ours), (each, keras_s)) for each in situations]
    plays += [((each, in_pieces), (each.on_one_device, in_pieces)) for each in pieces]
    for one, other in plays:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy keyword")
                results[one[0].id] = trained(*one), trained(*other)
        except Exception:  # which is the test's to report
            results[one[0].id] = traceback.format_exc()
    Path(path).write_bytes(pickle.dumps(results))
