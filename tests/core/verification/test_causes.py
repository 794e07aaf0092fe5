"""The commonest errors are named: in functions, which show no stages, and in rules, by what they compute alone."""

import keras
import numpy as np
import pytest
import torch

from core import Adam, Rule, Step
from core.rules import Decay
from core.rules.sgd import SGDSlots
from core.verification import OfFunction, OfRule, diverge, named, synthetic, verify
from core.verification.fits import _rounded, fitted
from core.verification.trajectory import Trajectory
from core.xp import sqrt
from tests.cases import DTYPES

STREAMS = {dtype: synthetic(dtype, 30) for dtype in DTYPES}


def adam(
    rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8, corrected=True, sign=1, decay=0.0, l2=0.0, kept=False, sums=False
):
    """Adam in NumPy with one thing wrong."""
    calls = []

    def update(g, slots, t, x):
        calls.append(t)
        g = g + np.asarray(l2, g.dtype) * x
        m = beta_1 * slots["m"] + (1 if sums else 1 - beta_1) * g
        v = beta_2 * slots["v"] + (1 - beta_2) * g * g
        c_1, c_2 = (1 - beta_1**t, 1 - beta_2**t) if corrected is True else (1, 1)
        if corrected == "once a tensor":
            c_1, c_2 = 1 - beta_1 ** len(calls), 1 - beta_2 ** len(calls)
        root = np.sqrt(v) / c_2 if corrected == "no root" else np.sqrt(v / c_2)
        if corrected == "no root":
            c_1, root = 1 - beta_1**t, np.sqrt(v) / (1 - beta_2**t)
        delta = sign * rate * (m / c_1) / (root + epsilon) + decay * x
        kept_m, kept_v = (m / c_1, v / c_2) if kept else (m, v)
        return delta.astype(g.dtype), {"m": kept_m.astype(g.dtype), "v": kept_v.astype(g.dtype)}

    return update


ERRORS = [
    (dict(corrected=False), "no bias correction at all"),
    (dict(corrected="no root"), "no root over correction_2"),
    (dict(corrected="once a tensor"), "the step counted once a tensor"),
    (dict(rate=3e-3), "learning rate = 0.003 instead of 0.001"),
    (dict(epsilon=1e-6), "ε = 1e-06 instead of 1e-08"),
    (dict(beta_1=0.8), "β1 = 0.8 instead of 0.9"),
    (dict(beta_2=0.99), "β2 = 0.99 instead of 0.999"),
    (dict(sign=-1), "Δ's sign"),
    (dict(decay=1e-4), "0.0001·θ added to Δ"),
    (dict(decay=1e-3 * 0.05), "weight decay, α·λ·θ in the update, λ of 0.05"),
    (dict(l2=0.05), "L2, λ·θ in the gradient, λ of 0.05"),
    (dict(kept=True), "slots overwritten by their corrected values"),
]


@pytest.mark.parametrize(("dtype", "changes", "words"), [
    (dtype, *error) for number, error in enumerate(ERRORS) for dtype in DTYPES[number % 2 : number % 2 + 1]
])  # fmt: skip
def test_the_commonest_errors_of_a_function_are_named(changes, words, dtype):
    (row,) = verify(adam(**changes), "adam:paper", streams=STREAMS.get, dtypes=[dtype])
    assert row.verdict == "differs"
    assert row.why is not None, row.first
    assert row.why.words == (words,)


class NeverFalls(Adam):
    def update(self, g, slots, x, at):
        step = super().update(g, slots, x, at)
        return step._replace(slots=step.slots._replace(v=step.slots.v + slots.v * 0.001))


def test_an_average_that_does_not_forget_is_named_and_no_cause_is_made_up():
    def update(g, slots, t, x):
        m, v = (0.9 * slots["m"] + 0.1 * g).astype(g.dtype), (slots["v"] + g * g).astype(g.dtype)
        delta = 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return delta.astype(g.dtype), {"m": m, "v": v}

    (row,) = verify(update, "adam:paper", streams=STREAMS.get, dtypes=["float64"])
    assert row.why.words == ("v forgets nothing: a sum",)
    (row,) = verify(NeverFalls, "adam:paper", streams=STREAMS.get, dtypes=["float64"], executions=["graph"])
    assert (row.verdict, row.why) == ("differs", None)


def test_an_error_that_comes_late_is_not_blamed_on_a_setting():
    """Would catch a cause that explains the first steps, which are right, and not the one that differs."""
    right = adam()

    def update(g, slots, t, x):
        delta, slots = right(g, slots, t, x)
        return (delta * (1.01 if t == 150 else 1)).astype(g.dtype), slots

    (row,) = verify(update, "adam:paper", streams=lambda dtype: synthetic(dtype, 200), dtypes=["float32"])
    assert (row.first.step, row.why) == (150, None)


def test_all_settings_that_differ_are_named_the_decisive_one_first():
    found = diverge(*(named(name, {}) for name in ("adadelta:keras", "adadelta:paper")), STREAMS["float64"])
    assert found.cause == ("ε = 1e-07 instead of 1e-06", "learning rate = 0.001 instead of 1")
    mine = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=2e-3, eps=1e-6)
    (row,) = verify(mine, keras.optimizers.Adam(), streams=STREAMS.get, dtypes=["float32"])
    assert row.verdict == "differs"
    assert {"learning rate = 0.002 instead of 0.001", "ε = 1e-06 instead of 1e-07"} < set(row.why.words)


def test_a_slot_that_starts_at_0_is_some_finite_way_apart():
    found = diverge(named("adagrad:torch", {}), named("adagrad:optax", {}), STREAMS["float64"])
    assert (found.step, found.found, found.expected) == (0, 0.0, 0.1)
    assert found.units == pytest.approx(2**52)


def test_a_function_is_told_where_it_parts_from_a_library():
    found = diverge(OfFunction(adam(beta_2=0.99), {"m": 0.0, "v": 0.0}), named("torch:adam", {}), STREAMS["float64"])
    assert found.cause == ("β2 = 0.99 instead of 0.999",)


def test_a_fitted_number_is_tried_as_a_person_writes_it():
    assert 0.999 in _rounded(0.99900000123)
    assert 3e-4 in _rounded(2.9999e-4)
    assert _rounded(0.123456789)[-1] == 0.123456789


class Nothing(Adam):
    def update(self, g, slots, x, at):
        step = super().update(g, slots, x, at)
        return step._replace(delta=step.delta / sqrt(g - g))


def test_a_subject_that_gives_no_numbers_differs_where_it_does():
    (row,) = verify(Nothing, "adam:paper", streams=STREAMS.get, dtypes=["float32"], executions=["graph"])
    assert (row.verdict, row.first.value, row.first.step) == ("differs", "delta", 1)
    right = adam()

    def update(g, slots, t, x):
        with np.errstate(all="ignore"):
            delta, after = right(g, slots, t - 1, np.zeros_like(x))
        return delta, after

    (row,) = verify(update, "adam:paper", streams=STREAMS.get, dtypes=["float32"])
    assert row.why.words == ("t counted from 0",)


class Jumping(Rule):
    """Its Δ changes its sign where `keep` leaves 0, and is never 0."""

    learning_rate: float = 1.0
    keep: Decay = 0.5

    def slots(self, x):
        return SGDSlots()

    def update(self, g, slots, x, at):
        return Step(g if self.keep > 0 else -g, slots, {})


def test_a_number_that_is_between_two_and_is_none_is_no_failure():
    """Would catch a search that ends in RuntimeError, and with it the verdicts of all rows."""
    ones = np.ones((1, 2))
    part = Trajectory(np.array([1]), ones, ones, {}, {"delta": np.zeros((1, 2))})
    assert list(fitted(OfRule("jumping", Jumping()), part, "delta", 0, 0))
