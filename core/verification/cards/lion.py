"""Lion: Chen et al. 2023 and Optax, and Keras, which decays first."""

import numpy as np

from ..card import Card, Spelling
from ..formulas import Formula, average


def summed(g, slots, *, x, learning_rate, beta_1, beta_2, weight_decay):
    """Chen et al. 2023, Algorithm 2; Optax's lion: scale_by_lion, add_decayed_weights, and then the rate."""
    c = average(slots["m"], g, beta_1)
    decayed = x * weight_decay * learning_rate
    return dict(c=c, m=average(slots["m"], g, beta_2), decayed=decayed, delta=np.sign(c) * learning_rate + decayed)


def before(g, slots, *, x, learning_rate, beta_1, beta_2, weight_decay):
    """keras/src/optimizers/base_optimizer.py, _apply_weight_decay, and then lion.py."""
    c = average(slots["m"], g, beta_1)
    decayed = x * weight_decay * learning_rate
    moved = np.sign(c) * learning_rate
    m = average(slots["m"], g, beta_2)
    return dict(c=c, m=m, decayed=decayed, delta=moved + decayed, x=x - decayed - moved)


def formula(compute, learning_rate, weight_decay=0.0, **precisions):
    settings = dict(learning_rate=learning_rate, beta_1=0.9, beta_2=0.99, weight_decay=weight_decay)
    return Formula(compute, settings, ("m",), **precisions)


def moved_by(direction):
    return lambda new, old, s: {"delta": s.learning_rate * direction(new, old) + new.decayed}


ERRORS = {
    "the sign of the new average": moved_by(lambda new, old: np.sign(new.m)),
    "the sign of the old average": moved_by(lambda new, old: np.sign(old.m)),
    "the sign of the gradient": moved_by(lambda new, old: np.sign(old.g)),
    "one average for both": lambda new, old, s: {new.m: new.c},
    "the decay without the rate": lambda new, old, s: {new.decayed: s.weight_decay * old.x},
    "the decay's sign": lambda new, old, s: {new.decayed: -new.decayed},
}

CARD = Card(
    formulas={
        "paper": formula(summed, 1e-4),
        "keras": formula(before, 1e-3, complement_in="variable"),
        "optax": formula(summed, 1e-4, weight_decay=1e-3),
    },
    libraries={"keras": Spelling("Lion", {"m": "_momentums"}), "optax": Spelling("lion", {"m": "mu"})},
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, weight_decay=2.0**-3),),
    errors=dict.fromkeys((summed, before), ERRORS),
)
