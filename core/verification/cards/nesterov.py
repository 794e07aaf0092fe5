"""Nesterov's momentum: Sutskever et al. 2013 with the rate inside the velocity, the others with the rate outside."""

from dataclasses import replace

from ..card import Card
from ..formulas import Formula
from ..rounded import either
from . import momentum


def inside(g, slots, *, learning_rate, momentum):
    """Sutskever et al. 2013, equations 3 and 4, at the point looked ahead to; keras/src/optimizers/sgd.py, nesterov."""
    v = slots["v"] * momentum - g * learning_rate
    return dict(v=v, delta=g * learning_rate - v * momentum)


def outside(g, slots, *, learning_rate, momentum):
    """ApplyMomentum in training_ops.cc with use_nesterov; torch/optim/sgd.py; Optax's trace, and then the rate."""
    v = slots["v"] * momentum + g
    delta = either(
        (g, v),
        lambda g, v: (g + v * momentum) * learning_rate,
        lambda g, v: g * learning_rate + v * momentum * learning_rate,
    )
    return dict(v=v, delta=delta)


def formula(compute, learning_rate):
    return Formula(compute, dict(learning_rate=learning_rate, momentum=0.9), ("v",))


ERRORS = {"an average for the velocity": lambda new, old, s: {new.v: s.momentum * old.v + (1 - s.momentum) * old.g}}


def looking_ahead(spelling):
    """Every library has the two rules under one name, and an option between them."""
    return replace(spelling, options=dict.fromkeys(spelling.options, True))


CARD = Card(
    formulas={
        "paper": formula(inside, 0.01),
        "tf1": formula(outside, 0.01),
        "keras": formula(inside, 0.01),
        "torch": formula(outside, 1e-3),
        "optax": formula(outside, 0.01),
    },
    libraries={name: looking_ahead(of) for name, of in momentum.CARD.libraries.items()},
    revealing=(dict(learning_rate=2.0**-3, momentum=0.875), dict(momentum=0.5)),
    errors={
        inside: ERRORS
        | {
            "plain momentum": lambda new, old, s: {new.delta: -new.v},
            "looking ahead twice": lambda new, old, s: {
                new.delta: s.learning_rate * old.g - s.momentum * s.momentum * new.v
            },
        },
        outside: ERRORS
        | {
            "plain momentum": lambda new, old, s: {new.delta: s.learning_rate * new.v},
            "looking ahead twice": lambda new, old, s: {
                new.delta: s.learning_rate * (old.g + s.momentum * s.momentum * new.v)
            },
        },
    },
)
