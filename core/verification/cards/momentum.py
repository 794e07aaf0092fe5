"""Momentum: Sutskever et al. 2013 with the rate inside the velocity, TF1, PyTorch and Optax with the rate outside."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula


def inside(g, slots, *, learning_rate, momentum):
    """Sutskever et al. 2013, equations 1 and 2; keras/src/optimizers/sgd.py."""
    v = slots["v"] * momentum - g * learning_rate
    return dict(v=v, delta=-v)


def outside(g, slots, *, learning_rate, momentum):
    """ApplyMomentum in training_ops.cc; Optax's trace, and then the rate."""
    v = slots["v"] * momentum + g
    return dict(v=v, delta=v * learning_rate)


def dampened(g, slots, *, t, learning_rate, momentum, dampening):
    """torch/optim/sgd.py, whose first buffer is the gradient itself."""
    v = slots["v"] * momentum + np.where(t == 1, g, g * (1 - dampening))
    return dict(v=v, delta=v * learning_rate)


def formula(compute, learning_rate, **more):
    return Formula(compute, dict(learning_rate=learning_rate, momentum=0.9, **more), ("v",))


def carried_over(own: Formula, other: Formula) -> Plan:
    """At a constant rate it makes no difference whether the rate is part of the velocity."""
    if own.settings.get("dampening") and "dampening" not in other.settings:
        why = "PyTorch alone can dampen, and does not in its first step: no constant rate does the same"
        return Plan({name: own.settings[name] for name in other.settings}, why, "learning_rate")
    return Plan({name: own.settings.get(name, 0.0) for name in other.settings})


def ahead(new, old, s):
    """Nesterov's step with the velocity as it is."""
    return {new.delta: s.learning_rate * old.g + s.momentum * new.delta}


ERRORS = {
    "Nesterov's step": ahead,
    "the old velocity's step": lambda new, old, s: {new.delta: s.learning_rate * old.g},
    "an average for the velocity": lambda new, old, s: {new.v: s.momentum * old.v + (1 - s.momentum) * old.g},
}

CARD = Card(
    formulas={
        "paper": formula(inside, 0.01),
        "tf1": formula(outside, 0.01),
        "keras": formula(inside, 0.01),
        "torch": formula(dampened, 1e-3, dampening=0.0),
        "optax": formula(outside, 0.01),
    },
    libraries={
        "keras": Spelling("SGD", {"v": "momentums"}, options=dict(nesterov=False), needs=("momentum",)),
        "tf1-kernel": Spelling("ApplyMomentum", {"v": "accum"}, options=dict(use_nesterov=False)),
        "tf1-session": Spelling("Momentum", {"v": "momentum"}, options=dict(use_nesterov=False), needs=("momentum",)),
        "torch": Spelling("SGD", {"v": "momentum_buffer"}, options=dict(nesterov=False), needs=("momentum",)),
        "optax": Spelling("sgd", {"v": "trace"}, options=dict(nesterov=False), needs=("momentum",)),
    },
    revealing=(dict(learning_rate=2.0**-3, momentum=0.875, dampening=0.25), dict(momentum=0.5)),
    errors={
        inside: ERRORS | {"the rate outside the velocity": lambda new, old, s: {new.v: s.momentum * old.v - old.g}},
        outside: ERRORS
        | {"the rate inside the velocity": lambda new, old, s: {new.v: s.momentum * old.v + s.learning_rate * old.g}},
        dampened: ERRORS
        | {
            "the rate inside the velocity": lambda new, old, s: {new.v: s.momentum * old.v + s.learning_rate * old.g},
            "the first gradient dampened": lambda new, old, s: {new.v: s.momentum * old.v + (1 - s.dampening) * old.g},
        },
    },
    translate=carried_over,
)
