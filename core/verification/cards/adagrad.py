"""Adagrad: Duchi, Hazan & Singer 2011, and the libraries' two places for ε."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula
from ..rounded import either

LEAST = 1e-24
"""An accumulator to begin with where a library refuses 0."""


def outside_root(g, slots, *, learning_rate, epsilon):
    """Duchi, Hazan & Singer 2011, Figure 1; torch/optim/adagrad.py; ApplyAdagrad in training_ops.cc with ε = 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a) + epsilon
    return dict(a=a, denominator=root, delta=g * learning_rate / root)


def inside_root(g, slots, *, learning_rate, epsilon):
    """keras/src/optimizers/adagrad.py; Optax's scale_by_rss wherever the accumulator is not 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a + epsilon)
    delta = either((g, root), lambda g, root: g * learning_rate / root, lambda g, root: g * (1 / root) * learning_rate)
    return dict(a=a, denominator=root, delta=delta)


def to_the_other_epsilon(own: Formula, other: Formula) -> Plan:
    settings = dict(own.settings)
    epsilon, first = settings["epsilon"], settings["initial_accumulator_value"]
    from_inside, to_inside = (one.compute is inside_root for one in (own, other))
    if from_inside and not to_inside:
        why = "ε inside the root is added once to what the accumulator starts at: √(a + ε), whatever is added to a"
        return Plan(settings | dict(initial_accumulator_value=first + epsilon, epsilon=0.0), why if epsilon else None)
    lacks = "epsilon" in other.absent
    if epsilon == 0 or (to_inside == from_inside and not lacks):
        return Plan(settings)
    if lacks:
        why = "TF1 has no ε; one outside the root is none inside it: (√a + ε)² = a + 2ε√a + ε² changes with a"
        return Plan(
            settings | dict(epsilon=0.0, initial_accumulator_value=first or LEAST), why, "initial_accumulator_value"
        )
    why = "no ε inside the root is one outside it: it would be 2ε√a + ε², another one for every coordinate and step"
    return Plan(settings, why, "epsilon")


def formula(compute, learning_rate, first, epsilon):
    settings = dict(learning_rate=learning_rate, initial_accumulator_value=first, epsilon=epsilon)
    starts = {"a": "initial_accumulator_value"}
    return Formula(compute, settings, ("a",), starts, absent=() if epsilon else ("epsilon",))


ERRORS = {
    "an average for the sum": lambda new, old, s: {new.a: 0.9 * old.a + 0.1 * old.g**2},
    "the largest g² for the sum": lambda new, old, s: {new.a: np.maximum(old.a, old.g**2)},
    "learning rate inside the accumulator": lambda new, old, s: {new.a: old.a + (s.learning_rate * old.g) ** 2},
}

CARD = Card(
    formulas={
        "paper": formula(outside_root, learning_rate=0.01, first=0.0, epsilon=1e-10),
        "tf1": formula(outside_root, learning_rate=0.01, first=0.1, epsilon=0.0),
        "keras": formula(inside_root, learning_rate=1e-3, first=0.1, epsilon=1e-7),
        "torch": formula(outside_root, learning_rate=1e-2, first=0.0, epsilon=1e-10),
        "optax": formula(inside_root, learning_rate=0.01, first=0.1, epsilon=1e-7),
    },
    libraries={
        "keras": Spelling("Adagrad", {"a": "_accumulators"}),
        "tf1-kernel": Spelling("ApplyAdagrad", {"a": "accum"}),
        "tf1-session": Spelling("Adagrad", {"a": "accumulator"}),
        "torch": Spelling("Adagrad", {"a": "sum"}),
        "optax": Spelling("adagrad", {"a": "sum_of_squares"}),
    },
    revealing=(dict(learning_rate=2.0**-3, initial_accumulator_value=2.0**-20, epsilon=2.0**-7),),
    errors={outside_root: ERRORS, inside_root: ERRORS},
    translate=to_the_other_epsilon,
)
