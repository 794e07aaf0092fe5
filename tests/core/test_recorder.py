"""The flight recorder: it leaves training alone, to the bit, and its figures are those of the saved slots."""

import re
from itertools import product
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from core import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Average,
    ClipByGlobalNorm,
    DecoupledDecay,
    InputError,
    Optimizer,
    Program,
    Recorder,
    Rule,
    Step,
    chain,
    matrices,
    schedules,
    softmax_cross_entropy,
)  # fmt: skip  # isort: skip
from core.engine.executions import Execution
from core.engine.figures import FIGURES, QUARTILES
from core.engine.reductions import HALF_OCTAVES, half_octave_edges
from core.xp import sqrt
from training.workloads.perceptron import logits, new_weights

EXECUTIONS = get_args(Execution)
LAYERS = [96, 64]
"""Of the one layer's 6,144 weights a compiled sum is folded. Half of its inputs are 0, and so are their gradients."""

RULES = {
    "adam": Adam(0.01),
    "adam-tf1": Adam.dialect("tf1", learning_rate=0.01, epsilon=1e-3),
    "adagrad": Adagrad(0.1, epsilon=0.05),
    "adagrad-keras": Adagrad.dialect("keras", learning_rate=0.1, initial_accumulator_value=0.0, epsilon=1e-5),
    "adadelta": Adadelta(1.7),
    "sgd": SGD(0.1),
}
"""Each ε is among what it is compared with; Adadelta's Δ ends in a product, which compilers may contract with x − Δ."""

BATCHES = np.random.default_rng(1).integers(0, 200, (12, 16))


def network(rule, execution="xla-loop", observe=None, **recording):
    """Program, data, weights and recorder, where one is asked for, of a small perceptron on random images."""
    random = np.random.default_rng(0)
    images = random.standard_normal((200, LAYERS[0])) * (np.arange(LAYERS[0]) % 2)
    data = tf.constant(images, tf.float32), tf.constant(random.integers(0, LAYERS[-1], 200), tf.int32)
    weights = new_weights(LAYERS, "he")
    optimizer = Optimizer(rule, weights)
    recorder = Recorder(optimizer, **recording) if recording else None
    observing = {} if observe is None else {"observe": lambda *step: observe(weights, *step)}
    program = Program(
        lambda w, x, y: softmax_cross_entropy(logits(w, x), y), weights, optimizer, execution, recorder=recorder,
        **observing,
    )  # fmt: skip
    return program, data, weights, recorder


def state(program, weights):
    optimizer = program.optimizer
    return [value.numpy() for value in (*weights.values(), *tf.nest.flatten(optimizer.slots), optimizer.step)]


ALL = dict(figures=[*FIGURES], coordinates={"ho": [(1, 3), (95, 63)], "bo": [(4,)]})


QUICK = {
    ("adam", "xla-loop", 5), ("adadelta", "xla-loop", 1), ("sgd", "xla-loop", 5), ("adagrad", "xla-step", 1),
    ("adam-tf1", "graph", 5), ("adagrad-keras", "eager", 5),
}  # fmt: skip
"""Every rule, every execution, both intervals; `pytest -m whole tests/core/test_recorder.py` takes all."""


@pytest.mark.parametrize(
    ("rule", "execution", "every"),
    [
        pytest.param(*case, marks=() if case in QUICK else pytest.mark.whole)
        for case in product(RULES, EXECUTIONS, [1, 5])
    ],
)
def test_training_with_the_recorder_is_training_without_it_to_the_bit(rule, execution, every):
    """Would catch a figure for whose sake XLA compiles the update otherwise, and a step that is lost or made twice."""
    plain, data, expected, _ = network(RULES[rule], execution)
    recorded, _, weights, _ = network(RULES[rule], execution, every=every, **ALL)
    for batches in (BATCHES[:7], BATCHES[5:]):
        np.testing.assert_array_equal(recorded.run(data, batches), plain.run(data, batches))
    for found, value in zip(state(recorded, weights), state(plain, expected), strict=True):
        np.testing.assert_array_equal(found, value)


class Pulled(Rule):
    """Its update adds a product to what is made of its slot alone: a compiler that keeps the latter for a reader rounds
    the product, and one that keeps nothing may not."""

    def slots(self, x):
        return Adagrad(0.1).slots(x)

    def update(self, g, slots, x, at):
        root = 1.7 * sqrt(slots.a + 1e-3)
        ratio = root / (1.0 + sqrt(root)) * 0.37
        pull = ratio * 0.9
        stages = dict(root=root, ratio=ratio, pull=pull)
        return Step(pull + self.learning_rate * g, slots._replace(a=slots.a + g * g), stages)


@pytest.mark.parametrize("execution", ["graph", "xla-step", "xla-loop"])
def test_stages_that_come_before_the_gradient_may_be_read(execution):
    """Would catch a recorder that reads the training's own slots: `Pulled` then ends with other bits."""
    plain, data, expected, _ = network(Pulled(0.1), execution)
    recorded, _, weights, _ = network(Pulled(0.1), execution, values=["root", "ratio", "pull"], every=5)
    plain.run(data, BATCHES), recorded.run(data, BATCHES)
    for found, value in zip(state(recorded, weights), state(plain, expected), strict=True):
        np.testing.assert_array_equal(found, value)


def test_the_comparison_of_bits_would_see_one_update_that_is_rounded_otherwise():
    """Planted: Adadelta's step computed as α·Δx − x with one rounding, where the rule has two."""

    class Contracted(Adadelta):
        def update(self, g, slots, x, at):
            step = super().update(g, slots, x, at)
            wide = tf.cast(self.learning_rate, tf.float64) * tf.cast(step.stages["dx"], tf.float64)
            return step._replace(delta=x - tf.cast(tf.cast(x, tf.float64) - wide, x.dtype))

    (one, data, weights, _), (other, _, expected, _) = network(Contracted(1.7)), network(Adadelta(1.7))
    one.run(data, BATCHES), other.run(data, BATCHES)
    assert any((weights[name].numpy() != expected[name].numpy()).any() for name in weights)


def saved(weights, cost, gradients, updates):
    """An observer that keeps all that figures are made of."""
    return cost, {
        name: {"g": gradients[name], "x": tf.convert_to_tensor(weights[name]), "delta": step.delta}
        | step.slots._asdict()
        | step.stages
        for name, step in updates.items()
    }


def outweighs(rule, a):
    """Where ε is the greater, written down once more for NumPy from the formula of each dialect."""
    match type(rule).__name__, getattr(rule, "epsilon_form", None):
        case "Adam", "algorithm-1":
            return rule.epsilon > np.sqrt(a["v"] / a["correction_2"])
        case "Adam", "epsilon-hat":
            return rule.epsilon > np.sqrt(a["v"])
        case "Adagrad", "outside-root":
            return rule.epsilon > np.sqrt(a["a"])
        case "Adagrad", "inside-root":
            return rule.epsilon > a["a"]
        case "Adadelta", _:
            return rule.epsilon > a["mean_g2"]


def expected_figures(rule, a):
    """Every figure of one layer in one step, in NumPy float64."""
    a = {name: np.asarray(value, np.float64) for name, value in a.items()}
    norm = np.linalg.norm
    figures = {f"norm_{name}": norm(a[name].ravel()) for name in ("g", "delta", "x", "m") if name in a}
    figures |= {
        f"norm_root_{name}": norm(np.sqrt(a[name]).ravel()) for name in ("v", "a", "mean_g2", "mean_dx2") if name in a
    }
    figures["relative_delta"] = figures["norm_delta"] / figures["norm_x"]
    figures |= {name: a[name] for name in ("correction_1", "correction_2") if name in a}
    figures["share_zero_g"] = (a["g"] == 0).mean()
    if type(rule).__name__ != "SGD":
        figures["share_epsilon_outweighs"] = outweighs(rule, a).mean()
    figures |= {f"nonfinite_{name}": np.sum(~np.isfinite(a[name])) for name in ("g", "x")}
    moved = a["g"] != 0
    rates = np.quantile(abs(a["delta"][moved]) / abs(a["g"][moved]), [*QUARTILES.values()], method="inverted_cdf")
    figures |= dict(zip((f"rate_{name}" for name in QUARTILES), rates, strict=True))
    edges = half_octave_edges()
    edges = np.append(edges[: list(edges).index(np.inf)], np.inf)
    for name in ("g", "delta", "x"):
        counts, _ = np.histogram(abs(a[name]), edges)
        figures[f"histogram_{name}"] = np.pad(counts, [0, HALF_OCTAVES - len(counts)])
    return figures


ROUNDINGS = 32 * 2.0**-24
"""A square, a term's way through at most 24 additions of rows, a root and a quotient: each rounds by 2⁻²⁴ of the value
at most, and all terms are of one sign."""


def assert_figures(recording, layer, row, expected, only=None):
    """Shares, counts and histograms are whole numbers, and so exact; what else is rounded, within `ROUNDINGS`."""
    for name, value in expected.items():
        if only in (None, name):
            found = recording.columns[f"{layer}/{name}"][row]
            exact = name.startswith(("share", "nonfinite", "histogram"))
            np.testing.assert_allclose(
                found, value, rtol=0 if exact else ROUNDINGS, err_msg=f"{layer}/{name}, row {row}"
            )


TAKEN = [
    pytest.param(
        (rule, execution), marks=() if execution == "eager" or rule in ("adam", "adadelta") else pytest.mark.whole
    )
    for rule in RULES
    for execution in ("eager", "xla-loop")
]
"""Every rule eagerly; in the loop those whose slots are two, since all figures are compiled for every rule."""


@pytest.fixture(scope="module", params=TAKEN, ids="-".join)
def recorded(request):
    """Rule, all figures of all steps, and all that they are made of: figures taken from one body of the step."""
    rule, execution = RULES[request.param[0]], request.param[1]
    program, data, _, recorder = network(rule, execution, saved, **ALL)
    costs, arrays = program.run(data, BATCHES)
    return rule, recorder.recording(), costs.numpy(), tf.nest.map_structure(lambda a: a.numpy(), arrays)


def test_every_figure_is_what_numpy_makes_of_the_saved_slots(recorded):
    """Of every layer and step. Would catch any figure of another array, step, layer or formula."""
    rule, recording, costs, arrays = recorded
    np.testing.assert_array_equal(recording.steps, range(1, 13))
    np.testing.assert_array_equal(recording.columns["cost"], costs)
    seen = {"cost"} | {name for name in recording.columns if "[" in name}
    for layer, values in arrays.items():
        for row in range(len(BATCHES)):
            expected = expected_figures(rule, {name: value[row] for name, value in values.items()})
            assert_figures(recording, layer, row, expected)
            seen |= {f"{layer}/{name}" for name in expected}
    assert seen == set(recording.columns), "every column was compared"


def test_each_figure_of_the_step_before_would_be_seen(recorded):
    """Planted: slots and update of one step earlier. What changes by more than roundings fails, each by itself."""
    rule, recording, _, arrays = recorded
    values = arrays["ho"]
    for name in expected_figures(rule, {name: value[1] for name, value in values.items()}):
        before, after = (expected_figures(rule, {k: v[row] for k, v in values.items()})[name] for row in (4, 5))
        if not np.allclose(before, after, rtol=ROUNDINGS, atol=0):
            with pytest.raises(AssertionError, match=name):
                assert_figures(recording, "ho", 5, {name: before})


def test_the_shares_tell_something(recorded):
    """Else a share that is always 0 would pass: half of h1's gradients are 0, and ε outweighs some, not all."""
    rule, recording, _, _ = recorded
    assert 0.5 <= recording.columns["ho/share_zero_g"].min() < 1
    if not isinstance(rule, SGD):
        assert recording.columns["ho/share_epsilon_outweighs"].min() >= 0.5


def test_chosen_elements_are_recorded_in_full(recorded):
    """And, to the bit, what they were before each step is what training made of them in the one before it."""
    _, recording, _, arrays = recorded
    for layer, elements in ALL["coordinates"].items():
        for element in elements:
            where = f"{layer}[{','.join(map(str, element))}]"
            numbers = {name: values for name, values in arrays[layer].items() if values.dtype != bool}
            for name, values in numbers.items():
                column, trained = (
                    recording.columns[f"{where}/{name}"],
                    values if values.ndim == 1 else values[:, *element],
                )
                # Applied once more, the rule may round each of its few operations otherwise; g goes into it as it is.
                bound = 0 if name == "g" else 8 * 2.0**-24 * abs(trained).max()
                np.testing.assert_allclose(column, trained, rtol=0, atol=bound, err_msg=name)
                if name in ("x", "m", "v", "a", "mean_g2", "mean_dx2"):
                    np.testing.assert_array_equal(recording.columns[f"{where}/{name}_before"][1:], trained[:-1])
            recorded = {name.removesuffix("_before") for name in recording.columns if name.startswith(where)}
            assert recorded == {f"{where}/{name}" for name in numbers}


@pytest.mark.parametrize(("execution", "every"), [*((e, 5) for e in EXECUTIONS), ("graph", 2), ("xla-loop", 20)])
def test_every_nth_step_is_recorded_wherever_calls_begin(execution, every):
    """In calls of 7 steps. Would catch a count that begins anew with each call, and rows that say nothing."""
    asked, calls = dict(figures=["norms"]), [BATCHES[:7], BATCHES[5:], BATCHES[:7]]
    program, data, _, recorder = network(Adam(0.01), execution, every=every, **asked)
    whole, _, _, all_steps = network(Adam(0.01), "graph", every=1, **asked)
    for batches in calls:
        program.run(data, batches), whole.run(data, batches)
    found, expected = recorder.recording(), all_steps.recording()
    np.testing.assert_array_equal(found.steps, range(1, 22, every))
    for name, values in expected.columns.items():
        # Other executions add up products in another order: in 21 steps that stays below 1e-5, a step's change above.
        np.testing.assert_allclose(found.columns[name], values[found.steps - 1], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
def test_any_slot_or_stage_is_recorded_by_its_name(execution):
    values = ("denominator", "m", "correction_2")
    program, data, _, recorder = network(Adam(0.01), execution, saved, figures=[], values=values, layers=["ho"])
    _, arrays = program.run(data, BATCHES)
    columns = recorder.recording().columns
    assert [*columns] == ["cost", "ho/norm_denominator", "ho/norm_m", "ho/correction_2"]
    for name in ("denominator", "m"):
        expected = np.linalg.norm(arrays["ho"][name].numpy().astype(float), axis=(1, 2))
        np.testing.assert_allclose(columns[f"ho/norm_{name}"], expected, rtol=ROUNDINGS)
    np.testing.assert_array_equal(columns["ho/correction_2"], arrays["ho"]["correction_2"])


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_what_is_not_finite_is_counted(execution):
    """One image of ∞: its weights' gradients are NaN, and so are the weights, once they are updated."""
    program, (images, labels), weights, recorder = network(SGD(0.1), execution, figures=["shares"])
    broken = tf.tensor_scatter_nd_update(images, [[0, 1], [0, 7]], [np.inf, np.inf])
    program.run((broken, labels), [[1, 2], [0, 3]])
    columns = recorder.recording().columns
    assert columns["ho/nonfinite_g"].tolist() == [0, np.sum(~np.isfinite(weights["ho"]))] != [0, 0]
    assert columns["ho/nonfinite_x"].tolist() == [0, np.sum(~np.isfinite(weights["ho"]))]


def test_what_stands_around_a_rule_is_recorded_and_training_left_alone():
    """In the compiled loop, to the bit. Would catch a schedule that is read a step late, a norm of another stage, and a
    figure of a piece at a variable that it leaves out."""
    rate = schedules.Cosine(0.02, 20)
    rule = chain(
        ClipByGlobalNorm(0.5), Adam(rate), DecoupledDecay(schedules.Points((0, 8), (0.1, 0.0)), where=matrices),
        Average(0.9),
    )  # fmt: skip

    def observe(weights, _, gradients, updates):
        return {name: step.values | {"delta": step.delta, "after": step.x} for name, step in updates.items()}

    plain, data, expected, _ = network(rule, observe=observe)
    recorded, _, weights, recorder = network(rule, observe=observe, figures=["norms"], every=3)
    observed = plain.run(data, BATCHES)
    recorded.run(data, BATCHES)
    for found, value in zip(state(recorded, weights), state(plain, expected), strict=True):
        np.testing.assert_array_equal(found, value)
    steps, columns = recorder.recording()

    def norms(name):
        return np.linalg.norm(observed["ho"][name].numpy().reshape(12, -1)[::3].astype(float), axis=1)

    close = dict(rtol=ROUNDINGS)
    np.testing.assert_allclose(columns["ho/learning_rate"], rate(steps - 1.0), rtol=1e-6)
    np.testing.assert_allclose(
        columns["ho/decoupled_decay.weight_decay"], np.maximum(0.1 - (steps - 1) / 80, 0), atol=1e-8
    )
    factors = observed["bo"]["clip_by_global_norm.factor"].numpy()[::3]
    np.testing.assert_array_equal(columns["bo/clip_by_global_norm.factor"], factors)
    assert 0 < factors.min() < 1
    shares = columns["ho/relative_decoupled_decay.decayed"], columns["ho/relative_average.distance"]
    np.testing.assert_allclose(shares[0], norms("decoupled_decay.decayed") / norms("delta"), **close)
    np.testing.assert_allclose(shares[1], norms("average.distance") / norms("after"), **close)
    assert {name for name in columns if name.startswith("bo/") and "decay" in name} == set()


def test_groups_of_rules_have_their_own_figures():
    w = {"a": tf.Variable([1.0, 2.0]), "b": tf.Variable([3.0])}
    optimizer = Optimizer([(Adam(), {"a": w["a"]}), (SGD(0.1), {"b": w["b"]})])
    recorder = Recorder(optimizer, figures=["norms", "shares"], values=["m_hat"])
    Program(lambda v: tf.reduce_sum(v["a"] ** 2) + v["b"][0] ** 2, w, optimizer, recorder=recorder).run(
        (), np.zeros([3, 0], int)
    )
    assert {name.split("/")[1] for name in recorder.recording().columns if name.startswith("b/")} == {
        "norm_g", "norm_delta", "norm_x", "share_zero_g", "nonfinite_g", "nonfinite_x", "relative_delta",
    }  # fmt: skip
    assert "a/norm_m_hat" in recorder.recording().columns


def test_a_rule_of_the_user_s_is_recorded_as_it_is():
    """It says nothing of squares, of an ε, nor has it diagnostics."""

    class Scaled(Rule):
        def slots(self, x):
            return SGD(1.0).slots(x)

        def update(self, g, slots, x, at):
            return Step(self.learning_rate * g, slots, dict(twice=2 * g))

    program, data, _, recorder = network(Scaled(0.1), every=2, values=["twice"])
    program.run(data, BATCHES)
    columns = recorder.recording().columns
    np.testing.assert_allclose(columns["ho/norm_twice"], 2 * columns["ho/norm_g"], rtol=1e-15)


def test_narrow_parameters_are_recorded_in_the_dtype_of_their_slots():
    x = {"x": tf.Variable(tf.cast([0.5, 0.25], tf.bfloat16))}
    optimizer = Optimizer(Adam(0.1), x)
    recorder = Recorder(optimizer, coordinates={"x": [(0,)]})
    Program(lambda v: tf.reduce_sum(v["x"] ** 2), x, optimizer, recorder=recorder).run((), np.zeros([2, 0], int))
    columns = recorder.recording().columns
    assert columns["x[0]/delta"][0] == pytest.approx(0.1, rel=1e-6), "of float32, not rounded to bfloat16"
    assert columns["x/norm_x"][-1] == pytest.approx(np.linalg.norm(x["x"].numpy().astype(float)))


def test_a_recorded_loop_still_updates_every_variable_in_place_and_copies_none():
    """Would catch an update that does not wait for the recorder to have read."""
    program, data, weights, _ = network(Adam(0.01), every=3)
    hlo = program.compiler_ir(data, BATCHES)
    assert hlo.count("may-alias") == len(weights) * 3 + 1
    assert not re.findall(r"= f32\[96,64\]\S* copy\(", hlo), "of weights or slots that the row reads"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (dict(every=0), "interval must be a whole number of steps, at least 1, found 0"),
        (dict(every=2.5), "interval must be a whole number of steps, at least 1, found 2.5"),
        (dict(figures=["norm"]), "no group of figures 'norm' to record; there are: histograms, norms, rates, shares"),
        (dict(layers=["h3"]), "no layer 'h3' to record; there are: bo, ho"),
        (dict(values=["n"]), "no slot or stage 'n' to record; there are: correction_1, correction_2, denominator, m,"),
        (dict(coordinates={"h3": [(0, 0)]}), "no layer 'h3'"),
        (dict(coordinates={"ho": [(0, 64)]}), r"no element \(0, 64\) of 'ho' to record: its shape is \[96, 64\]"),
        (dict(coordinates={"bo": [(0, 0)]}), r"no element \(0, 0\) of 'bo'"),
        (dict(coordinates={"bo": [3]}), "no element 3 of 'bo'"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_anything_is_trained(asked, sentence):
    weights = new_weights(LAYERS, "he")
    with pytest.raises(InputError, match=sentence):
        Recorder(Optimizer(Adam(), weights), **asked)


def test_a_recorder_of_another_optimizer_is_refused():
    weights = new_weights(LAYERS, "he")
    one, other = Optimizer(Adam(), weights), Optimizer(Adam(), weights)
    with pytest.raises(InputError, match="recorder must be made of the program's own optimizer"):
        Program(lambda w: w["ho"][0, 0], weights, one, recorder=Recorder(other))


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
@pytest.mark.parametrize("sparse", ["sum", "lazy", "occurrences"])
def test_sparse_gradients_are_recorded_as_they_count(sparse, execution):
    """Would catch steps that are recorded as if each gradient were dense: of lazy ones, rows that do not occur would
    move in the record alone."""
    table = {"table": tf.Variable(tf.ones([4, 2]))}
    optimizer = Optimizer(Adam(0.1), table, sparse=sparse)
    recorder = Recorder(optimizer)

    def norms(cost, gradients, updates):
        return tf.norm(gradients["table"]), tf.norm(updates["table"].delta)

    def cost(v, rows):
        return tf.reduce_sum(tf.gather(v["table"], rows) ** 2)

    program = Program(cost, table, optimizer, execution, norms, recorder)
    g, delta = program.run([tf.constant([0, 1, 1, 3])], [[0, 1], [1, 2], [3, 3]])
    columns = recorder.recording().columns
    np.testing.assert_allclose(columns["table/norm_g"], g, rtol=1e-6)
    np.testing.assert_allclose(columns["table/norm_delta"], delta, rtol=1e-6)
