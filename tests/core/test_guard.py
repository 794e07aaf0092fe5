"""A run that leaves the finite numbers: where it did, and what is left of it."""

from typing import NamedTuple, get_args

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adam, Guard, InputError, NonFiniteError, Optimizer, Program, Recorder, Rule, Step, around
from core.engine.executions import Execution

STEPS = np.zeros((4, 1), int)
"""Of calls that look at no data."""


class Kept(NamedTuple):
    lowest: tf.Tensor


class FromInfinity(Rule):
    """Its slot starts at infinity, and is meant to."""

    learning_rate: float = 0.1

    def slots(self, x):
        return Kept(tf.fill(x.shape, tf.cast(np.inf, x.dtype)))

    def update(self, g, slots, x, at):
        return Step(self.learning_rate * g, Kept(tf.minimum(slots.lowest, tf.abs(g) + 1)), {})


class StageOfNothing(Rule):
    """0/0 in a stage, at the third step, and in nothing else."""

    learning_rate: float = 0.1

    def slots(self, x):
        return Kept(tf.zeros_like(x))

    def update(self, g, slots, x, at):
        stage = tf.cast(tf.where(at.t == 3, np.nan, 1.0), g.dtype) * g
        return Step(self.learning_rate * stage, slots, {"ratio": stage})


def guarded(rule, cost, start=1.0, execution="xla-loop", on_nonfinite="stop", recorded=False):
    variables = {"w": tf.Variable([start, 1.0])}
    optimizer = Optimizer(rule, variables)
    recorder = Recorder(optimizer) if recorded else None
    return Guard(Program(cost, variables, optimizer, execution, recorder=recorder), on_nonfinite), variables, recorder


def square(v):
    return tf.reduce_sum(v["w"] ** 2)


def roots(v):
    """Its gradient at 0 is infinite, and it is not."""
    return tf.reduce_sum(tf.sqrt(v["w"]))


def steep(v):
    """Its gradient is 1e25, of which the square is too much for float32."""
    return tf.reduce_sum(1e25 * v["w"])


CASES = {
    "the cost": (SGD(1e18), square, 1.0, 3, "the cost is infinite"),
    "the gradient": (SGD(0.5), roots, 0.0, 1, "the gradient of w is infinite in 1 of 2"),
    "a slot": (Adam(), steep, 1.0, 1, "v of w is infinite in 2 of 2 elements"),
    "a stage": (StageOfNothing(), square, 1.0, 3, "ratio of w is NaN in 2 of 2 elements"),
    "the variable": (SGD(1e38), lambda v: tf.reduce_sum(10 * v["w"]), 1.0, 1, "Δ of w is infinite in 2 of 2 elements"),
}  # fmt: skip


@pytest.mark.parametrize("execution", get_args(Execution))
@pytest.mark.parametrize(("rule", "cost", "start", "step", "sentence"), CASES.values(), ids=CASES)
def test_the_first_value_that_is_not_finite_is_named(rule, cost, start, step, sentence, execution):
    """And everything is as before. Of most of these no cost tells before the variables are lost; of Adam's v none ever
    does, for with v = ∞ the network merely stands still."""
    guard, variables, _ = guarded(rule, cost, start, execution)
    before = variables["w"].numpy()

    def call():
        guard.run((), STEPS)
        guard.look()

    with pytest.raises(NonFiniteError) as error:
        call()
    assert error.value.step == step
    assert sentence in str(error.value)
    np.testing.assert_array_equal(variables["w"].numpy(), before)
    assert np.isfinite(before).all()


def test_a_run_goes_back_to_its_last_look_and_on_from_there():
    """At a smaller rate. Would catch a step counter or a slot that is left behind: the steps after have other bits."""
    rate = tf.Variable(0.1)
    guard, variables, _ = guarded(Adam(rate), square)
    guard.run((), STEPS)
    guard.look()
    rate.assign(1e38)
    with pytest.raises(NonFiniteError, match="step 6 "):
        guard.run((), STEPS)
    rate.assign(0.1)
    guard.run((), STEPS)
    guard.look()
    plain, others, _ = guarded(Adam(tf.Variable(0.1)), square)
    plain.run((), STEPS)
    plain.run((), STEPS)
    np.testing.assert_array_equal(variables["w"].numpy(), others["w"].numpy())
    rate.assign(1e38)
    with pytest.raises(NonFiniteError, match="step 10 "):
        guard.run((), STEPS)


@pytest.mark.parametrize("execution", ["graph", "xla-loop"])
def test_a_run_that_continues_has_the_bits_of_one_that_nobody_looks_at(execution):
    """With what a recorder saw of it: the steps that are taken twice to find the first are not recorded twice."""
    guard, variables, recorder = guarded(SGD(1e18), square, execution=execution, on_nonfinite="continue", recorded=True)
    costs = [guard.run((), STEPS) for _ in range(2)]
    assert str(guard.found) == "step 3 left the finite numbers: the cost is infinite"
    other, plain, alone = guarded(SGD(1e18), square, execution=execution, recorded=True)
    expected = [other._program.run((), STEPS).numpy() for _ in range(2)]
    np.testing.assert_array_equal(costs, expected)
    np.testing.assert_array_equal(variables["w"].numpy(), plain["w"].numpy())
    np.testing.assert_array_equal(recorder.recording().steps, alone.recording().steps)


EXAMPLES = np.random.default_rng(0).normal(size=[32, 300]).astype(np.float32)
BATCHES = np.arange(32).reshape(8, 4)
PLANTED = {
    "a NaN": [(13, np.nan)],
    "infinities that cancel": [(13, np.inf), (14, -np.inf)],
    "a cost alone": [(13, 3e38)],
    "in the last batch": [(31, np.nan)],
    "in the first two": [(0, np.nan), (4, np.inf)],
}
"""In which examples what stands in the place of their first number; four are a batch."""


def distances(v, x):
    return tf.reduce_mean(tf.abs(x @ v["w"] + v["b"]))


def run_skipping(planted, batches, execution, on_nonfinite="skip"):
    """The state after a run, and its costs."""
    examples = EXAMPLES.copy()
    for example, value in planted:
        examples[example, 0] = value
    variables = {"w": tf.Variable(np.full([300, 2], 2, np.float32)), "b": tf.Variable(np.zeros(2, np.float32))}
    rule = around(Adam(), "paper", clip_global_norm=1.0, weight_decay=0.01, ema=0.9)
    optimizer = Optimizer(rule, variables, drops_nonfinite=on_nonfinite == "skip")
    guard = Guard(Program(distances, variables, optimizer, execution), on_nonfinite)
    costs = guard.run([tf.constant(examples)], batches)
    guard.look()
    return {name: variable.numpy().tobytes() for name, variable in optimizer.state.items()}, costs


@pytest.mark.parametrize(
    ("planted", "execution"),
    [(PLANTED["a NaN"], execution) for execution in get_args(Execution)]
    + [(planted, "xla-loop") for name, planted in PLANTED.items() if name != "a NaN"],
)
def test_a_run_that_skips_has_the_bits_of_one_without_those_batches(planted, execution):
    """With a clip by the global norm, a decay and an average. Would catch a slot, an average or a counter that moves, a
    question that sums answer (∞ − ∞, or 3e38 four times), and costs that are not looked at."""
    lost = sorted({example // 4 for example, _ in planted})
    skipped, costs = run_skipping(planted, BATCHES, execution)
    spared, others = run_skipping([], np.delete(BATCHES, lost, axis=0), execution)
    assert int(np.frombuffer(skipped.pop("dropped steps"), np.int64)[0]) == len(lost)
    assert spared.pop("dropped steps") == bytes(8)
    assert skipped == spared
    assert not np.isfinite(costs[lost]).any()
    np.testing.assert_array_equal(np.delete(costs, lost), others)


@pytest.mark.parametrize("execution", ["graph", "xla-loop"])
def test_a_run_that_has_nothing_to_skip_has_the_bits_of_one_that_does_not(execution):
    skipping, costs = run_skipping([], BATCHES, execution)
    stopping, others = run_skipping([], BATCHES, execution, "stop")
    assert skipping == stopping
    np.testing.assert_array_equal(costs, others)


def test_large_gradients_whose_sum_overflows_are_not_skipped():
    """Two of 3e38, of finite ones."""
    variables = {"w": tf.Variable([[0.0], [0.0]])}
    optimizer = Optimizer(SGD(1e-37), variables, drops_nonfinite=True)
    Program(lambda v: tf.reduce_sum(v["w"] * 3e38), variables, optimizer).run((), STEPS[:1])
    assert (int(optimizer.step), int(optimizer.dropped)) == (1, 0)


def test_a_run_that_skips_still_ends_where_a_rule_leaves_the_finite_numbers():
    """v = ∞ from finite gradients: to skip the step would hide it, and the next one would be lost too."""
    variables = {"w": tf.Variable([1.0, 1.0])}
    guard = Guard(Program(steep, variables, Optimizer(Adam(), variables, drops_nonfinite=True)), "skip")
    guard.run((), STEPS)
    with pytest.raises(NonFiniteError, match="step 1 left the finite numbers: v of w is infinite in 2 of 2 elements"):
        guard.look()


def test_a_guard_that_is_to_skip_needs_an_optimizer_that_drops():
    with pytest.raises(InputError, match="make it with drops_nonfinite=True"):
        guarded(Adam(), square, on_nonfinite="skip")


def test_a_slot_that_starts_at_infinity_may():
    guard, *_ = guarded(FromInfinity(), square)
    guard.look()
    guard.run((), STEPS)
    guard.look()
    assert guard.found is None
