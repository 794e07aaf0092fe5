"""The bridge to Keras: our rules under `fit` beside Keras's own, saved and loaded, and Keras's state taken over.

Where both sides do the same in float32, they may differ in roundings alone, which 60 steps of training spread no
further than 1e-5 of a tensor's norm; 12 steps on given gradients no further than 1e-6.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from core import (
    L2,
    RULES,
    Adagrad,
    Adam,
    AdamW,
    Average,
    ClipByGlobalNorm,
    ClipByNorm,
    DecoupledDecay,
    InputError,
    Optimizer,
    Program,
    Rule,
    Step,
    around,
    chain,
    matrices,
    only,
)
from core.bridges.keras import KerasOptimizer, StepSchedule, hand_back, take_over
from core.rules import Except
from core.verification import FORMULAS
from core.verification.libraries import Keras
from core.xp import zeros_like
from tests.cases import checkered
from training.workloads.data import load_dataset

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

ROOT = Path(__file__).parents[2]
EXAMPLES, BATCH, HIDDEN = 2000, 100, 32
BATCHES = np.random.default_rng(0).permutation(EXAMPLES)[:600].reshape(6, BATCH)
GRADIENTS = np.random.default_rng(1).standard_normal((12, 3, 2)).astype(np.float32)

OF_KERAS = [*filter(Keras.has, RULES)]


class MomentumSlots(NamedTuple):
    m: object


@dataclass(frozen=True)
class Momentum(Rule):
    """m ← β·m + g, θ ← θ − α·m: a rule of the user's own."""

    beta: float = 0.9

    def slots(self, x):
        return MomentumSlots(zeros_like(x))

    def update(self, g, slots, x, at):
        m = self.beta * slots.m + g
        return Step(self.learning_rate * m, MomentumSlots(m), {})


@dataclass(frozen=True)
class Lookback(Momentum):
    """Its slot starts as the parameter itself."""

    def slots(self, x):
        return MomentumSlots(x)


@dataclass(frozen=True)
class Forgetful(Momentum):
    """Its update is no Step."""

    def update(self, g, slots, x, at):
        return g


def local_rule():
    class Local(Momentum):
        pass

    return Local(0.1)


def halving(steps):
    return 0.1 * 0.5**steps


@pytest.fixture(scope="module")
def digits():
    """Images in [0, 1] and labels."""
    split = load_dataset().train
    return split.images[:EXAMPLES] / np.float32(255), split.labels[:EXAMPLES]


def network(optimizer, jit=False):
    """A compiled perceptron with the same first weights each time, and a dozen batches' shuffling to come."""
    keras.utils.set_random_seed(1)
    layers = [keras.Input((784,)), keras.layers.Dense(HIDDEN, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential(layers)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", jit_compile=jit)
    return model


def fitted(optimizer, digits, jit=False, epochs=3, **options):
    """The weights after `fit`."""
    model = network(optimizer, jit)
    model.fit(*digits, batch_size=BATCH, epochs=epochs, verbose=0, **options)
    return weights(model)


def weights(model):
    return [variable.numpy() for variable in model.trainable_variables]


def kerass_own(name, **settings):
    """With the settings of our dialect, unless others are given, and what selects the rule."""
    spelling, own = Keras.spelled(name), {n: v for n, v in FORMULAS[name]["keras"].decided.items() if n not in settings}
    return Keras.named(spelling.name)(**{**spelling.options, **Keras.by_their_names(name, own), **settings})


def stepped(optimizer, gradients=GRADIENTS, dtype="float32"):
    """Two variables after a step for each gradient, the second with ten times the gradient."""
    variables = [keras.Variable(np.ones((3, 2)), dtype=dtype, name=name) for name in ("w", "b")]
    for g in gradients:
        optimizer.apply([tf.constant(g, dtype), tf.constant(10 * g, dtype)], variables)
    return [tf.cast(variable.value, tf.float64).numpy() for variable in variables]


def assert_near(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        assert np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b), np.linalg.norm(a - b) / np.linalg.norm(b)


def assert_same_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "jit"), checkered(OF_KERAS, dict(graph=False, xla=True)))
def test_three_epochs_end_where_keras_s_own_optimizer_ends(digits, name, jit):
    """Would catch t counted from 0, slots that start elsewhere, a dialect mixed up, a second update a step.

    Two rules as a graph and two in XLA; `pytest -m whole` takes each in the other.
    """
    ours = fitted(KerasOptimizer(RULES[name].dialect("keras")), digits, jit)
    assert_near(ours, fitted(kerass_own(name), digits, jit), 1e-5)


def test_three_epochs_in_another_dialect_end_elsewhere(digits):
    """The comparison above can fail: ε outside the corrections is seen."""
    ours = fitted(KerasOptimizer(Adam(epsilon=1e-7)), digits)
    with pytest.raises(AssertionError):
        assert_near(ours, fitted(kerass_own("adam"), digits), 1e-5)


def test_a_schedule_of_keras_s_is_followed(digits):
    """Would catch a schedule read at t instead of t − 1, and the rule's number used instead."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=10, decay_rate=0.5)
    ours = fitted(KerasOptimizer(Adam.dialect("keras", learning_rate=schedule)), digits, epochs=1)
    assert_near(ours, fitted(kerass_own("adam", learning_rate=schedule), digits, epochs=1), 1e-5)


def test_a_callback_sets_the_learning_rate(digits):
    """Would catch the rule's own learning rate used instead of Keras's variable, or frozen when `fit` traced it."""

    def callback():
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.1**epoch)

    ours = KerasOptimizer(Adam.dialect("keras"))
    assert_near(
        fitted(ours, digits, callbacks=[callback()]), fitted(kerass_own("adam"), digits, callbacks=[callback()]), 1e-5
    )
    assert float(ours.learning_rate.numpy()) == pytest.approx(1e-6)


def test_the_learning_rate_can_be_set_between_steps():
    results = []
    for optimizer in (KerasOptimizer(Adam.dialect("keras")), kerass_own("adam")):
        variable = keras.Variable(np.ones((3, 2), np.float32))
        for step, g in enumerate(GRADIENTS):
            if step == 5:
                optimizer.learning_rate = 0.25
            optimizer.apply([tf.constant(g)], [variable])
        results.append([variable.numpy()])
    assert_near(*results, 1e-6)


class Around(NamedTuple):
    """What Keras is asked for around a rule, and what `around` is asked for the same.

    excluded: the variables that do not decay, as Keras finds them by parts of their names.
    """

    keras_s: dict
    ours: dict
    excluded: tuple = ()


AROUND = {
    "clipnorm": Around(dict(clipnorm=0.5), dict(clip_norm=0.5)),
    "clipvalue": Around(dict(clipvalue=0.1), dict(clip_value=0.1)),
    "global_clipnorm": Around(dict(global_clipnorm=0.5), dict(clip_global_norm=0.5)),
    "weight_decay": Around(dict(weight_decay=0.1), dict(weight_decay=0.1)),
    "excluded": Around(dict(weight_decay=0.1), dict(weight_decay=0.1, where=only("w")), ("^b",)),
    "ema": Around(dict(use_ema=True, ema_momentum=0.5), dict(ema=0.5)),
    "overwrite": Around(
        dict(use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=5), dict(ema=0.5, overwrite_every=5)
    ),
    "all": Around(
        dict(global_clipnorm=0.5, weight_decay=0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=5),
        dict(clip_global_norm=0.5, weight_decay=0.1, where=only("w"), ema=0.5, overwrite_every=5),
        ("^b",),
    ),
}


def asked_of_keras(name, asked, **options):
    optimizer = kerass_own(name, learning_rate=0.1, **asked.keras_s, **options)
    if asked.excluded:
        optimizer.exclude_from_weight_decay(var_names=list(asked.excluded))
    return optimizer


def finalized(optimizer):
    """Two variables after all gradients, and after what Keras does at the end of `fit`."""
    after = stepped(optimizer)
    variables = optimizer._trainable_variables
    optimizer.finalize_variable_values(variables)
    return [*after, *(variable.numpy() for variable in variables)]


def assert_agree(found, expected, asked):
    """To the bit; where Keras takes the norm of all gradients in float32 and a piece in float64, to roundings."""
    if "global_clipnorm" in asked.keras_s:
        assert_near(found, expected, 1e-6)
    else:
        assert_same_bits(found, expected)


@pytest.mark.parametrize("name", ["adam", "adagrad"])
@pytest.mark.parametrize("asked", AROUND.values(), ids=AROUND)
def test_what_keras_does_around_a_step_is_done_around_ours(name, asked):
    """By Keras's own hand for its options, and by pieces. Adam alone hardly sees a gradient's scale. Would catch an
    order of pieces that is not Keras's, masks that are not asked, and averages that `fit` does not end with."""
    expected, rule = finalized(asked_of_keras(name, asked)), RULES[name].dialect("keras", learning_rate=0.1)
    assert_agree(finalized(KerasOptimizer(around(rule, "keras", **asked.ours))), expected, asked)
    options = KerasOptimizer(rule, **asked.keras_s)
    if asked.excluded:
        options.exclude_from_weight_decay(var_names=list(asked.excluded))
    assert_same_bits(finalized(options), expected)


@pytest.mark.parametrize("options", [dict(loss_scale_factor=8.0), dict(gradient_accumulation_steps=3)], ids=str)
def test_what_is_no_piece_keras_does_around_ours(options):
    """Would catch t counted in batches."""
    for name in ("adam", "adagrad"):
        rule = RULES[name].dialect("keras", learning_rate=0.1)
        asked = AROUND["excluded"]
        expected = stepped(asked_of_keras(name, asked, **options))
        assert_near(stepped(KerasOptimizer(around(rule, "keras", **asked.ours), **options)), expected, 1e-6)


ADAM = Adam.dialect("keras", learning_rate=0.1)
MISPLACED = {
    "decay after the rule": ("excluded", chain(ADAM, DecoupledDecay(0.1, where=only("w")))),
    "decay after the average": (
        "all",
        chain(
            ClipByGlobalNorm(0.5), ADAM, Average(0.5, "copies", overwrite_every=5), DecoupledDecay(0.1, where=only("w"))
        ),
    ),
    "no mask": ("all", around(ADAM, "keras", **AROUND["all"].ours | dict(where=None))),
    "the other mask": ("all", around(ADAM, "keras", **AROUND["all"].ours | dict(where=only("b")))),
    "no overwriting": ("all", around(ADAM, "keras", **AROUND["all"].ours | dict(overwrite_every=0))),
    "average of the first step": ("ema", around(ADAM, "optax", ema=0.5)),
}


@pytest.mark.parametrize(("kind", "rule"), MISPLACED.values(), ids=MISPLACED)
def test_a_piece_out_of_its_place_would_be_seen(kind, rule):
    with pytest.raises(AssertionError):
        assert_agree(finalized(KerasOptimizer(rule)), finalized(asked_of_keras("adam", AROUND[kind])), AROUND[kind])


def moved_over(optimizer, over, back=None):
    """Half of the steps as in `stepped`, the others by what `over` makes of the optimizer and its variables; the
    parameters, and what evaluation and export then use."""
    stepped(optimizer, GRADIENTS[:6])
    w, b = optimizer._trainable_variables
    ours = over(optimizer, {"w": w.value, "b": b.value})
    if back is None:
        for g in GRADIENTS[6:]:
            ours.apply({"w": tf.constant(g), "b": tf.constant(10 * g)})
        after = [w.numpy(), b.numpy()]
        return [*after, *(value.numpy() for value in ours.served().values())]
    keras_s = back(ours, [w, b])
    for g in GRADIENTS[6:]:
        keras_s.apply([tf.constant(g), tf.constant(10 * g)], [w, b])
    after = [w.numpy(), b.numpy()]
    keras_s.finalize_variable_values([w, b])
    return [*after, w.numpy(), b.numpy()]


def keras_s_of(name, asked):
    if name == "adamw":
        optimizer = keras.optimizers.AdamW(learning_rate=0.1, **dict(weight_decay=0.1) | asked.keras_s)
        optimizer.exclude_from_weight_decay(var_names=list(asked.excluded))
        return optimizer
    return asked_of_keras(name, asked)


@pytest.mark.parametrize("back", [None, hand_back], ids=["over", "back"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [*(("adam", kind) for kind in AROUND), ("adamw", "all"), ("adamw", "ema"), ("nesterov", "all"), ("rmsprop", "all")],
)
def test_what_is_around_a_rule_is_taken_over_and_handed_back(name, kind, back):
    """In mid-run, with averages, slots and the count of steps. Would catch averages that begin anew, overwriting that
    counts from there, a decay of those excluded."""
    asked = AROUND[kind]
    expected = finalized(keras_s_of(name, asked))
    assert_agree(moved_over(keras_s_of(name, asked), take_over, back), expected, asked)
    if name == "adam":
        rule = around(Adam.dialect("keras", learning_rate=0.1), "keras", **asked.ours)
        assert_agree(moved_over(KerasOptimizer(rule), take_over, back), expected, asked)
        if not asked.excluded:
            options = KerasOptimizer(Adam.dialect("keras", learning_rate=0.1), **asked.keras_s)
            assert_agree(moved_over(options, take_over, back), expected, asked)


def test_a_piece_averages_after_each_step_and_keras_after_each_batch():
    """The parameters agree to the bit, the averages do not: so that is refused where Keras's are to be taken over."""
    options = dict(gradient_accumulation_steps=2)
    ours = finalized(KerasOptimizer(around(ADAM, "keras", ema=0.5), **options))
    keras_s = finalized(asked_of_keras("adam", AROUND["ema"], **options))
    assert_same_bits(ours[:2], keras_s[:2])
    with pytest.raises(AssertionError):
        assert_near(ours[2:], keras_s[2:], 1e-3)
    alone = finalized(asked_of_keras("adam", AROUND["ema"]))
    twice = KerasOptimizer(around(ADAM, "keras", ema=0.5), **options)
    stepped(twice, np.repeat(GRADIENTS, 2, axis=0))
    twice.finalize_variable_values(twice._trainable_variables)
    assert_same_bits([variable.numpy() for variable in twice._trainable_variables], alone[2:])


def test_masks_by_keras_s_paths_hold_for_the_names_that_are_taken_over():
    """Would catch a mask that is asked by another name, and then lets nothing decay."""
    rule = around(ADAM, "keras", weight_decay=0.1, where=only("w"))
    optimizer = KerasOptimizer(rule)
    stepped(optimizer, GRADIENTS[:6])
    w, b = optimizer._trainable_variables
    ours = take_over(optimizer, {"first": w.value, "w": b.value})
    for g in GRADIENTS[6:]:
        ours.apply({"first": tf.constant(g), "w": tf.constant(10 * g)})
    assert_same_bits([w.numpy(), b.numpy()], stepped(KerasOptimizer(rule)))


def test_another_rule_goes_on_within_the_same_pieces_or_a_chain_with_its_own():
    def over(rule):
        optimizer = asked_of_keras("adam", AROUND["all"])
        stepped(optimizer)
        w, b = optimizer._trainable_variables
        ours = take_over(optimizer, {"w": w.value, "b": b.value}, rule)
        average = optimizer._model_variables_moving_average[0]
        np.testing.assert_array_equal(ours.slots["w"]["average.average"], average.numpy())
        return [type(part).__name__ for _, part in ours.assigned("w")[1].parts], ours.assigned("b")[1].rule

    assert over(Adam(0.5)) == (["ClipByGlobalNorm", "DecoupledDecay", "Adam", "Average"], Adam(0.5))
    assert over(chain(Adam(0.5), Average(0.9))) == (["Adam", "Average"], Adam(0.5))


@pytest.mark.parametrize("schedule", [keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), 0.1], ids=["s", "n"])
def test_a_step_of_ours_takes_what_keras_accumulates(schedule):
    """The mean of two batches; Keras reads a schedule by batches. Would catch a schedule that is read by steps."""

    def optimizer():
        return kerass_own("adam", learning_rate=schedule, gradient_accumulation_steps=2, clipnorm=0.5)

    expected, taken = stepped(optimizer()), optimizer()
    stepped(taken, GRADIENTS[:6])
    w, b = taken._trainable_variables
    ours = take_over(taken, {"w": w.value, "b": b.value})
    assert ours.step.numpy() == 3
    for one, other in GRADIENTS[6:].reshape(3, 2, 3, 2):
        mean = (one + other) / 2
        ours.apply({"w": tf.constant(mean), "b": tf.constant(10 * mean)})
    assert_near([w.numpy(), b.numpy()], expected, 1e-6)


def test_fit_ends_with_the_averages(digits):
    """And agrees with Keras's own, with all pieces at once and in XLA: biases do not decay, by Keras's paths."""
    options = dict(global_clipnorm=0.1, weight_decay=0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7)
    pieces = dict(clip_global_norm=0.1, weight_decay=0.1, where=only("*/kernel"), ema=0.9, overwrite_every=7)
    keras_s = kerass_own("adam", **options)
    keras_s.exclude_from_weight_decay(var_names=["bias"])
    model = network(KerasOptimizer(around(Adam.dialect("keras"), "keras", **pieces)), jit=True)
    model.fit(*digits, batch_size=BATCH, epochs=1, verbose=0)
    assert_same_bits(weights(model), [each.numpy() for each in model.optimizer._model_variables_moving_average])
    assert_near(weights(model), fitted(keras_s, digits, jit=True, epochs=1), 1e-5)


def test_averages_are_evaluated_within_fit_where_keras_is_asked_for_that(digits):
    """By its own callback, which knows them by Keras's own name."""
    losses = []
    for optimizer in (
        KerasOptimizer(around(Adam.dialect("keras"), "keras", ema=0.9)),
        kerass_own("adam", use_ema=True, ema_momentum=0.9),
    ):
        swap = keras.callbacks.SwapEMAWeights()
        history = network(optimizer).fit(
            *digits, batch_size=BATCH, epochs=1, verbose=0, validation_data=digits, callbacks=[swap]
        )
        losses.append(np.array(history.history["val_loss"]))
    assert_near([losses[0]], [losses[1]], 1e-5)


def test_accumulated_gradients_train_in_xla(digits):
    """The step then stands in a branch of the compiled program."""
    options = dict(gradient_accumulation_steps=4)
    ours = fitted(KerasOptimizer(Adam.dialect("keras"), **options), digits, jit=True, epochs=1)
    assert_near(ours, fitted(kerass_own("adam", **options), digits, jit=True, epochs=1), 1e-5)


@pytest.mark.parametrize("accumulated", [None, 2])
def test_a_function_of_the_steps_taken_before_is_a_schedule(accumulated):
    """Bit for bit as core.Optimizer reads it. Would catch a schedule that is given batches for steps."""
    rule = Adam(learning_rate=halving)
    found = stepped(
        KerasOptimizer(rule, gradient_accumulation_steps=accumulated), np.repeat(GRADIENTS, accumulated or 1, axis=0)
    )
    variables = {name: tf.Variable(np.ones((3, 2), np.float32)) for name in ("w", "b")}
    optimizer = Optimizer(rule, variables)
    for g in GRADIENTS:
        optimizer.apply({"w": tf.constant(g), "b": tf.constant(10 * g)})
    assert_same_bits(found, [variable.numpy() for variable in variables.values()])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_slots_are_as_wide_as_core_s(dtype):
    """Bit for bit as core.Optimizer. Would catch slots of the variable's dtype, and Δ rounded before it is subtracted.

    The rate is a power of two: Keras keeps it in float32.
    """
    rule = Adam.dialect("keras", learning_rate=2.0**-6)
    optimizer = KerasOptimizer(rule)
    found = stepped(optimizer, 1e-3 * GRADIENTS, dtype)
    variables = {name: tf.Variable(tf.ones((3, 2), dtype)) for name in ("w", "b")}
    ours = Optimizer(rule, variables)
    for g in 1e-3 * GRADIENTS:
        ours.apply({"w": tf.constant(g, dtype), "b": tf.constant(10 * g, dtype)})
    assert_same_bits(found, [tf.cast(variable, tf.float64).numpy() for variable in variables.values()])
    wide = "float64" if dtype == "float64" else "float32"
    masters = [] if dtype == "float64" else [wide] * 2
    assert [variable.dtype for variable in optimizer.variables[2:]] == [wide] * 4 + masters


def test_mixed_precision_trains_as_with_keras_s_own(digits):
    """Keras then scales the loss and wraps the optimizer."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        ours = fitted(KerasOptimizer(Adam.dialect("keras")), digits, epochs=1)
        assert_near(ours, fitted(kerass_own("adam"), digits, epochs=1), 1e-5)
    finally:
        keras.config.set_dtype_policy("float32")


TWICE = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1, 1]), tf.constant([3, 2]))
"""Row 1 of three occurs twice."""
SUMMED = tf.constant([[0.0, 0.0], [4.0, 6.0], [0.0, 0.0]])


def table_after(optimizer, gradient):
    """A table and the optimizer's slots after two steps."""
    variable = keras.Variable(np.ones((3, 2), np.float32))
    for _ in range(2):
        optimizer.apply([gradient], [variable])
    return [np.asarray(each) for each in (variable, *optimizer.variables[2:])]


@pytest.mark.parametrize("name", OF_KERAS)
def test_a_sparse_gradient_counts_as_with_keras_s_own(name):
    """To the roundings of two sums: Keras subtracts the occurrences of a row one after another. Would catch the sum
    squared where Keras adds up squares, which makes the first step of row 1 longer by a quarter."""
    ours = table_after(KerasOptimizer(RULES[name].dialect("keras", learning_rate=0.125)), TWICE)
    keras_s = table_after(kerass_own(name, learning_rate=0.125), TWICE)
    for number, (one, other) in enumerate(zip(ours, keras_s, strict=True)):
        # θ begins at 1 and may end near 0: two differences of numbers below 1 round by 2⁻²⁵ each.
        np.testing.assert_allclose(one, other, rtol=3e-7, atol=0 if number else 2.0**-24)


@pytest.mark.parametrize("name", OF_KERAS)
def test_a_sparse_gradient_counts_as_its_sum_where_that_is_chosen(name):
    rule = RULES[name].dialect("keras", learning_rate=0.125)
    assert_same_bits(*(table_after(KerasOptimizer(rule, sparse="sum"), gradient) for gradient in (TWICE, SUMMED)))


def test_the_choice_is_saved():
    optimizer = KerasOptimizer(Adam(), sparse="lazy")
    assert KerasOptimizer.from_config(optimizer.get_config()).sparse == "lazy"


def test_an_embedding_trains_in_fit():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Embedding(7, 3), keras.layers.Flatten()])
    optimizer = KerasOptimizer(Adam())
    model.compile(optimizer, loss="mse")
    before = weights(model)[0]
    model.fit(np.array([[0, 1, 1, 2]]), np.zeros((1, 12)), verbose=0)
    moved = np.any(weights(model)[0] != before, axis=1)
    np.testing.assert_array_equal(moved, [True] * 3 + [False] * 4)


def test_a_rule_of_one_s_own_trains_as_keras_s_momentum():
    ours = stepped(KerasOptimizer(Momentum(0.1)))
    assert_near(ours, stepped(keras.optimizers.SGD(0.1, momentum=0.9)), 1e-6)


def test_slots_start_as_the_rule_says():
    """Inside a tf.function too, where `fit` builds: the parameter has no value there that could be copied."""
    variable = keras.Variable([[1.0, 2.0]])
    optimizer = KerasOptimizer(Lookback(0.5))
    tf.function(lambda: optimizer.apply([tf.zeros([1, 2])], [variable]), jit_compile=True)()
    np.testing.assert_allclose(variable.numpy(), [[1 - 0.5 * 0.9, 2 - 0.5 * 0.9 * 2]], rtol=1e-6)
    accumulator = KerasOptimizer(Adagrad(0.1, initial_accumulator_value=0.25))
    accumulator.build([variable])
    np.testing.assert_array_equal(accumulator.variables[-1].numpy(), [[0.25, 0.25]])


CONTINUE = """
import sys
import numpy as np
import core.bridges.keras
import keras

given = np.load("given.npz")
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    for images, labels in zip(given["images"], given["labels"]):
        model.train_on_batch(images, labels)
    np.savez(name, *[variable.numpy() for variable in model.trainable_variables + model.optimizer.variables])
"""


def test_a_model_saved_and_loaded_in_a_new_process_goes_on_to_the_same_bits(digits, tmp_path):
    """As a graph, and in XLA with pieces. Would catch iterations that start again, slots lost or swapped, and a setting
    that the file does not hold."""
    images, labels = digits[0][BATCHES], digits[1][BATCHES]
    np.savez(tmp_path / "given.npz", images=images[3:], labels=labels[3:])
    models, rule = {}, Adam.dialect("torch", learning_rate=0.01, beta_1=0.8)
    pieces = around(rule, "torch", clip_norm=1.0, weight_decay=0.1, where=matrices, ema=0.5, overwrite_every=4)
    for name, jit in {"graph": False, "xla": True}.items():
        models[name] = network(KerasOptimizer(pieces) if jit else KerasOptimizer(rule, clipnorm=1.0), jit)
        for step in range(3):
            models[name].train_on_batch(images[step], labels[step])
        models[name].optimizer.learning_rate = 0.005
        models[name].save(tmp_path / f"{name}.keras")
        for step in range(3, 6):
            models[name].train_on_batch(images[step], labels[step])
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", CONTINUE, *models], check=True, cwd=tmp_path, env=environment)
    for name, model in models.items():
        kept = np.load(tmp_path / f"{name}.npz")
        assert_same_bits(
            [kept[each] for each in kept.files],
            [variable.numpy() for variable in model.trainable_variables + model.optimizer.variables],
        )


def copied(optimizer):
    """Through JSON, as a file holds it."""
    return keras.optimizers.deserialize(json.loads(json.dumps(keras.optimizers.serialize(optimizer))))


EVERY = [(name, dialect) for name, kind in RULES.items() for dialect in kind.DIALECTS]


@pytest.mark.parametrize(("name", "dialect"), EVERY)
def test_every_rule_and_dialect_comes_back_from_its_config(name, dialect):
    kind = RULES[name]
    own = kind.DIALECTS[dialect].settings.get("learning_rate", 0.25)
    optimizer = KerasOptimizer(kind.dialect(dialect, learning_rate=own), name="mine", clipvalue=0.5, use_ema=True)
    found = copied(optimizer)
    assert found.rule == optimizer.rule
    assert found.get_config() == optimizer.get_config()
    assert found.get_config()["clipvalue"] == 0.5


@dataclass(frozen=True)
class Halved(ClipByNorm):
    """A piece of the user's own."""


def test_pieces_and_masks_come_back_from_the_config():
    for where in (None, matrices, only("h*", "[a]"), Except(only("b*"))):
        rule = chain(Halved(0.5, where=where), L2(0.1), Adam(0.25), DecoupledDecay(0.5, where=where), Average(0.5))
        optimizer = KerasOptimizer(rule)
        assert optimizer.name.startswith("adam")
        assert copied(optimizer).rule == rule
        assert copied(optimizer).get_config() == optimizer.get_config()


def test_a_rule_of_one_s_own_comes_back_from_its_config():
    assert copied(KerasOptimizer(Momentum(0.5, beta=0.25))).rule == Momentum(0.5, beta=0.25)


def test_a_schedule_of_keras_s_comes_back_from_its_config():
    def optimizer():
        schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=3, decay_rate=0.5)
        return KerasOptimizer(Adagrad(schedule), gradient_accumulation_steps=2)

    assert_same_bits(stepped(copied(optimizer())), stepped(optimizer()))


def test_a_learning_rate_set_to_0_comes_back_from_its_config():
    """As a callback that warms up may leave it: no rule takes 0, and the file has to load all the same."""
    optimizer = KerasOptimizer(Adagrad(0.5))
    optimizer.learning_rate = 0.0
    assert float(copied(optimizer).learning_rate.numpy()) == 0.0


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: kerass_own("adam", learning_rate=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3),
        lambda: kerass_own("adagrad", learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-3),
        lambda: kerass_own("adadelta", learning_rate=0.5, rho=0.8, epsilon=1e-4),
        lambda: kerass_own("sgd", learning_rate=0.1),
        lambda: KerasOptimizer(Adam(learning_rate=0.01)),
    ],
    ids=["adam", "adagrad", "adadelta", "sgd", "bridge"],
)
def test_training_goes_on_in_a_program_where_keras_stopped(digits, optimizer):
    """Would catch slots swapped or not copied, a step counted from 0, settings or a dialect not taken over.

    Three steps of Keras's and three of ours, on the same Keras model, against six of Keras's.
    """
    models = [network(optimizer()) for _ in range(2)]
    images, labels = digits[0][BATCHES], digits[1][BATCHES]
    for model, steps in zip(models, (3, 6), strict=True):
        for step in range(steps):
            model.train_on_batch(images[step], labels[step])
    model, unstopped = models
    variables = {variable.path: variable.value for variable in model.trainable_variables}
    ours = take_over(model.optimizer, variables)
    assert ours.step.numpy() == 3
    # After iterations and learning rate come the slots, variable by variable.
    held = [slot.numpy() for slots in ours.slots.values() for slot in slots.values()]
    assert_same_bits(held, [variable.numpy() for variable in model.optimizer.variables[2:]])

    def cost(variables, images, labels):
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, model(images)))

    Program(cost, variables, ours, "graph").run([tf.constant(array) for array in digits], BATCHES[3:])
    assert_near(weights(model), weights(unstopped), 1e-6)


@pytest.mark.parametrize("bridge", [False, True])
@pytest.mark.parametrize(
    "schedule", [keras.optimizers.schedules.PiecewiseConstantDecay([4, 7], [0.1, 0.2, 0.3]), halving]
)
def test_a_schedule_is_taken_over(schedule, bridge):
    if schedule is halving and not bridge:
        schedule = StepSchedule(halving)
    rule = Adam.dialect("keras", learning_rate=schedule)
    results = []
    for steps in (6, 12):
        optimizer = KerasOptimizer(rule) if bridge else kerass_own("adam", learning_rate=schedule)
        variable = keras.Variable(np.ones((3, 2), np.float32))
        for g in GRADIENTS[:steps]:
            optimizer.apply([tf.constant(g)], [variable])
        if steps == 6:
            ours = take_over(optimizer, {"w": variable.value})
            for g in GRADIENTS[steps:]:
                ours.apply({"w": tf.constant(g)})
        results.append([variable.numpy()])
    assert_near(*results, 1e-6)


def test_another_rule_may_go_on_from_the_slots():
    variable = keras.Variable(np.ones((3, 2)), dtype="bfloat16")
    optimizer = kerass_own("adam")
    optimizer.apply([tf.ones([3, 2], tf.bfloat16)], [variable])
    ours = take_over(optimizer, {"w": variable.value}, Adam(0.5))
    assert ours.slots["w"]["v"].dtype == tf.float32
    np.testing.assert_array_equal(ours.slots["w"]["v"], tf.cast(optimizer.variables[3].value, tf.float32))
    before = tf.cast(variable.value, tf.float32).numpy()
    ours.apply({"w": tf.ones([3, 2], tf.bfloat16)})
    np.testing.assert_allclose(before - tf.cast(variable.value, tf.float32), 0.5, rtol=0.02)


def config(**changes):
    return {**KerasOptimizer(Adam()).get_config(), **changes}


def built(optimizer):
    if not optimizer.built:
        optimizer.build([keras.Variable(np.ones((3, 2), np.float32), name=name) for name in ("w", "b")])
    return optimizer


def behind(optimizer, *names):
    variables = {"w": optimizer._trainable_variables[0].value, "b": optimizer._trainable_variables[1].value}
    return {name: variables[name] for name in names}


def taken_over(optimizer, rule=None):
    return take_over(optimizer, behind(built(optimizer), "w", "b"), rule)


def half_a_step():
    optimizer = kerass_own("adam", gradient_accumulation_steps=2)
    stepped(optimizer, GRADIENTS[:1])
    return optimizer


def handed_back(rule, values=None, names=None):
    """An optimizer of variables of these values, for Keras's variables of these names."""
    values = {"w": 1.0, "b": 1.0} if values is None else values
    theirs = {
        name: keras.Variable(value, dtype=getattr(value, "dtype", None), name=name) for name, value in values.items()
    }
    optimizer = Optimizer(rule, {name: variable.value for name, variable in theirs.items()})
    return hand_back(optimizer, [keras.Variable(1.0, name=n) for n in names] if names else list(theirs.values()))


EVERY_BATCH = kerass_own("adam", use_ema=True, gradient_accumulation_steps=2)
DECAYING = chain(DecoupledDecay(0.5, where=lambda name, rank: True), Adam())


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        (lambda: taken_over(keras.optimizers.Optimizer(0.1)), "or a KerasOptimizer, found Optimizer()."),
        (lambda: take_over(Adam(), {}), "found Adam()."),
        (lambda: taken_over(kerass_own("adam", loss_scale_factor=8.0)), "no piece for loss_scale_factor: it must be"),
        (lambda: taken_over(EVERY_BATCH), "Keras averages weights after every batch, of which"),
        (lambda: taken_over(half_a_step()), "Of the 2 batches of a step 1 are accumulated: take"),
        (lambda: KerasOptimizer(chain(ClipByNorm(1.0), Adam()), clipvalue=1.0), "would act beside Keras's clipvalue"),
        (lambda: KerasOptimizer(chain(Adam(), Average(0.5)), use_ema=True), "would act beside Keras's use_ema"),
        (lambda: KerasOptimizer(AdamW(), weight_decay=0.1), "AdamW would act beside Keras's weight_decay: give one of"),
        (lambda: KerasOptimizer(DECAYING).exclude_from_weight_decay(var_names=["b"]), "itself says which variables"),
        (lambda: KerasOptimizer(DECAYING).get_config(), "DecoupledDecay: where cannot be saved, found <function"),
        (lambda: handed_back(ADAM, {"w": 1.0}, ["v"]), "needs the Keras variables behind w, all of them, found v."),
        (lambda: handed_back(Adam(0.1)), "Keras's Adam does not compute Adam with epsilon_form='algorithm-1'"),
        (lambda: taken_over(kerass_own("adam", weight_decay=0.1), AdamW()), "would act beside Keras's weight_decay"),
        (lambda: handed_back(around(ADAM, "keras", weight_decay=halving)), "weight_decay must be a number, found"),
        (lambda: handed_back(Momentum(0.1)), "Keras has no Momentum that it could go on with."),
        (lambda: handed_back(chain(L2(0.1), ADAM)), "Keras has no option for l2, L2("),
        (lambda: handed_back(MISPLACED["decay after the rule"][1]), "have this order or these forms: it has Decoupl"),
        (lambda: handed_back(around(ADAM, "torch", clip_norm=1.0)), "form='larger'), Adam, found ClipByNorm("),
        (lambda: handed_back(chain(ClipByNorm(1.0, where=only("w")), ADAM)), "the decay alone may leave out some"),
        (lambda: handed_back(ADAM, {"w": tf.constant(1, tf.bfloat16)}), "no masters of narrow variables"),
        (lambda: taken_over(kerass_own("adam", learning_rate=lambda: 0.1)), "must be a number or a schedule"),
        (lambda: taken_over(kerass_own("adam", epsilon=0.0)), "Adam: epsilon must lie in (0, ∞), found 0."),
        (lambda: taken_over(kerass_own("adam"), Adagrad(0.1)), "must have the slots m, v, found a."),
        (lambda: take_over(kerass_own("adam"), {}), "no slots yet: train a step with it"),
        (lambda: take_over(built(kerass_own("adam")), []), "a mapping from name to tf.Variable, found list."),
        (lambda: take_over(adam := built(kerass_own("adam")), behind(adam, "w")), "not among them: none; missing: b."),
        (lambda: take_over(built(kerass_own("adam")), {"u": tf.Variable(1.0)}), "them: u; missing: w, b."),
        (lambda: take_over(built(kerass_own("adam")), {"u": keras.Variable(1.0)}), "the tf.Variable behind each"),
        (lambda: KerasOptimizer("adam"), "needs a rule, such as Adam(), found 'adam'."),
        (lambda: KerasOptimizer(Adam(), learning_rate=0.1), "learning_rate"),
        (lambda: KerasOptimizer(Adam(), momentum=0.1), "options: Argument(s) not recognized: {'momentum': 0.1}"),
        (lambda: KerasOptimizer(Adam(tf.constant([0.1, 0.2]))), "cannot take this learning rate"),
        (lambda: built(KerasOptimizer(Adam(epsilon=1e-60))), "'w': epsilon = 1e-60 is out of the range of float32."),
        (lambda: stepped(KerasOptimizer(Forgetful(0.1))), "update must return Step"),
        (lambda: KerasOptimizer(Adam(halving)).get_config(), "a function of the step, which no file holds"),
        (lambda: KerasOptimizer(Adam(beta_1=tf.constant(0.5))).get_config(), "beta_1 cannot be saved, found <tf."),
        (lambda: KerasOptimizer(local_rule()).get_config(), "no rule 'tests.core.test_keras_bridge:local_rule"),
        (lambda: KerasOptimizer.from_config(config(rule="absent:Rule")), "There is no rule 'absent:Rule'"),
        (lambda: KerasOptimizer.from_config(config(rule="os:system")), "There is no rule 'os:system'"),
        (lambda: KerasOptimizer.from_config(config(settings={"beta": 1})), "'adam' cannot be built from its saved"),
    ],
)  # fmt: skip
def test_bad_input_ends_in_one_sentence(attempt, sentence):
    with pytest.raises(InputError) as error:
        attempt()
    assert sentence in str(error.value)


def test_constraints_are_not_taken_over():
    """Keras's optimizer applies them after each step, and ours would not."""
    layer = keras.layers.Dense(2, kernel_constraint="non_neg")
    layer.build((None, 3))
    optimizer = kerass_own("adam")
    optimizer.build(layer.trainable_variables)
    with pytest.raises(InputError, match=r"found constraints on: dense.*_kernel"):
        take_over(optimizer, {variable.name: variable.value for variable in layer.trainable_variables})


def test_an_optimizer_that_was_refused_its_variables_is_refused_them_again():
    """Would catch one that calls itself built after the first time, and then has no slots."""
    optimizer = KerasOptimizer(Adam(epsilon=1e-60))
    for _ in range(2):
        with pytest.raises(InputError, match="out of the range of float32"):
            optimizer.apply([tf.ones([2])], [keras.Variable(np.ones(2, np.float32))])
    assert len(optimizer.variables) == 2


@keras.saving.register_keras_serializable("tests")
def an_eighth():
    return 0.125


def test_a_rate_without_arguments_is_called_at_each_step_and_saved_by_name():
    optimizer = KerasOptimizer(Adam(an_eighth))
    again = KerasOptimizer.from_config(optimizer.get_config())
    assert_same_bits(stepped(optimizer), stepped(KerasOptimizer(Adam(0.125))))
    assert_same_bits(stepped(again), stepped(KerasOptimizer(Adam(0.125))))


def test_a_rate_of_0_and_the_rule_s_name_are_taken_as_keras_takes_them():
    optimizer = KerasOptimizer(Adam(0.0))
    assert optimizer.name.startswith("adam")
    assert all(np.all(one == 1) for one in stepped(optimizer))
    assert KerasOptimizer.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


def test_variables_without_gradients_may_be_among_those_it_is_built_with():
    """Not trainable, or of integers, as the state of a random generator is."""
    moving, still, count = (keras.Variable(1.0), keras.Variable(1.0, trainable=False), keras.Variable(1, dtype="int32"))
    optimizer = KerasOptimizer(Adam(0.125))
    optimizer.build([moving, still, count])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([tf.constant(1.0), None, None])
    assert [float(each) for each in (moving, still, count)] == [pytest.approx(0.875), 1, 1]


def test_slots_that_start_from_the_parameter_need_a_model_that_is_built():
    """Inside `fit`, a variable that is made there has no value yet. Would catch slots that silently start from 0."""
    deferred, built = keras.Sequential([keras.layers.Dense(1)]), keras.Sequential([keras.layers.Dense(1)])
    built.build((None, 2))
    for model in (deferred, built):
        model.compile(KerasOptimizer(Lookback(0.5)), loss="mse")
    with pytest.raises(InputError, match="starts from the parameter, which has no value yet: build the model before"):
        deferred.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    built.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_a_narrow_variable_moves_by_steps_that_its_dtype_cannot_hold():
    """And goes on so in core's own optimizer."""
    variable = keras.Variable(np.ones(3), dtype="bfloat16")
    optimizer = KerasOptimizer(Adam(1e-3))
    for _ in range(100):
        optimizer.apply([tf.ones([3], tf.bfloat16)], [variable])
    ours = take_over(optimizer, {"w": variable.value})
    np.testing.assert_allclose(ours.masters["w"], 0.9, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(variable), np.asarray(tf.cast(ours.masters["w"], tf.bfloat16)))


def test_a_model_that_cannot_be_saved_says_so(tmp_path):
    """`save` itself ends in our sentence, not in one of Keras's about lambdas."""
    model = network(KerasOptimizer(Adam(lambda step: 0.1)))
    with pytest.raises(InputError, match="which no file holds"):
        model.save(tmp_path / "model.keras")


def test_another_backend_of_keras_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="needs Keras's tensorflow backend, found jax"):
        KerasOptimizer(Adam())
