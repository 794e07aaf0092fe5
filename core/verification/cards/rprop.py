"""Rprop: Igel & Hüsken 2000, and PyTorch, which computes the same."""

import numpy as np

from ..card import Card, Spelling
from ..formulas import Formula


def without_backtracking(g, slots, *, eta_minus, eta_plus, smallest, largest):
    """Igel & Hüsken 2000, iRprop−; torch/optim/rprop.py. A sign is any where roundings may carry g·g′ over 0."""
    s = np.sign(g * slots["previous"])
    stays, turns = (s * s + s) / 2, (s * s - s) / 2
    size = np.clip(slots["size"] * (stays * eta_plus + turns * eta_minus + (1 - s * s)), smallest, largest)
    kept = g * (1 - turns)
    return dict(previous=kept, size=size, delta=np.sign(kept) * size)


def formula(learning_rate):
    numbers = dict(learning_rate=learning_rate, eta_minus=0.5, eta_plus=1.2, smallest=1e-6, largest=50.0)
    return Formula(without_backtracking, numbers, ("previous", "size"), {"size": "learning_rate"})


ERRORS = {
    "the gradient itself kept": lambda new, old, s: {"previous": old.g},
    "a step back where the sign changes": lambda new, old, s: {
        "delta": np.where(old.g * old.previous < 0, -np.sign(old.previous) * old.size, new.delta)
    },
    "the old size": lambda new, old, s: {"delta": np.sign(new.previous) * old.size},
    "the gradient for its sign": lambda new, old, s: {"delta": new.previous * new.size},
    "no largest size": lambda new, old, s: {new.size: np.maximum(old.size * s.eta_plus, s.smallest)},
}

CARD = Card(
    formulas={"paper": formula(0.1), "torch": formula(1e-2)},
    libraries={"torch": Spelling("Rprop", {"previous": "prev", "size": "step_size"})},
    revealing=(dict(learning_rate=2.0**-5, eta_minus=0.25, eta_plus=1.5, smallest=2.0**-9, largest=2.0**-2),),
    wrong={
        "optax": "it moves one step late: from 1 on x² at a rate of 0.1 its first step is 0 and the second 0.1, where "
        "0.1 and 0.12 are due"
    },
    errors={without_backtracking: ERRORS},
)
