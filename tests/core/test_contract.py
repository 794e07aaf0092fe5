"""What a rule may be: numbers that follow the step or the run, slots of any shape and nested, where it goes, what it
serves, and what it may know of the other variables."""

from dataclasses import replace
from typing import Annotated, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from core import RULES, Adam, At, InputError, Optimizer, Program, Recorder, Rule, Step
from core.rules import Decay, Rate, named
from core.rules.adam import AdamSlots
from core.rules.settings import Interval, notes
from core.verification import FORMULAS
from core.xp import Array, maximum, mean, zeros_like


class Slots(NamedTuple):
    inner: AdamSlots
    average: Array
    largest: Array
    unused: Annotated[Array, "kept with no setting here"]


class Everything(Rule):
    """Adam on gradients divided by the norm of all; it returns where it goes, and serves an average of that."""

    NEEDS_NORM = True

    learning_rate: Rate = 0.1
    keep: Decay = 0.5

    def slots(self, x):
        return Slots(Adam(0.1).slots(x), x, zeros_like(mean(x)), ())

    def update(self, g, slots, x, at):
        scaled = g / tf.cast(at.norm_g, g.dtype)
        step = Adam(self.learning_rate).step(scaled, slots.inner, x, at)
        average = self.keep * slots.average + (1 - self.keep) * step.x
        largest = maximum(slots.largest, mean(g * g))
        return Step(None, Slots(step.slots, average, largest, ()), {"rises": step.delta < 0}, step.x)

    def served(self, x, slots):
        return slots.average


def trained(execution, recorder=None):
    """Two variables after three steps of x·g: by hand in float64, and by the optimizer."""
    g = {"w": np.array([[3.0, -4.0]]), "b": np.array(12.0)}
    variables = {"w": tf.Variable(tf.zeros([1, 2], tf.float64)), "b": tf.Variable(tf.ones([], tf.float64))}
    optimizer = Optimizer(Everything(), variables)

    def cost(v, one):
        return tf.reduce_sum(v["w"] * g["w"] + v["b"] * g["b"] / 2) * one[0, 0]

    recorder = Recorder(optimizer) if recorder else None
    Program(cost, variables, optimizer, execution, recorder=recorder).run(
        (tf.ones([3, 1], tf.float64),), [[0], [1], [2]]
    )
    return g, variables, optimizer, recorder


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
def test_a_rule_may_nest_slots_know_the_norm_return_where_it_goes_and_serve_another_parameter(execution):
    """Would catch a norm of one variable alone, slots in another's place, θ′ taken for Δ, and θ served."""
    g, variables, optimizer, _ = trained(execution)
    assert set(optimizer.slots["b"]) == {"inner.m", "inner.v", "average", "largest"}
    assert optimizer.slots["w"]["largest"].shape == []
    for name, start in (("w", np.zeros((1, 2))), ("b", np.ones(()))):
        scaled, x, average, slots = g[name] / 13.0, start, start, Adam(0.1).slots(start)
        for t in (1, 2, 3):
            step = Adam(0.1).step(scaled, slots, x, At(np.float64(t)))
            slots, x, average = step.slots, step.x, 0.5 * average + 0.5 * step.x
        np.testing.assert_allclose(variables[name].numpy(), x, rtol=1e-12)
        np.testing.assert_allclose(optimizer.served()[name].numpy(), average, rtol=1e-12)
        np.testing.assert_allclose(optimizer.slots[name]["inner.v"].numpy(), slots.v, rtol=1e-12)


def test_a_recorder_keeps_conditions_as_shares_and_the_norm_of_what_is_served():
    _, _, optimizer, recorder = trained("xla-loop", recorder=True)
    columns = recorder.recording().columns
    assert columns["w/share_rises"].tolist() == [0.5] * 3
    assert columns["w/norm_served"][-1] == pytest.approx(np.linalg.norm(optimizer.served()["w"].numpy()))


NUMBERS = [(name, setting) for name, kind in RULES.items() for setting in notes(kind, Interval)]


@pytest.mark.parametrize(("name", "setting"), NUMBERS, ids=["-".join(one) for one in NUMBERS])
def test_every_number_of_every_rule_may_follow_the_step_or_the_run(name, setting):
    """A schedule is the number that it returns for the steps before; an array, each of its numbers in a run of its own.

    Would catch a number that is read before it is resolved, or that meets the wrong axis.
    """
    dialects = [one for one, formula in FORMULAS[name].items() if setting in formula.decided] or [*FORMULAS[name]]
    usual = RULES[name].dialect(dialects[0], learning_rate=0.1)
    least, most = notes(RULES[name], Interval)[setting][:2]
    low, high = (most - 0.5, most - 0.25) if least == -np.inf else (least + 0.25, least + 0.5)
    random = np.random.default_rng(0)
    g, x = random.standard_normal((2, 2, 3)), random.standard_normal((2, 2, 3))
    runs, at = replace(usual, **{setting: np.array([low, high])}), At(np.float64(4))
    scheduled = replace(usual, **{setting: lambda step: low + 0.125 * (step - 3)})  # low in step 4
    for row, value in enumerate((low, high)):
        plain = replace(usual, **{setting: value})
        expected = plain.step(g[row], plain.first(x[row]), x[row], at)
        step = runs.step(g, runs.first(x), x, at)
        np.testing.assert_allclose(step.x[row], expected.x, rtol=1e-14)
        for slot, array in named(expected.slots).items():
            found = named(step.slots)[slot]
            np.testing.assert_allclose(found[row] if np.ndim(found) else found, array, rtol=1e-14)
        if value == low:
            # First slots are there before the first step, where no schedule has a value.
            step = scheduled.step(g[row], plain.first(x[row]), x[row], at)
            np.testing.assert_allclose(step.x, expected.x, rtol=1e-14)


def test_a_rule_of_before_is_refused_with_what_to_rename():
    with pytest.raises(
        InputError, match=r"write update\(self, g, slots, x, at\), with at\.t for t, and self\.learning"
    ):

        class Before(Adam):
            def update(self, g, slots, t, x):
                return super().update(g, slots, t, x)

    with pytest.raises(InputError, match=r"Told\.diagnostics is not called since rawstep 0\.2: put what it returned"):

        class Told(Adam):
            def diagnostics(self, step):
                return {}
