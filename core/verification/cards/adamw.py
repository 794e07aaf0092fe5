"""AdamW: Loshchilov & Hutter 2019, and three orders of the libraries."""

from dataclasses import replace

from ..card import Card, Plan, Spelling
from ..formulas import Formula
from . import adam


def adaptive(compute, g, slots, numbers):
    """Adam's values, with its step under the name of the part that it is."""
    values = compute(g, slots, **numbers)
    return values | dict(adaptive=values.pop("delta"))


def unscaled(g, slots, *, x, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2, weight_decay):
    """Loshchilov & Hutter 2019, Algorithm 2, line 12, with η = 1."""
    numbers = dict(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    values = adaptive(adam.algorithm_1, g, slots, numbers | dict(correction_1=correction_1, correction_2=correction_2))
    decayed = x * weight_decay
    return values | dict(decayed=decayed, delta=values["adaptive"] + decayed)


def summed(g, slots, *, x, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2, weight_decay):
    """Optax's adamw: scale_by_adam, add_decayed_weights, and then the rate."""
    numbers = dict(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    values = adaptive(adam.algorithm_1, g, slots, numbers | dict(correction_1=correction_1, correction_2=correction_2))
    decayed = x * weight_decay * learning_rate
    return values | dict(decayed=decayed, delta=values["adaptive"] + decayed)


def before(g, slots, *, x, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2, weight_decay):
    """keras/src/optimizers/base_optimizer.py, _apply_weight_decay, and then adam.py."""
    numbers = dict(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    values = adaptive(adam.epsilon_hat, g, slots, numbers | dict(correction_1=correction_1, correction_2=correction_2))
    decayed = x * weight_decay * learning_rate
    moved = values["adaptive"] + decayed
    return values | dict(decayed=decayed, delta=moved, x=x - decayed - values["adaptive"])


def shrunk(g, slots, *, x, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2, weight_decay):
    """torch/optim/adam.py with decoupled_weight_decay."""
    numbers = dict(learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    values = adaptive(adam.algorithm_1, g, slots, numbers | dict(correction_1=correction_1, correction_2=correction_2))
    decayed = x * weight_decay * learning_rate
    moved = values["adaptive"] + decayed
    return values | dict(decayed=decayed, delta=moved, x=x * (1 - learning_rate * weight_decay) - values["adaptive"])


def formula(compute, like, weight_decay):
    usual = adam.CARD.formulas[like]
    return replace(usual, compute=compute, settings={**usual.settings, "weight_decay": weight_decay})


def to_the_other_form(own: Formula, other: Formula) -> Plan:
    """The decay carries over, λ of the paper being α·λ of the libraries; ε does as it does in Adam."""
    plan = adam.to_the_other_epsilon(_as_adam(own), _as_adam(other))
    rate = own.settings["learning_rate"]
    factor = (1.0 if own.compute is unscaled else rate) / (1.0 if other.compute is unscaled else rate)
    plan.settings["weight_decay"] = own.settings["weight_decay"] * factor
    return plan


def _as_adam(formula: Formula) -> Formula:
    compute = adam.epsilon_hat if formula.compute is before else adam.algorithm_1
    return replace(formula, compute=compute)


def l2(new, old, s):
    """The decay as a part of the gradient."""
    g = old.g + s.weight_decay * old.x
    return {new.m: adam.average(old.m, g, s.beta_1), new.v: adam.average(old.v, g**2, s.beta_2)}


ERRORS = {
    "L2 in the gradient, beside the decay": l2,
    "the decay after the step": lambda new, old, s: {
        "delta": new.adaptive + new.decayed - s.weight_decay * s.learning_rate * new.adaptive
    },
    "the decay's sign": lambda new, old, s: {new.decayed: -new.decayed},
    "the decay of the update": lambda new, old, s: {new.decayed: s.weight_decay * new.adaptive},
}
MOMENTS = {"m": "_momentums", "v": "_velocities"}

CARD = Card(
    formulas={
        "paper": formula(unscaled, "paper", 1e-5),
        "keras": formula(before, "keras", 0.004),
        "torch": formula(shrunk, "torch", 0.01),
        "optax": formula(summed, "optax", 1e-4),
    },
    libraries={
        "keras": Spelling("AdamW", MOMENTS, options={"amsgrad": False}),
        "torch": Spelling("AdamW", {"m": "exp_avg", "v": "exp_avg_sq"}, options={"amsgrad": False}),
        "optax": Spelling("adamw", {"m": "mu", "v": "nu"}),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7, weight_decay=2.0**-3),),
    errors=dict.fromkeys((unscaled, summed, before, shrunk), ERRORS),
    translate=to_the_other_form,
)
