"""Ftrl: McMahan et al. 2013, and TF1 and Keras, which count λ2 twice and shrink."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula
from ..rounded import either


def once(g, slots, *, x, learning_rate, learning_rate_power, l1, l2, shrinkage, beta):
    """McMahan et al. 2013, Algorithm 1."""
    return proximal(g, slots, x, learning_rate, -learning_rate_power, l1, shrinkage, l2, beta)


def twice(g, slots, *, x, learning_rate, learning_rate_power, l1, l2, shrinkage, beta):
    """keras/src/optimizers/ftrl.py; ApplyFtrlV2 in TensorFlow's training_ops.cc."""
    return proximal(g, slots, x, learning_rate, -learning_rate_power, l1, shrinkage, l2 * 2, beta)


def proximal(g, slots, x, learning_rate, power, l1, shrinkage, l2, beta):
    n = slots["n"] + g**2
    root = n**power
    sigma = either(  # TensorFlow's graphs multiply by 1/α where α is a constant, which is rounded
        (root, slots["n"] ** power), lambda new, old: (new - old) / learning_rate,
        lambda new, old: (new - old) * (1 / (np.ones_like(new) * learning_rate)),
    )  # fmt: skip
    z = either(  # TensorFlow's graphs add in any order
        (slots["z"], g, x * shrinkage * 2, sigma * x), lambda z, g, p, s: z + (g + p) - s,
        lambda z, g, p, s: z + (g + p - s), lambda z, g, p, s: z + g + p - s,
    )  # fmt: skip
    quadratic = either(
        (root, l2, beta), lambda n, l2, beta: (n + beta) / learning_rate + l2,
        lambda n, l2, beta: n * (1 / (np.ones_like(n) * learning_rate)) + (l2 + beta / learning_rate),
    )  # fmt: skip
    after = (np.clip(z, -l1, l1) - z) / quadratic
    return dict(n=n, sigma=sigma, z=z, quadratic=quadratic, delta=x - after, x=after)


def formula(compute, learning_rate, first, absent=(), **more):
    settings = dict(learning_rate=learning_rate, learning_rate_power=-0.5, initial_accumulator_value=first)
    settings |= dict(l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0) | more
    return Formula(compute, settings, ("n", "z"), {"n": "initial_accumulator_value"}, absent=absent)


def to_the_other_count(own: Formula, other: Formula) -> Plan:
    """λ2 counts once or twice, and takes in β/α where the target has no β."""
    settings, times = dict(own.settings), {once: 1, twice: 2}
    pull = settings["l2"] * times[own.compute]
    if "beta" in other.absent:
        pull, settings["beta"] = pull + settings["beta"] / settings["learning_rate"], 0.0
    return Plan(settings | {"l2": pull / times[other.compute]})


ERRORS = {
    "g² shrunk too": lambda new, old, s: {new.n: old.n + (old.g + 2 * s.shrinkage * old.x) ** 2},
    "what is kept of θ added": lambda new, old, s: {new.z: old.z + old.g + new.sigma * old.x},
    "nothing kept of θ": lambda new, old, s: {new.z: old.z + old.g},
    "θ goes on from itself": lambda new, old, s: {new.x: old.x + new.x, new.delta: -new.x},
    "a soft threshold of |z| alone": lambda new, old, s: {
        "x": -new.z / new.quadratic, "delta": old.x + new.z / new.quadratic
    },
}  # fmt: skip

SETTINGS = {
    "l1": "l1_regularization_strength",
    "l2": "l2_regularization_strength",
    "shrinkage": "l2_shrinkage_regularization_strength",
}
KERNEL = {"learning_rate_power": "lr_power", "shrinkage": "l2_shrinkage"}
CARD = Card(
    formulas={
        "paper": formula(once, 0.01, 0.0, beta=1.0),
        "tf1": formula(twice, 0.01, 0.1, absent=("beta",)),
        "keras": formula(twice, 1e-3, 0.1),
    },
    libraries={
        "keras": Spelling("Ftrl", {"n": "_accumulators", "z": "_linears"}, SETTINGS),
        "tf1-kernel": Spelling("ApplyFtrlV2", {"n": "accum", "z": "linear"}, KERNEL),
        "tf1-session": Spelling("Ftrl", {"n": "accum", "z": "linear"}, SETTINGS),
    },
    revealing=(
        dict(
            learning_rate=2.0**-4, learning_rate_power=-0.75, initial_accumulator_value=0.5, l1=2.0**-6, l2=2.0**-5,
            shrinkage=2.0**-7, beta=0.5,
        ),
    ),
    errors=dict.fromkeys((once, twice), ERRORS),
    translate=to_the_other_count,
)  # fmt: skip
