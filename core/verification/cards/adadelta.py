"""Adadelta: Zeiler 2012, one formula everywhere."""

import numpy as np

from ..card import Card, Spelling
from ..formulas import Formula, average
from ..rounded import either


def adadelta(g, slots, *, learning_rate, rho, epsilon, dx=None):
    """Zeiler 2012, Algorithm 1 (α = 1); ApplyAdadelta in training_ops.cc; Keras, PyTorch and Optax the same."""
    mean_g2 = average(slots["mean_g2"], g**2, rho)
    rms_dx = np.sqrt(slots["mean_dx2"] + epsilon)
    rms_g = np.sqrt(mean_g2 + epsilon)
    computed = either((rms_dx, rms_g), lambda over, under: over / under * g, lambda over, under: over * (1 / under) * g)
    mean_dx2 = average(slots["mean_dx2"], (computed if dx is None else dx) ** 2, rho)
    delta = computed * learning_rate
    return dict(mean_g2=mean_g2, rms_dx=rms_dx, rms_g=rms_g, dx=computed, mean_dx2=mean_dx2, delta=delta)


def formula(learning_rate, rho, epsilon, complement_in="float64"):
    settings = dict(learning_rate=learning_rate, rho=rho, epsilon=epsilon)
    return Formula(adadelta, settings, ("mean_g2", "mean_dx2"), complement_in=complement_in)


def outside_both_roots(new, old, s):
    return {new.rms_dx: np.sqrt(old.mean_dx2) + s.epsilon, new.rms_g: np.sqrt(new.mean_g2) + s.epsilon}


def accumulated_first(new, old, s):
    """E[Δx²] before the step that it scales."""
    early = average(old.mean_dx2, (np.sqrt(old.mean_dx2 + s.epsilon) / new.rms_g * old.g) ** 2, s.rho)
    return {new.rms_dx: np.sqrt(early + s.epsilon)}


CARD = Card(
    formulas={
        "paper": formula(learning_rate=1.0, rho=0.95, epsilon=1e-6),
        "tf1": formula(learning_rate=1e-3, rho=0.95, epsilon=1e-8, complement_in="variable"),
        "keras": formula(learning_rate=1e-3, rho=0.95, epsilon=1e-7),
        "torch": formula(learning_rate=1.0, rho=0.9, epsilon=1e-6),
        "optax": formula(learning_rate=1.0, rho=0.9, epsilon=1e-6),
    },
    libraries={
        "keras": Spelling("Adadelta", {"mean_g2": "_accumulated_grads", "mean_dx2": "_accumulated_delta_vars"}),
        "tf1-kernel": Spelling("ApplyAdadelta", {"mean_g2": "accum", "mean_dx2": "accum_update"}),
        "tf1-session": Spelling("Adadelta", {"mean_g2": "accum", "mean_dx2": "accum_update"}),
        "torch": Spelling("Adadelta", {"mean_g2": "square_avg", "mean_dx2": "acc_delta"}),
        "optax": Spelling(
            "adadelta",
            {"mean_g2": "e_g", "mean_dx2": "e_x"},
            surprise="without a learning rate it climbs: from 1 on x², optax.adadelta() goes to 1.0032",
        ),
    },
    revealing=(dict(learning_rate=0.5, rho=1 - 2.0**-10, epsilon=2.0**-7), dict(rho=0.999)),
    errors={
        adadelta: {
            "ε outside both roots": outside_both_roots,
            "E[Δx²] before the step": accumulated_first,
            "no E[Δx²]: RMSProp": lambda new, old, s: {new.rms_dx: 1.0},
            "E[Δx²] from gradients": lambda new, old, s: {new.mean_dx2: average(old.mean_dx2, old.g**2, s.rho)},
            "learning rate inside E[Δx²]": lambda new, old, s: {
                new.mean_dx2: average(old.mean_dx2, (s.learning_rate * new.dx) ** 2, s.rho)
            },
            "E[g²] never falls": lambda new, old, s: {new.mean_g2: np.maximum(new.mean_g2, old.mean_g2)},
            "a sum for E[g²]": lambda new, old, s: {new.mean_g2: old.mean_g2 + old.g**2},
        }
    },
)
