"""Whose optimizer may be judged, against what: optimizers of three libraries, functions, statements of one's own."""

from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import optax
import pytest
import torch

from core import Adam, InputError, Rule, Step
from core.rules import Decay, Rate
from core.verification import STEPS, Layout, claim, synthetic, verify
from core.xp import Array, where, zeros_like
from tests.cases import DTYPES

STREAMS = {dtype: synthetic(dtype, 30) for dtype in DTYPES}


def quick(subject, reference, **options):
    return verify(subject, reference, **{"executions": ["graph"], "streams": STREAMS.get, **options})


def verdicts(rows):
    return {row.verdict for row in rows}


class MomentumSlots(NamedTuple):
    u: Array


class Momentum(Rule):
    """Polyak's, as PyTorch computes it; there is no formula for it here."""

    learning_rate: Rate = 0.01
    mu: Decay = 0.9
    error: str = ""

    def slots(self, x):
        return MomentumSlots(zeros_like(x))

    def update(self, g, slots, x, at):
        u = self.mu * slots.u + g
        shown = where(u > 1, u * 1.001, u) if self.error == "large" else u
        return Step(self.learning_rate * (g if self.error == "g" else shown), MomentumSlots(u), {})


def momentum(g, slots, t, x, mu=0.9):
    u = mu * slots["u"] + g
    return 0.01 * u, {"u": u}


def stepwise(g, slots, t, x):
    """The same with an `if` on the step, which arrays of steps do not bear."""
    return momentum(g, slots, t, x) if t > 0 else (g, slots)


def torch_sgd(**options):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01, **options)


def decaying(g, slots, t, x, decay=0.01):
    """AdamW as PyTorch computes it, whose own parameters are rounded twice a step."""
    m, v = 0.9 * slots["m"] + 0.1 * g, 0.999 * slots["v"] + 0.001 * g * g
    step = 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return step + 1e-3 * decay * x, {"m": m, "v": v}


U, MV = {"u": 0.0}, {"m": 0.0, "v": 0.0}


def called(value):
    """Names of tests that are the same in every process: no address of an object in them."""
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


@pytest.mark.parametrize(("subject", "reference", "options"), [
    (Momentum, "itself", {}),
    (Momentum, momentum, {}),
    (Momentum, stepwise, {}),
    (Momentum, "torch:SGD(momentum=0.9, lr=0.01)", {}),
    (Momentum, torch_sgd(momentum=0.9), {}),
    (momentum, Momentum, {}),
    (momentum, stepwise, {"slots": U}),
    (torch_sgd(momentum=0.9), momentum, {"slots": U}),
    (torch_sgd(momentum=0.9, foreach=True), Momentum(), {}),
    (torch_sgd(momentum=0.9, weight_decay=0.1, nesterov=True), "torch:SGD", {}),
    (optax.chain(optax.trace(0.9), optax.scale(-0.01)), momentum, {"slots": U}),
    (keras.optimizers.SGD(0.01, momentum=0.9), "keras:SGD(momentum=0.9)", {}),
    (keras.optimizers.Adam(weight_decay=0.004, clipnorm=1.0, amsgrad=True), "keras:adam", {}),
    (torch.optim.RAdam, "torch:RAdam(foreach=False)", {}),
    (torch.optim.Adam, Adam(0.001), {}),
    (decaying, "torch:AdamW", {"slots": MV}),
], ids=called)  # fmt: skip
def test_a_right_one_is_certified_against_a_rule_a_function_or_a_library_s_optimizer(subject, reference, options):
    """In one of the dtypes in which it can be asked, which of Keras's optimizers float32 is alone."""
    keras_s = any("keras" in str(type(one)) or "keras:" in str(one) for one in (subject, reference))
    asked = claim(subject, reference, **options)
    assert [dtype for dtype in DTYPES if asked.can_be_asked(dtype)] == (["float32"] if keras_s else [*DTYPES])
    rows = quick(
        subject, reference, dtypes=["float32" if keras_s or isinstance(reference, str) else "float64"], **options
    )
    assert verdicts(rows) == {"certified"}, rows
    assert all(row.planted >= 5 and not row.missed for row in rows)


@pytest.mark.parametrize(("subject", "reference", "options"), [
    (Momentum(error="g"), momentum, {}),
    (Momentum(error="large"), "torch:SGD(momentum=0.9, lr=0.01)", {}),
    (Momentum(mu=0.8), torch_sgd(momentum=0.9), {}),
    (torch_sgd(momentum=0.9, nesterov=True), momentum, {"slots": U}),
    (torch_sgd(momentum=0.9, weight_decay=1e-3), momentum, {"slots": U}),
    (keras.optimizers.SGD(weight_decay=0.004, clipnorm=1.0), "keras:SGD(weight_decay=0.004, clipnorm=1.1)", {}),
    (optax.chain(optax.trace(0.9), optax.scale(-0.01)), "optax:sgd(learning_rate=0.01, momentum=0.91)", {}),
    (torch.optim.Adam, Adam(0.002), {}),
    (partial(decaying, decay=0.011), "torch:AdamW", {"slots": MV}),
], ids=called)  # fmt: skip
def test_a_wrong_one_differs(subject, reference, options):
    assert verdicts(quick(subject, reference, dtypes=["float32"], **options)) == {"differs"}


def test_a_rule_that_strays_in_one_dtype_differs_from_itself():
    """Would catch a comparison of a rule with itself that can only agree."""

    class Narrow(Momentum):
        def update(self, g, slots, x, at):
            step = super().update(g, slots, x, at)
            return step._replace(delta=step.delta * (1.0001 if g.dtype == np.float32 else 1.0))

    assert [row.verdict for row in quick(Narrow, "itself", dtypes=["float32"])] == ["differs"]


@pytest.mark.parametrize("subject", [lambda g, s, t, x: (0.01 * g, {}), keras.optimizers.SGD(), torch.optim.SGD])
def test_a_rule_without_slots_is_judged(subject):
    options = {} if isinstance(subject, type) else {"settings": {"learning_rate": 0.01}}
    if isinstance(subject, keras.optimizers.Optimizer):
        options = {}
    assert verdicts(quick(subject, "sgd:keras", **options)) == {"certified"}


@pytest.mark.parametrize("kind", [keras.optimizers.Adagrad, keras.optimizers.Adadelta])
def test_keras_s_own_hide_no_error_from_drawn_slots(kind):
    """Accumulators that start at 0.1 hide an ε of 1e-7 in float32; no setting of an instance was to be changed."""
    rows = quick(kind(), f"keras:{kind.__name__.lower()}", dtypes=["float32"])
    assert verdicts(rows) == {"certified"}
    assert all(row.planted >= 13 and not row.missed for row in rows), rows


def test_an_adadelta_function_is_not_blamed_for_roundings_that_its_settings_hide():
    def adadelta(g, slots, t, x):
        a = (0.9 * slots["mean_g2"] + (1 - 0.9) * g * g).astype(g.dtype)
        dx = (np.sqrt(slots["mean_dx2"] + 1e-6) / np.sqrt(a + 1e-6) * g).astype(g.dtype)
        return dx, {"mean_g2": a, "mean_dx2": (0.9 * slots["mean_dx2"] + (1 - 0.9) * dx * dx).astype(g.dtype)}

    for row in quick(adadelta, "torch:adadelta", dtypes=["float32"]):
        assert (row.verdict, row.missed) == ("certified", ())
        assert all("ρ" in error for error in row.alike)


class Unseen(Adam):
    epsilon = 1e-3


def test_a_setting_that_the_class_body_assigns_is_the_one_that_is_judged():
    """It was ignored, and the rule then certified with an ε that its author had not written."""
    assert Unseen().epsilon == 1e-3
    assert verdicts(quick(Unseen, "adam:paper", dtypes=["float32"])) == {"certified"}
    (row,) = quick(Unseen, Adam(), dtypes=["float32"])
    assert (row.verdict, row.why.words) == ("differs", ("ε = 0.001 instead of 1e-08",))


def test_what_was_covered_is_said():
    (row,) = quick(Adam, "torch:adam", dtypes=["float32"])
    covered = row.coverage
    assert set(covered.shapes) == set(Layout.of(STREAMS["float32"].kinds).shapes.values())
    assert {len(shape) for shape in covered.shapes} == {0, 1, 2, 4}
    assert (covered.steps, covered.asked, covered.drawn, covered.zeros) == (30, 30, True, True)
    assert covered.gradients[0] < np.finfo(np.float32).tiny < 1e15 < covered.gradients[1]
    assert covered.parameters[0] < 0 < 100 <= covered.parameters[1]
    assert any("/ (1 + s/8)" in str(one["learning_rate"]) for one in covered.settings)
    assert covered.steps < STEPS


def test_a_library_is_asked_about_every_step_where_that_costs_one_call():
    streams = {"float32": synthetic("float32", 340)}
    (row,) = quick(torch.optim.Adagrad, "torch:adagrad", dtypes=["float32"], streams=streams.get)
    assert (row.coverage.steps, row.coverage.asked) == (340, 340)
    (row,) = quick(torch.optim.Adam, "torch:adam", dtypes=["float32"], streams=streams.get)
    assert (row.coverage.steps, row.coverage.asked) == (340, 301)


def test_several_groups_and_what_cannot_be_copied_are_refused():
    class Own(torch.optim.SGD):
        def __init__(self, first, second, third):
            super().__init__(first)

    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = torch.optim.Adam([{"params": [one]} for one in parameters])
    for subject, sentence in ((groups, "must have one group of parameters, found 2"), (Own, "Own cannot be built")):
        with pytest.raises(InputError, match=sentence):
            quick(subject, "torch:adam")
