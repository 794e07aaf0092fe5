"""The dialects against the libraries themselves: Keras's optimizers and TensorFlow's own kernels, step by step.

Each step starts from the reference's own state and from θ = 0, so that θ afterwards is −Δ to the last bit, and
both sides are one step from the same place: each errs by at most BOUND units, so they differ by at most twice that.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from core import Rule
from tests.cases import BOUND, CASES, LONG, gradient_stream

STEPS = 300

# Adagrad's accumulator starts at 0 here: from Keras's default of 0.1 on, no float32 comparison sees where ε stands.
SETTINGS = dict(adam={}, adagrad=dict(initial_accumulator_value=0.0), adadelta={})

# Keras casts its settings through float32 even where it computes in float64; these survive that unchanged.
DYADIC = dict(adam=dict(beta_1=0.875, beta_2=0.96875, epsilon=2.0**-23), adagrad=dict(epsilon=2.0**-23),
              adadelta=dict(rho=0.9375, epsilon=2.0**-23))  # fmt: skip


class Reference(NamedTuple):
    """Another implementation: `slots()` as they are, by our names, and `step(g, t)`, which returns Δ."""

    slots: Callable[[], Mapping[str, np.ndarray]]
    step: Callable[[np.ndarray, int], np.ndarray]


def keras_reference(name: str, dtype: Any, size: int, settings: Mapping[str, float]) -> Reference:
    theta = tf.Variable(np.zeros(size, dtype))
    optimizer = getattr(keras.optimizers, name.capitalize())(**settings)
    keras.config.set_floatx(np.dtype(dtype).name)
    try:
        optimizer.build([theta])
    finally:
        keras.config.set_floatx("float32")
    held = dict(
        adam=lambda: {"m": optimizer._momentums, "v": optimizer._velocities},
        adagrad=lambda: {"a": optimizer._accumulators},
        adadelta=lambda: {"mean_g2": optimizer._accumulated_grads, "mean_dx2": optimizer._accumulated_delta_vars},
    )[name]()

    def step(g: np.ndarray, t: int) -> np.ndarray:
        theta.assign(tf.zeros_like(theta))
        optimizer.apply([tf.constant(g)], [theta])
        return -theta.numpy()

    return Reference(lambda: {slot: variables[0].numpy() for slot, variables in held.items()}, step)


def kernel_reference(name: str, rule: Rule, dtype: Any, size: int) -> Reference:
    """The kernel behind tf.compat.v1.train's optimizer; Adam's gets the rule's β^t, since TF1's own is tested apart."""
    theta = tf.Variable(np.zeros(size, dtype))
    slots = {slot: tf.Variable(value) for slot, value in rule.slots(np.zeros(size, dtype))._asdict().items()}
    handles = [variable.handle for variable in (theta, *slots.values())]
    scalar = lambda value: tf.constant(value, theta.dtype)  # noqa: E731 - a name for one call

    def step(g: np.ndarray, t: int) -> np.ndarray:
        theta.assign(tf.zeros_like(theta))
        rate = scalar(rule.learning_rate)
        if name == "adam":
            beta_1, beta_2 = scalar(rule.beta_1), scalar(rule.beta_2)
            powers = (beta_1 ** tf.cast(t, theta.dtype), beta_2 ** tf.cast(t, theta.dtype))
            tf.raw_ops.ResourceApplyAdam(
                **dict(zip(("var", "m", "v"), handles, strict=True)), beta1_power=powers[0], beta2_power=powers[1],
                lr=rate, beta1=beta_1, beta2=beta_2, epsilon=scalar(rule.epsilon), grad=g,
            )  # fmt: skip
        elif name == "adagrad":
            tf.raw_ops.ResourceApplyAdagrad(**dict(zip(("var", "accum"), handles, strict=True)), lr=rate, grad=g)
        else:
            tf.raw_ops.ResourceApplyAdadelta(
                **dict(zip(("var", "accum", "accum_update"), handles, strict=True)),
                lr=rate, rho=scalar(rule.rho), epsilon=scalar(rule.epsilon), grad=g,
            )  # fmt: skip
        return -theta.numpy()

    return Reference(lambda: {slot: variable.numpy() for slot, variable in slots.items()}, step)


def worst_difference(name: str, rule: Rule, dtype: Any, reference: Reference, stream: np.ndarray) -> dict[str, float]:
    """The largest difference of Δ and of each slot, in units of ε_machine·Σ|terms|, over one step from each state.

    Σ|terms| is the rule's own value on |g| and |slots|: all terms of these formulas have positive coefficients.
    """
    x = tf.zeros(stream.shape[1], dtype)
    limits, worst = np.finfo(dtype), {}
    for t, g in enumerate(stream, start=1):
        before = reference.slots()
        slots = type(rule.slots(x))(**{slot: tf.constant(value) for slot, value in before.items()})
        ours = rule.update(tf.constant(g), slots, tf.constant(t, tf.float64), x)
        magnitudes = type(slots)(**{slot: np.abs(LONG(value)) for slot, value in before.items()})
        terms = rule.update(np.abs(LONG(g)), magnitudes, LONG(t), LONG(0))
        theirs = {"delta": reference.step(g, t), **reference.slots()}
        for value, mine, scale in (
            ("delta", ours.delta, terms.delta),
            *zip(ours.slots._fields, ours.slots, terms.slots, strict=True),
        ):
            unit = np.maximum(LONG(limits.eps) * scale, limits.tiny)
            error = np.max(np.abs(LONG(mine.numpy()) - LONG(theirs[value])) / unit)
            worst[value] = float(np.max([worst.get(value, 0.0), error]))
    return worst


NAMES = ["adam", "adagrad", "adadelta"]


@pytest.mark.parametrize(("name", "settings"), [*SETTINGS.items(), ("adagrad", {})])
def test_the_keras_dialect_agrees_with_keras(name, settings):
    """Would catch another ε, another place for it, another first accumulator, β^t at another t."""
    rule, stream = type(CASES[name, "keras"].rule).dialect("keras", **settings), gradient_stream(STEPS, np.float32)
    reference = keras_reference(name, np.float32, stream.shape[1], settings)
    worst = worst_difference(name, rule, np.float32, reference, stream)
    assert all(difference <= 2 * BOUND for difference in worst.values()), worst


@pytest.mark.parametrize("name", NAMES)
def test_the_keras_dialect_agrees_with_keras_in_float64(name):
    settings = dict(DYADIC[name], learning_rate=2.0**-10, **SETTINGS[name])
    rule, stream = type(CASES[name, "keras"].rule).dialect("keras", **settings), gradient_stream(STEPS, np.float64)
    reference = keras_reference(name, np.float64, stream.shape[1], settings)
    worst = worst_difference(name, rule, np.float64, reference, stream)
    assert all(difference <= 2 * BOUND for difference in worst.values()), worst


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_the_tf1_dialect_agrees_with_tensorflow_s_kernels(name, dtype):
    """Would catch 1 − β subtracted in float64 (204 units off in v), besides all that Keras's test catches."""
    rule, stream = CASES[name, "tf1"].rule, gradient_stream(STEPS, dtype)
    worst = worst_difference(name, rule, dtype, kernel_reference(name, rule, dtype, stream.shape[1]), stream)
    assert all(difference <= 2 * BOUND for difference in worst.values()), worst


@pytest.mark.parametrize(("name", "dialect"), [
    ("adam", "paper"), ("adam", "tf1"), ("adam", "torch"), ("adagrad", "torch"),
    ("adadelta", "tf1"), ("adadelta", "paper"),
])  # fmt: skip
def test_another_dialect_does_not_agree_with_keras(name, dialect):
    """The comparison itself can fail: every other form of the formula, at Keras's rate, is seen."""
    rule = type(CASES[name, dialect].rule).dialect(dialect, learning_rate=1e-3)
    stream = gradient_stream(20, np.float32)
    reference = keras_reference(name, np.float32, stream.shape[1], SETTINGS[name])
    worst = worst_difference(name, rule, np.float32, reference, stream)
    assert not all(difference <= 2 * BOUND for difference in worst.values())


def test_a_complement_in_float64_does_not_agree_with_tensorflow_s_kernel():
    """float32's 1 − 0.999 is 47 parts in a million off, and Keras's is not: v parts by 200 units."""
    rule, stream = CASES["adam", "keras"].rule, gradient_stream(5, np.float32)
    worst = worst_difference("adam", rule, np.float32, kernel_reference("adam", rule, np.float32, 48), stream)
    assert worst["v"] > 100


@pytest.mark.parametrize("dialect", ["keras", "tf1"])
def test_averages_in_increments_are_nearer_to_the_library_than_weighted_ones(dialect):
    """Roundings alone tell the two forms apart here; how near either comes depends on the processor."""
    stream, differences = gradient_stream(100, np.float32), {}
    for incremental in ("both", "neither"):
        rule = replace(CASES["adam", dialect].rule, incremental=incremental)
        if dialect == "keras":
            reference = keras_reference("adam", np.float32, stream.shape[1], {})
        else:
            reference = kernel_reference("adam", rule, np.float32, stream.shape[1])
        differences[incremental] = worst_difference("adam", rule, np.float32, reference, stream)
    assert CASES["adam", dialect].rule.incremental == "both"
    assert differences["both"]["m"] < differences["neither"]["m"]
    assert differences["both"]["v"] < differences["neither"]["v"]


def test_tf1_s_running_product_stays_by_our_power():
    """TF1 multiplies β^t up in float32, half a unit a step; our power starts from the same rounded β.

    So β^t differs by at most t/2 units, and by the few that pow itself errs by: 4 are allowed.
    """
    for beta in (np.float32(0.9), np.float32(0.999)):
        product = np.float32(1)
        for t in range(1, 801):
            product = np.float32(product * beta)
            power = (tf.constant(beta) ** tf.constant(t, tf.float32)).numpy()
            assert abs(LONG(power) - LONG(product)) <= (t / 2 + 4) * np.finfo(np.float32).eps * LONG(power)


def defaults(callable_: Callable) -> dict[str, Any]:
    return {name: p.default for name, p in inspect.signature(callable_).parameters.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_dialects_have_the_defaults_of_the_installed_libraries(name):
    """Would catch a library that changes a default, and a default typed wrongly here."""
    from_keras = defaults(getattr(keras.optimizers, name.capitalize()).__init__)
    from_tf1 = defaults(getattr(tf.compat.v1.train, f"{name.capitalize()}Optimizer").__init__)
    spelled = {"beta_1": "beta1", "beta_2": "beta2"}
    for dialect, library in (("keras", from_keras), ("tf1", from_tf1)):
        rule = CASES[name, dialect].rule
        for setting in ("learning_rate", "beta_1", "beta_2", "rho", "epsilon", "initial_accumulator_value"):
            default = library.get(setting, library.get(spelled.get(setting, setting)))
            if default is not None and default is not inspect.Parameter.empty:
                assert getattr(rule, setting) == default, (dialect, setting)
    if name == "adagrad":
        assert from_tf1["learning_rate"] is inspect.Parameter.empty
