"""Adam: Kingma & Ba 2015 in its two forms, and the libraries."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either


def algorithm_1(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Kingma & Ba 2015, Algorithm 1; torch/optim/adam.py; Optax's scale_by_adam with eps_root = 0."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    m_hat = m / correction_1
    v_hat = v / correction_2
    root = either((v, correction_2), lambda v, c: np.sqrt(v / c), lambda v, c: np.sqrt(v) / np.sqrt(c))
    denominator = root + epsilon
    delta = either(
        (m, correction_1, denominator),
        lambda m, c, root: m / c * learning_rate / root,
        lambda m, c, root: m * (learning_rate / c) / root,
    )
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    return dict(m=m, v=v, **corrections, m_hat=m_hat, v_hat=v_hat, denominator=denominator, delta=delta)


def epsilon_hat(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Kingma & Ba 2015, end of section 2; ApplyAdam in TensorFlow's training_ops.cc; keras/src/optimizers/adam.py."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    alpha_t = np.sqrt(correction_2) * learning_rate / correction_1
    root = np.sqrt(v) + epsilon
    denominator = root / np.sqrt(correction_2)  # of m̂, as in Algorithm 1
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    hats = dict(m_hat=m / correction_1, v_hat=v / correction_2)
    return dict(m=m, v=v, **corrections, **hats, denominator=denominator, delta=m * alpha_t / root)


def to_the_other_epsilon(own: Formula, other: Formula) -> Plan:
    """ε stands beside √v̂ in the one form, and ε̂ beside √v = √v̂·√(1 − β2^t) in the other."""
    if own.compute is other.compute or own.settings["beta_2"] == 0:
        return Plan(dict(own.settings))
    epsilon, beta_2, to_hat = own.settings["epsilon"], own.settings["beta_2"], other.compute is epsilon_hat

    def at(t: int) -> float:
        root = float(np.sqrt(1 - np.longdouble(beta_2) ** t))
        return epsilon * root if to_hat else epsilon / root

    here, there = ("ε̂", "ε") if to_hat else ("ε", "ε̂")
    words = f"{here}_t = {there}·√(1 − β2^t)" if to_hat else f"{here}_t = {there}/√(1 − β2^t)"
    why = f"no constant {here} is a constant {there}: √(1 − β2^t), which stands between them, changes with t"
    return Plan(dict(own.settings), why, "epsilon", (words, at))


def formula(compute, epsilon=1e-8, **precisions):
    settings = dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=epsilon)
    return Formula(compute, settings, ("m", "v"), **precisions)


COMMON = {
    "slots overwritten by their corrected values": lambda new, old, s: {"m": new.m_hat, "v": new.v_hat},
    "v never falls": lambda new, old, s: {new.v: np.maximum(new.v, old.v)},
    "v averages m²": lambda new, old, s: {new.v: average(old.v, new.m**2, s.beta_2)},
    "v averages (g − m)²": lambda new, old, s: {new.v: average(old.v, (old.g - new.m) ** 2, s.beta_2)},
    "m forgets nothing: a sum": lambda new, old, s: {new.m: old.m + old.g},
    "v forgets nothing: a sum": lambda new, old, s: {new.v: old.v + old.g**2},
    "learning rate inside m": lambda new, old, s: {new.m: average(old.m, s.learning_rate * old.g, s.beta_1)},
}


def right_epsilon(new, old, s):
    denominator = np.sqrt(new.v_hat) + s.epsilon
    return {"denominator": denominator, "delta": s.learning_rate * new.m_hat / denominator}


CARD = Card(
    formulas={
        "paper": formula(algorithm_1),
        "tf1": formula(epsilon_hat, complement_in="variable", power_in="variable", running=True),
        "keras": formula(epsilon_hat, epsilon=1e-7, power_in="variable"),
        "torch": formula(algorithm_1),
        "optax": formula(algorithm_1, power_in="variable"),
    },
    libraries={
        "keras": Spelling("Adam", {"m": "_momentums", "v": "_velocities"}, options={"amsgrad": False}),
        "tf1-kernel": Spelling("ApplyAdam", {"m": "m", "v": "v"}),
        "tf1-session": Spelling("Adam", {"m": "m", "v": "v"}),
        "torch": Spelling("Adam", {"m": "exp_avg", "v": "exp_avg_sq"}, options={"amsgrad": False}),
        "optax": Spelling("adam", {"m": "mu", "v": "nu"}),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7),),
    errors={
        algorithm_1: COMMON
        | {
            "the other ε: ε̂ for ε": lambda new, old, s: {
                new.denominator: (np.sqrt(new.v) + s.epsilon) / np.sqrt(s.correction_2)
            },
            "ε under v̂'s correction": lambda new, old, s: {
                new.denominator: np.sqrt((new.v + s.epsilon) / s.correction_2)
            },
            "Nesterov's m̂": lambda new, old, s: {
                new.delta: s.learning_rate
                * ((s.beta_1 * new.m + (1 - s.beta_1) * old.g) / s.correction_1)
                / new.denominator
            },
        },
        epsilon_hat: COMMON | {"the other ε: ε for ε̂": right_epsilon},
    },
    translate=to_the_other_epsilon,
)
