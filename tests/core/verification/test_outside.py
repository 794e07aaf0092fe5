"""What an attack from outside found: arguments that lie, state that is set, copies that lose, references that look."""

import keras
import numpy as np
import optax
import pytest
import torch

from core import Adam, InputError, Rule, Step
from core.verification import synthetic, verify
from tests.cases import DTYPES

from .test_causes import adam
from .test_subjects import Momentum, MomentumSlots, momentum

STREAMS = {dtype: synthetic(dtype, 30) for dtype in DTYPES}
ADAM = adam()


def quick(subject, reference, **options):
    return verify(
        subject, reference, **{"executions": ["graph"], "streams": STREAMS.get, "dtypes": ["float32"], **options}
    )


def one_parameter():
    return [torch.nn.Parameter(torch.zeros(1))]


class StandsStill(torch.optim.Optimizer):
    """A right Adam in torch, but its count of steps stays at 1."""

    def __init__(self, params, lr=1e-3):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        for x in self.param_groups[0]["params"]:
            state = self.state[x]
            if not state:
                state |= {"step": 0, "m": torch.zeros_like(x), "v": torch.zeros_like(x)}
            t = state["step"] + 1
            if t <= 2:
                state["step"] = t
            state["m"] = 0.9 * state["m"] + (1 - 0.9) * x.grad
            state["v"] = 0.999 * state["v"] + (1 - 0.999) * x.grad**2
            root = (state["v"] / (1 - 0.999**t)).sqrt() + 1e-8
            x.data -= self.param_groups[0]["lr"] * state["m"] / (1 - 0.9**t) / root


def fading():
    """Adam whose updates fade by a number in its state."""
    right = optax.adam(1e-3)

    def update(g, state, x=None):
        updates, inner = right.update(g, state[0], x)
        return [one * state[1] for one in updates], (inner, state[1] * 0.9)

    return optax.GradientTransformation(lambda x: (right.init(x), np.float32(1.0)), update)


EPSILON = np.float32(1e-3)


def wide_epsilon(g, slots, t, x, epsilon=EPSILON):
    return adam(epsilon=float(epsilon))(g, slots, t, x)


def slightly_longer(g, slots, t, x):
    delta, after = ADAM(g, slots, t, x)
    return (delta * (1 + 1e-7)).astype(g.dtype), after


@pytest.mark.parametrize(("subject", "reference", "options"), [
    (StandsStill, "adam:torch", {}),
    (fading(), "optax:adam", {}),
    (wide_epsilon, Adam(), {}),
    (slightly_longer, "adam:paper", {"dtypes": ["float64"]}),
    (lambda g, s, t, x: momentum(g, s, t, x), torch.optim.SGD(one_parameter(), 0.01, momentum=0.9, weight_decay=0.1),
     {"slots": {"u": 0.0}}),
], ids=["count", "scale", "default", "rounding", "decay"])  # fmt: skip
def test_what_passed_differs(subject, reference, options):
    assert {row.verdict for row in quick(subject, reference, **options)} == {"differs"}


class Scaled(torch.optim.SGD):
    def __init__(self, params, lr=1e-3, scale=1.0):
        super().__init__(params, lr)
        self.scale = scale


class KerasScaled(keras.optimizers.SGD):
    def __init__(self, *options, scale=1.0, **more):
        super().__init__(*options, **more)
        self.scale = scale


def patched():
    optimizer = torch.optim.SGD(one_parameter(), lr=1e-3)
    optimizer.step = lambda closure=None: None
    return optimizer


def by_shape(g, slots, t, x):
    delta, after = momentum(g, slots, t, x)
    return (delta + 0.01 * x if len(g.shape) >= 2 else delta), after


def by_type(g, slots, t, x):
    return momentum(g, slots, t, x, mu=0.9 if isinstance(t, int) else 0.8)


class ByShape(Momentum):
    def update(self, g, slots, x, at):
        step = super().update(g, slots, x, at)
        return step._replace(delta=step.delta + 0.01 * x) if len(g.shape) >= 2 else step


class Twice(Momentum):
    def update(self, g, slots, x, at):
        return super().update(g, slots, x, at)._replace(stages={"u": g})


class Several(Rule):
    def slots(self, x):
        return (x, x)

    def update(self, g, slots, x, at):
        return Step(g, slots, {})


class Clipping(Momentum):
    def update(self, g, slots, x, at):
        return Step(np.round(g), MomentumSlots(slots.u), {})


U = {"slots": {"u": 0.0}}


@pytest.mark.parametrize(("subject", "reference", "options", "sentence"), [
    (lambda g, s, t, x: (g, {"delta": g}), Momentum(), {"slots": {"delta": 0.0}}, "a slot cannot be called delta"),
    (lambda g, s, t, x: (g, {"x": g}), Momentum(), {"slots": {"x": 0.0}, "returns": "x"}, "cannot be called x"),
    (Twice, momentum, {}, "a slot or stage is called u, as another value of the step is"),
    (Scaled(one_parameter(), scale=100.0), "sgd:torch", {}, "has another scale: it cannot be judged"),
    (KerasScaled(scale=100.0), "sgd:keras", {}, "has another scale: it cannot be judged"),
    (patched(), "sgd:torch", {}, "has another step: it cannot be judged"),
    (momentum, by_shape, U, "by_shape cannot be a reference: its delta at step 1 depends on the shape or type"),
    (momentum, by_type, U, "by_type cannot be a reference: its u at step 2 depends on the shape or type"),
    (ByShape, "itself", {}, "itself cannot be a reference: its delta at step 1 depends on the shape or type"),
    (Several(0.1), momentum, {}, "Several.slots: slots must return a NamedTuple"),
    (momentum, Several(0.1), U, "Several.slots: slots must return a NamedTuple"),
    (momentum, Clipping, U, "does not run on numbers that carry their rounding errors: TypeError"),
    (keras.optimizers.Adafactor, "keras:Adafactor", {}, "so its steps cannot be judged one by one"),
    (Adam, "adam:paper", {"settings": {"epsilon": 1.0}}, "slots, settings, returns are for a function"),
    (keras.optimizers.Adam, "keras:adam", {"settings": {"epsilon": 1.0}}, "settings, returns are for a function"),
    (momentum, momentum, {**U, "settings": {"foo": 3.0}}, "takes no foo, and its reference has no formula"),
    (lambda g, s, t, x, epsilon="small": (g, s), "adam:paper", {}, "the default of epsilon must be a number"),
])  # fmt: skip
def test_what_passed_or_failed_otherwise_is_refused_in_a_sentence(subject, reference, options, sentence):
    with pytest.raises(InputError) as error:
        quick(subject, reference, **options)
    assert sentence in str(error.value)


@pytest.mark.parametrize(("subject", "reference", "options"), [
    (lambda g, s, t, x: (0.01 * np.sign(g), {}), lambda g, s, t, x: (0.01 * np.sign(g), {}), {"slots": {}}),
    (lambda g, s, t, x: (g * s["c"], s), lambda g, s, t, x: (g * s["c"], s), {"slots": {"c": 0.5}}),
    (lambda g, s, t, x: (np.clip(g, -2, 2), {}), lambda g, s, t, x: (np.clip(g, -2, 2), {}), {"slots": {}}),
    (optax.adam(0.01), "optax:adam", {"settings": {"learning_rate": 0.01}}),
    (keras.optimizers.SGD(clipvalue=0.5), "keras:sgd", {}),
], ids=["sign", "constant", "clip", "optax", "clipvalue"])  # fmt: skip
def test_what_is_right_is_certified(subject, reference, options):
    rows = quick(subject, reference, **options)
    assert {row.verdict for row in rows} == {"certified"}, rows
