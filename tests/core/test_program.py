"""The four executions: every slot and stage against the oracle, what XLA made of the loop, and one body for all."""

import re
import warnings
from collections import Counter
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from core import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    InputError,
    Optimizer,
    Program,
    SlowExecutionWarning,
    softmax_cross_entropy,
)
from core.engine.executions import Execution
from core.engine.slow import warn_of_slow
from core.verification.judge import judge
from core.verification.streams import synthetic
from tests.cases import CASES, IDS, assert_close, in_one_program
from training.workloads.perceptron import logits, new_weights

EXECUTIONS = get_args(Execution)
KEYED = dict(zip(IDS, CASES.values(), strict=True))


def everything(cost, gradients, updates):
    """An observer that keeps the update, the slots and the stages of every variable."""
    return {name: {"delta": s.delta, **s.slots._asdict(), **s.stages} for name, s in updates.items()}


@pytest.fixture(scope="module")
def trajectories(request):
    """Every case's own, by key, all in one program of the execution: a compilation is what costs."""
    dtype, execution, steps = request.param
    return in_one_program({key: case.rule for key, case in KEYED.items()}, synthetic(dtype, steps), execution)


QUICK = {("float64", "eager"), ("float64", "graph"), ("float32", "xla-step"), ("float32", "xla-loop")}
RUNS = [
    pytest.param(
        (dtype, execution, {"xla-loop": {"float32": 10_000, "float64": 1_000}[dtype]}.get(execution, 40)),
        id=f"{execution}-{dtype}",
        marks=() if (dtype, execution) in QUICK else pytest.mark.whole,
    )
    for dtype in ("float32", "float64")
    for execution in EXECUTIONS
]


@pytest.mark.parametrize("trajectories", RUNS, indirect=True)
@pytest.mark.parametrize("key", KEYED)
def test_every_execution_stays_within_the_bound_at_every_slot_and_stage(key, trajectories):
    """Would catch a wrong step count, slots mixed up or assigned twice, a constant that passed through float32.

    The loop takes 10,000 steps in float32, in which powers of β leave its normal range, and where a dialect has them
    in float64, that one's too. In float64 it takes 1,000, past float32's normal range; 10,000 in `make verify`.
    """
    assert_close(KEYED[key], trajectories[key])


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_planted_error_is_caught_in_every_execution(execution):
    class Late(Adam):
        def update(self, g, slots, x, at):
            return super().update(g, slots, x, at._replace(t=at.t + 1))

    class Backwards(Adam):
        def update(self, g, slots, x, at):
            step = super().update(g, slots, x, at)
            return step._replace(delta=-step.delta)

    case = CASES["adam", "paper"]
    found = in_one_program({"x": Late(), "y": Backwards()}, synthetic(np.float64, 5), execution)
    assert judge(case.formula, found["x"]).first.value == "correction_1"
    assert judge(case.formula, found["y"]).first.value == "delta"


EVERY_RULE = {
    "h1": Adam(0.01), "b1": Adagrad(0.1), "h2": Adadelta(), "b2": SGD(0.1), "ho": Adadelta(), "bo": Adam(0.01),
}  # fmt: skip
"""By the weight that each updates: a compilation is what costs."""


def small_program(rule, execution, seed=0, observe=None):
    """A 6-5-4-3 perceptron on random data, with one rule or as many as there are weights: program, data, weights."""
    random = np.random.default_rng(seed)
    data = (
        tf.constant(random.standard_normal((64, 6)), tf.float32),
        tf.constant(random.integers(0, 3, 64), tf.int32),
    )
    weights = new_weights([6, 5, 4, 3], "he")
    observers = {} if observe is None else {"observe": observe}
    groups = [(rule[name], {name: weights[name]}) for name in weights] if isinstance(rule, dict) else [(rule, weights)]
    program = Program(
        lambda w, x, y: softmax_cross_entropy(logits(w, x), y),
        weights,
        Optimizer(groups),
        execution,
        **observers,
    )
    return program, data, weights


BATCHES = np.random.default_rng(1).integers(0, 64, (12, 8))


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_every_execution_trains_alike(execution):
    """Would catch a body that differs between executions: in ten steps roundings stay far below 1e-5."""
    program, data, weights = small_program(Adam(0.01), execution)
    reference, _, expected = small_program(Adam(0.01), "eager")
    np.testing.assert_allclose(program.run(data, BATCHES), reference.run(data, BATCHES), rtol=1e-5)
    for name in weights:
        np.testing.assert_allclose(weights[name].numpy(), expected[name].numpy(), rtol=1e-4, atol=1e-5)


def test_many_steps_in_one_call_are_many_calls_of_one_step_bit_for_bit():
    """Would catch state that the loop carries past the variables, or a step counted once a call."""
    (whole, data, whole_weights), (single, _, weights) = (small_program(EVERY_RULE, "xla-loop") for _ in range(2))
    costs = whole.run(data, BATCHES)
    one_by_one = tf.concat([single.run(data, batch[np.newaxis]) for batch in BATCHES], axis=0)
    np.testing.assert_array_equal(costs, one_by_one)
    for name in weights:
        np.testing.assert_array_equal(whole_weights[name].numpy(), weights[name].numpy())


@pytest.mark.parametrize("execution", ["graph", "xla-step"])
def test_steps_of_one_call_are_those_of_calls_by_tf_function_bit_for_bit(execution):
    """Would catch tensors that reach the trace in another order, steps that overtake one another, and costs that are
    read before they are there. The first step of a call alone is called through tf.function."""
    observing = dict(observe=everything)
    (whole, data, _), (single, _, _) = (small_program(Adam(0.01), execution, **observing) for _ in range(2))
    one_by_one = [single.run(data, batch[np.newaxis]) for batch in BATCHES]
    tf.nest.map_structure(
        lambda found, *expected: np.testing.assert_array_equal(found, np.concatenate(expected)),
        whole.run(data, BATCHES),
        *one_by_one,
    )


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_the_same_tensor_may_be_all_data(execution):
    x, same = {"x": tf.Variable(1.0)}, tf.constant([[1.0], [2.0], [3.0]])
    program = Program(lambda v, a, b: tf.reduce_sum(v["x"] * a * b), x, Optimizer(Adam(1e-30), x), execution)
    np.testing.assert_array_equal(program.run([same, same], [[0], [1], [2], [0]]), [1, 4, 9, 1])


@pytest.mark.parametrize("failing", [0, 2, 4], ids=["first", "amid", "last"])
def test_a_step_that_fails_ends_the_call_and_leaves_tensorflow_as_it_was(failing):
    """Would catch an error that is raised again by all that TensorFlow does afterwards, or never."""
    x, data = {"x": tf.Variable(1.0)}, [tf.constant([[1.0], [np.inf]])]
    optimizer = Optimizer(Adam(), x)
    program = Program(
        lambda v, d: tf.debugging.check_numerics(tf.reduce_sum(v["x"] * d), "cost"), x, optimizer, "graph"
    )
    batches = np.zeros([5, 1], int)
    program.run(data, batches)
    batches[failing] = 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="cost : Tensor had Inf"):
        program.run(data, batches)
    assert 5 + failing <= int(optimizer.step) <= 5 + failing + 1, "none after the one that failed"
    assert np.all(np.isfinite(program.run(data, np.zeros([5, 1], int))))
    assert tf.config.experimental.get_synchronous_execution()


@pytest.mark.parametrize("execution", ["graph", "xla-step", "xla-loop"])
def test_a_program_is_traced_once_and_a_remainder_once_more(execution):
    program, data, _ = small_program(Adam(0.01), execution)
    for _ in range(3):
        program.run(data, BATCHES)
    assert program.trace_count == 1
    program.run(data, BATCHES[:5])
    program.run(data, BATCHES[:5].astype(np.uint8))
    assert program.trace_count == (2 if execution == "xla-loop" else 1)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_many_programs_make_no_noise(execution, caplog):
    """TensorFlow warns of frequent retracing where several functions of one code are traced, once each."""
    x = {"x": tf.Variable(1.0)}
    for _ in range(8):
        Program(lambda v: v["x"] ** 2, x, Optimizer(Adam(), x), execution).run([], np.zeros([2, 0], int))
    assert not caplog.records


def test_xla_knows_the_trip_count_and_updates_every_variable_in_place():
    program, data, weights = small_program(EVERY_RULE, "xla-loop")
    hlo = program.compiler_ir(data, BATCHES)
    assert re.search(r'known_trip_count":\{"n":"12"', hlo)
    header = hlo[: hlo.index("entry_computation_layout")]
    slots = sum(len(rule.slots(tf.zeros(1))) for rule in EVERY_RULE.values())
    # Every parameter and slot, and the step counter.
    assert len(re.findall(r"(?:may|must)-alias", header)) == len(weights) + slots + 1


def test_the_trip_count_is_lost_with_a_tensor_as_bound():
    """What the test above would miss if its pattern matched anything."""
    loop = tf.function(
        lambda n: tf.while_loop(lambda i: i < n, lambda i: (i + 1,), (tf.constant(0),)), jit_compile=True
    )
    hlo = loop.experimental_get_compiler_ir(tf.constant(12))(stage="optimized_hlo")
    assert "known_trip_count" not in hlo


def test_a_compiled_program_says_which_variables_it_takes_and_in_which_order():
    """The types of the StableHLO's own arguments show it as well, except for variables of one shape."""
    program, data, weights = small_program(Adam(0.01), "xla-loop")
    captured = program.captured(data, BATCHES)
    assert len({id(variable) for variable in captured}) == len(captured) == 3 * len(weights) + 1
    main = next(line for line in program.compiler_ir(data, BATCHES, "stablehlo").splitlines() if "@main(" in line)
    types = re.findall(r"%arg\d+: tensor<(?:([\dx]+)x)?\w+>", main)[len(data) + 1 :]
    assert types == ["x".join(map(str, variable.shape)) for variable in captured]


def test_a_program_that_captures_more_than_variables_names_it():
    x, factor = {"x": tf.Variable(1.0)}, tf.constant(2.0)
    with pytest.raises(InputError, match=r"must hold variables and numbers alone, found <tf.Tensor: shape=\(\)"):
        Program(lambda v: factor * v["x"], x, Optimizer(Adam(), x)).captured([], np.zeros([1, 0], int))
    with pytest.raises(InputError, match="Only a compiled program captures"):
        Program(lambda v: v["x"], x, Optimizer(Adam(), x), "eager").captured([], np.zeros([1, 0], int))


def test_costs_come_as_float64_and_before_the_step():
    program, data, weights = small_program(Adam(0.5), "xla-loop")
    before = softmax_cross_entropy(
        logits(weights, data[0].numpy()[BATCHES[0]]), tf.constant(data[1].numpy()[BATCHES[0]])
    )
    costs = program.run(data, BATCHES)
    assert costs.dtype == tf.float64
    assert costs.shape == [12]
    np.testing.assert_allclose(costs[0], before, rtol=1e-6)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_an_observer_keeps_what_it_returns_at_each_step(execution):
    def observe(cost, gradients, updates):
        return {"cost": cost, "norm": tf.norm(gradients["ho"]), "m": updates["bo"].slots.m}

    program, data, _ = small_program(Adam(0.01), execution, observe=observe)
    observed = program.run(data, BATCHES)
    assert {name: value.shape for name, value in observed.items()} == {"cost": [12], "norm": [12], "m": [12, 3]}
    assert np.all(observed["norm"].numpy() > 0)


def test_observing_does_not_change_the_training():
    (plain, data, weights), (observed, _, same) = (
        small_program(Adam(0.01), "xla-loop"),
        small_program(Adam(0.01), "xla-loop", observe=everything),
    )
    plain.run(data, BATCHES)
    observed.run(data, BATCHES)
    for name in weights:
        np.testing.assert_array_equal(weights[name].numpy(), same[name].numpy())


def convolved(v, x):
    """Two convolutions and, in a branch, two poolings."""
    for _ in range(2):
        x = tf.nn.conv2d(x, v["k"], 1, "SAME")
    pooled = tf.cond(
        x[0, 0, 0, 0] > 1e9, lambda: x, lambda: tf.nn.max_pool2d(tf.nn.max_pool2d(x, 3, 1, "SAME"), 3, 1, "SAME")
    )
    return tf.reduce_mean(pooled)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_cost_that_its_execution_is_slow_at_is_said_once(execution):
    """Would catch a count of gradients' operations too, one that does not look into branches, a warning at every trace,
    and one where nothing is slow."""
    data, variables = (tf.ones([4, 5, 5, 1]),), {"k": tf.Variable(tf.ones([3, 3, 1, 1]))}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = Program(convolved, variables, Optimizer(SGD(0.1), variables), execution)
        for batches in ([[0, 1]], [[0, 1, 2]]):
            program.run(data, batches)
        small_program(Adam(0.01), execution)[0].check()
    said = [one for one in caught if one.category is SlowExecutionWarning]
    assert len(said) == execution.startswith("xla")
    for one in said:
        assert "The cost holds 2 Conv2D and 2 MaxPool, which XLA compiles badly" in str(one.message)


@pytest.mark.parametrize(
    ("device", "said"), [("/job:localhost/replica:0/task:0/device:CPU:0", 1), ("/device:GPU:0", 0)]
)
def test_convolutions_are_slow_on_a_processor_alone(device, said):
    """Would catch a warning on a GPU."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_slow(Counter({"Conv2D": 1}), [device])
    assert len(caught) == said


def test_the_default_execution_is_the_loop():
    x = tf.Variable(1.0)
    assert Program(lambda v: v["x"], {"x": x}, Optimizer(Adam(), {"x": x})).execution.name == "xla-loop"


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_cost_that_is_no_scalar_or_leaves_a_variable_out_is_refused(execution):
    variables = {"x": tf.Variable([1.0, 2.0]), "y": tf.Variable(1.0)}
    data, batches = [tf.zeros([4, 1])], [[0], [1]]
    vector = Program(lambda v, d: v["x"] * v["y"], variables, Optimizer(Adam(), variables), execution)
    with pytest.raises(InputError, match="scalar"):
        vector.run(data, batches)
    partial = Program(lambda v, d: tf.reduce_sum(v["x"]), variables, Optimizer(Adam(), variables), execution)
    with pytest.raises(InputError, match="gradient of 'y' is None"):
        partial.run(data, batches)


@pytest.mark.parametrize(
    ("data", "batches", "sentence"),
    [
        ([np.zeros([4, 1])], [[0, 4]], "batches must name examples from 0 to 3, found 0 to 4."),
        ([np.zeros([4, 1])], [[-1]], "found -1 to -1"),
        ([np.zeros([4, 1])], [0, 1], r"batches must be integers \[steps, batch size\]"),
        ([np.zeros([4, 1])], [[0.0]], r"found float64 \(1, 1\)"),
        ([np.zeros([4, 1])], np.zeros([0, 1], int), "of at least one step"),
        ([np.zeros([4, 1])], np.zeros([1, 0], int), r"where there is data, one example, found int64 \(1, 0\)"),
        ([np.zeros([4, 1]), np.zeros(5)], [[0]], r"first axis of as many examples, found shapes \[\(4, 1\), \(5,\)\]"),
        ([np.float32(1)], [[0]], r"found shapes \[\(\)\]"),
        (np.zeros([4, 1]), [[0]], "data must be a tuple of tensors, such as .* found ndarray"),
    ],
)
def test_data_and_batches_that_do_not_fit_are_refused(data, batches, sentence):
    """Would catch a wrong example number let through: XLA clamps it and trains on another example."""
    x = {"x": tf.Variable(1.0)}
    program = Program(lambda v, *batch: v["x"] ** 2, x, Optimizer(Adam(), x))
    with pytest.raises(InputError, match=sentence):
        program.run(data, batches)
    assert program.trace_count == 0


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_a_cost_may_need_no_data(execution):
    x = {"x": tf.Variable(1.0)}
    program = Program(lambda v: v["x"] ** 2, x, Optimizer(Adam(0.1), x), execution)
    costs = program.run([], np.zeros([20, 0], int))
    assert costs[-1] < costs[0] == 1.0


def test_an_optimizer_of_other_variables_is_refused():
    """Would catch two sets of the same names, of which one gives the gradients and the other moves."""
    x, other = {"x": tf.Variable(1.0)}, {"x": tf.Variable(1.0)}
    with pytest.raises(InputError, match="must have the variables x, these and no others"):
        Program(lambda v: v["x"], x, Optimizer(Adam(), other))
    with pytest.raises(InputError, match="these and no others"):
        Program(lambda v: v["x"], x, Optimizer(Adam(), x | {"y": tf.Variable(1.0)}))


def test_an_unknown_execution_is_refused():
    x = {"x": tf.Variable(1.0)}
    with pytest.raises(InputError, match="no execution 'warp'; there are: eager, graph, xla-step, xla-loop"):
        Program(lambda v: v["x"], x, Optimizer(Adam(), x), "warp")
    with pytest.raises(InputError, match="Only the xla executions"):
        Program(lambda v: v["x"], x, Optimizer(Adam(), x), "graph").compiler_ir([], [[0]])
