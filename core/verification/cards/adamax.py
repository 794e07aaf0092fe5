"""Adamax: Kingma & Ba 2015, and ε of the libraries, in the step or in the slot."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either


def in_step(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1):
    """Kingma & Ba 2015, Algorithm 2; ApplyAdaMax in TensorFlow's training_ops.cc; keras/src/optimizers/adamax.py."""
    u = np.maximum(slots["u"] * beta_2, np.abs(g))
    return stepped(average(slots["m"], g, beta_1), u, u + epsilon, learning_rate, correction_1)


def in_slot(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1):
    """torch/optim/adamax.py; Optax's scale_by_adamax."""
    u = np.maximum(slots["u"] * beta_2, np.abs(g) + epsilon)
    return stepped(average(slots["m"], g, beta_1), u, u, learning_rate, correction_1)


def stepped(m, u, denominator, learning_rate, correction_1):
    delta = either(
        (m, correction_1, denominator),
        lambda m, c, u: m * (learning_rate / c) / u,
        lambda m, c, u: m * learning_rate / (u * c),
        lambda m, c, u: m / c / u * learning_rate,
    )
    return dict(m=m, u=u, correction_1=correction_1, m_hat=m / correction_1, denominator=denominator, delta=delta)


def formula(compute, learning_rate=2e-3, epsilon=1e-8, **precisions):
    settings = dict(learning_rate=learning_rate, beta_1=0.9, beta_2=0.999, epsilon=epsilon)
    return Formula(compute, settings, ("m", "u"), **precisions)


def to_the_other_place(own: Formula, other: Formula) -> Plan:
    """ε of the slot is a floor of u that fades no further; ε of the step is added to whatever u is."""
    if own.compute is other.compute or own.settings["epsilon"] == 0:
        return Plan(dict(own.settings))
    why = "no ε added to u is one added to |g|: the first is there in every step, the second fades with u"
    return Plan(dict(own.settings), why, "epsilon")


ERRORS = {
    "the maximum of g²": lambda new, old, s: {new.u: np.maximum(s.beta_2 * old.u, old.g**2)},
    "a minimum": lambda new, old, s: {new.u: np.minimum(s.beta_2 * old.u, np.abs(old.g))},
    "nothing fades": lambda new, old, s: {new.u: np.maximum(old.u, np.abs(old.g))},
    "a mean of |g|": lambda new, old, s: {new.u: average(old.u, np.abs(old.g), s.beta_2)},
    "g without |·|": lambda new, old, s: {new.u: np.maximum(s.beta_2 * old.u, old.g)},
    "u corrected too": lambda new, old, s: {"delta": new.delta * (1 - s.beta_2)},
}

CARD = Card(
    formulas={
        "paper": formula(in_step),
        "tf1": formula(in_step, 1e-3, complement_in="variable", power_in="variable", running=True),
        "keras": formula(in_step, 1e-3, 1e-7, power_in="variable"),
        "torch": formula(in_slot),
        "optax": formula(in_slot, power_in="variable"),
    },
    libraries={
        "keras": Spelling("Adamax", {"m": "_m", "u": "_u"}),
        "tf1-kernel": Spelling("ApplyAdaMax", {"m": "m", "u": "v"}),
        "torch": Spelling("Adamax", {"m": "exp_avg", "u": "exp_inf"}),
        "optax": Spelling("adamax", {"m": "mu", "u": "nu"}),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.75, epsilon=2.0**-7),),
    errors=dict.fromkeys((in_step, in_slot), ERRORS),
    translate=to_the_other_place,
)
