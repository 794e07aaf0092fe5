"""AMSGrad: Reddi, Kale & Kumar 2018, and the libraries, which correct and disagree on what the maximum is of."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either
from . import adam


def paper(g, slots, *, learning_rate, beta_1, beta_2, epsilon):
    """Reddi, Kale & Kumar 2018, Algorithm 2, with an ε beside the root."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    v_max = np.maximum(slots["v_max"], v)
    denominator = np.sqrt(v_max) + epsilon
    return dict(m=m, v=v, v_max=v_max, denominator=denominator, delta=m * learning_rate / denominator)


def raw(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """torch/optim/adam.py, amsgrad: the largest raw v, corrected afterwards."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    v_max = np.maximum(slots["v_max"], v)
    root = either((v_max, correction_2), lambda v, c: np.sqrt(v / c), lambda v, c: np.sqrt(v) / np.sqrt(c))
    return stepped(m, v, v_max, root + epsilon, learning_rate, correction_1, correction_2)


def corrected(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Optax's scale_by_amsgrad with eps_root = 0: the largest corrected v."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    v_max = np.maximum(slots["v_max"], v / correction_2)
    return stepped(m, v, v_max, np.sqrt(v_max) + epsilon, learning_rate, correction_1, correction_2)


def stepped(m, v, v_max, denominator, learning_rate, correction_1, correction_2):
    delta = either(
        (m, correction_1, denominator),
        lambda m, c, root: m / c * learning_rate / root,
        lambda m, c, root: m * (learning_rate / c) / root,
    )
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    return dict(m=m, v=v, **corrections, v_max=v_max, m_hat=m / correction_1, denominator=denominator, delta=delta)


def raw_hat(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """ApplyAdamWithAmsgrad in training_ops.cc; keras/src/optimizers/adam.py, amsgrad: ε̂ beside the raw root."""
    m = average(slots["m"], g, beta_1)
    v = average(slots["v"], g**2, beta_2)
    v_max = np.maximum(slots["v_max"], v)
    alpha_t = np.sqrt(correction_2) * learning_rate / correction_1
    root = np.sqrt(v_max) + epsilon
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    shown = dict(m_hat=m / correction_1, denominator=root / np.sqrt(correction_2))
    return dict(m=m, v=v, **corrections, v_max=v_max, **shown, delta=m * alpha_t / root)


def formula(compute, like):
    usual = adam.CARD.formulas[like]
    return replace(usual, compute=compute, kept=("m", "v", "v_max"))


IN_ADAM = {raw: adam.algorithm_1, raw_hat: adam.epsilon_hat}


def to_the_other_maximum(own: Formula, other: Formula) -> Plan:
    """What is largest differs, beside Adam's two places for ε."""
    if own.compute is other.compute:
        return Plan(dict(own.settings))
    if own.compute in IN_ADAM and other.compute in IN_ADAM:
        as_adam, to_adam = (Formula(IN_ADAM[one.compute], one.settings, one.kept) for one in (own, other))
        return adam.to_the_other_epsilon(as_adam, to_adam)
    why = "what is kept is the largest v or the largest v / (1 − β2^t), corrected or not: no constant changes that"
    return Plan(dict(own.settings), why, "learning_rate")


ERRORS = {
    "Adam: no maximum": lambda new, old, s: {new.v_max: new.v},
    "the maximum in the place of v": lambda new, old, s: {"v": new.v_max},
    "the maximum of g²": lambda new, old, s: {new.v_max: np.maximum(old.v_max, old.g**2)},
    "a minimum": lambda new, old, s: {new.v_max: np.minimum(old.v_max, new.v)},
    "m forgets nothing: a sum": lambda new, old, s: {new.m: old.m + old.g},
    "v averages m²": lambda new, old, s: {new.v: average(old.v, new.m**2, s.beta_2)},
}
OTHER: Mapping[Callable[..., Any], Any] = {
    raw: {
        "the maximum of the corrected v": lambda new, old, s: {new.v_max: np.maximum(old.v_max, new.v / s.correction_2)}
    },
    corrected: {"the maximum of the raw v": lambda new, old, s: {new.v_max: np.maximum(old.v_max, new.v)}},
}

CARD = Card(
    formulas={
        "paper": formula(paper, "paper"),
        "tf1": formula(raw_hat, "tf1"),
        "keras": formula(raw_hat, "keras"),
        "torch": formula(raw, "torch"),
        "optax": formula(corrected, "optax"),
    },
    libraries={
        "keras": Spelling(
            "Adam", {"m": "_momentums", "v": "_velocities", "v_max": "_velocity_hats"}, options={"amsgrad": True}
        ),
        "tf1-kernel": Spelling("ApplyAdamWithAmsgrad", {"m": "m", "v": "v", "v_max": "vhat"}),
        "torch": Spelling(
            "Adam",
            {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"},
            options={"amsgrad": True},
            surprise="its step can grow while no gradient does: g = 1, ½, ½, ½ at betas (0, ½), eps 0, lr 1 "
            "moves by 1, 0.61, 0.66, 0.68",
        ),
        "optax": Spelling("amsgrad", {"m": "mu", "v": "nu", "v_max": "nu_max"}),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.5, epsilon=2.0**-7),),
    errors={compute: ERRORS | OTHER.get(compute, {}) for compute in (paper, raw, raw_hat, corrected)},
    translate=to_the_other_maximum,
)
