"""A run that leaves the finite numbers: where it did, and what is left of it."""

from typing import NamedTuple, get_args

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adam, Guard, NonFiniteError, Optimizer, Program, Recorder, Rule, Step
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


def test_a_slot_that_starts_at_infinity_may():
    guard, *_ = guarded(FromInfinity(), square)
    guard.look()
    guard.run((), STEPS)
    guard.look()
    assert guard.found is None
