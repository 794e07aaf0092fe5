"""Nadam: Dozat 2016, and four readings of the libraries."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either, narrowly


def paper(g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, momentum_decay, correction_2):
    """Dozat 2016, Algorithm 2, without the ν in front of n, which no library has."""
    mu, after = risen(g, t * momentum_decay, beta_1), risen(g, (t + 1) * momentum_decay, beta_1)
    return scheduled(g, slots, mu, after, mu, beta_2, learning_rate, epsilon, correction_2)


def in_step(g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, momentum_decay, correction_2):
    """torch/optim/nadam.py: m averages with β1."""
    mu, after = risen(g, t * momentum_decay, beta_1), risen(g, (t + 1) * momentum_decay, beta_1)
    return scheduled(g, slots, mu, after, beta_1, beta_2, learning_rate, epsilon, correction_2)


def in_step_at_once(g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, correction_2):
    """keras/src/optimizers/nadam.py: the same with ψ = 1."""
    mu, after = risen(g, t, beta_1), risen(g, t + 1, beta_1)
    return scheduled(g, slots, mu, after, beta_1, beta_2, learning_rate, epsilon, correction_2)


def with_narrow_constant(g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, correction_2):
    """The same with 0.96 of float32, which Keras casts it to on its way to any dtype."""
    mu, after = (risen(g, step, beta_1, narrowly(0.96, g)) for step in (t, t + 1))
    return scheduled(g, slots, mu, after, beta_1, beta_2, learning_rate, epsilon, correction_2)


def risen(g, times, beta_1, base=0.96):
    """μ: β1·(1 − ½·0.96^times). A power carries its rounding errors."""
    return (1 - np.full_like(g, base) ** times / 2) * beta_1


def scheduled(g, slots, mu, after, kept, beta_2, learning_rate, epsilon, correction_2):
    m, v = average(slots["m"], g, kept), average(slots["v"], g**2, beta_2)
    product = slots["product"] * mu
    m_hat = m * after / (1 - product * after) + g * (1 - mu) / (1 - product)
    root = either((v, correction_2), lambda v, c: np.sqrt(v / c), lambda v, c: np.sqrt(v) / np.sqrt(c))
    denominator = root + epsilon
    values = dict(
        mu=mu, mu_next=after, product=product, m=m, v=v, correction_2=correction_2, m_hat=m_hat, denominator=denominator
    )
    return values | dict(delta=m_hat * learning_rate / denominator)


def constant(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Optax's scale_by_adam with nesterov=True."""
    m, v = average(slots["m"], g, beta_1), average(slots["v"], g**2, beta_2)
    after = (1 - beta_1) + correction_1 * beta_1  # 1 − β1^(t + 1)
    m_hat = m * beta_1 / after + g * (1 - beta_1) / correction_1
    denominator = np.sqrt(v / correction_2) + epsilon
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    return dict(
        m=m, v=v, **corrections, m_hat=m_hat, denominator=denominator, delta=m_hat * learning_rate / denominator
    )


def kernel(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """ApplyAdam in TensorFlow's training_ops.cc with use_nesterov."""
    m, v = average(slots["m"], g, beta_1), average(slots["v"], g**2, beta_2)
    alpha_t, root = np.sqrt(correction_2) * learning_rate / correction_1, np.sqrt(v) + epsilon
    ahead = m * beta_1 + g * (1 - beta_1)
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    shown = dict(m_hat=ahead / correction_1, denominator=root / np.sqrt(correction_2))
    return dict(m=m, v=v, **corrections, **shown, delta=ahead * alpha_t / root)


def formula(compute, learning_rate=2e-3, epsilon=1e-8, **precisions):
    settings = dict(learning_rate=learning_rate, beta_1=0.9, beta_2=0.999, epsilon=epsilon)
    if compute in (paper, in_step):
        settings["momentum_decay"] = 0.004
    if compute in (constant, kernel):
        return Formula(compute, settings, ("m", "v"), **precisions)
    return Formula(compute, settings, ("m", "v", "product"), {"product": 1.0}, **precisions)


def to_the_other_form(own: Formula, other: Formula) -> Plan:
    """PyTorch's form with ψ = 1 is Keras's; there are no others of the same kind."""
    settings = dict(own.settings)
    pace = settings.pop("momentum_decay", 1.0)
    if other.compute in (paper, in_step):
        settings["momentum_decay"] = pace
    same = {in_step_at_once, in_step}
    if own.compute is other.compute or ({own.compute, other.compute} == same and pace == 1):
        return Plan(settings)
    return Plan(settings, "where μ stands, and what it is in a step, is no setting that the two have", "learning_rate")


OF_BOTH = {
    "m forgets nothing: a sum": lambda new, old, s: {new.m: old.m + old.g},
    "v averages m²": lambda new, old, s: {new.v: average(old.v, new.m**2, s.beta_2)},
    "v averages (g − m)²": lambda new, old, s: {new.v: average(old.v, (old.g - new.m) ** 2, s.beta_2)},
    "the old m looked ahead from": lambda new, old, s: {"m_hat": new.m_hat - new.m + old.m},
}
SCHEDULED = OF_BOTH | {
    "Adam: not looked ahead": lambda new, old, s: {new.m_hat: new.m / (1 - new.product)},
    "no schedule: β1 for μ": lambda new, old, s: {new.mu: new.mu * 0 + s.beta_1},
    "this step's μ for the next one's": lambda new, old, s: {new.mu_next: new.mu},
    "one correction for both": lambda new, old, s: {
        new.m_hat: (new.mu_next * new.m + (1 - new.mu) * old.g) / (1 - new.product)
    },
    "corrected by μ, not by its product": lambda new, old, s: {new.product: new.mu},
}
CONSTANT = OF_BOTH | {
    "Adam: not looked ahead": lambda new, old, s: {new.m_hat: new.m / s.correction_1},
    "one correction for both": lambda new, old, s: {
        new.m_hat: (s.beta_1 * new.m + (1 - s.beta_1) * old.g) / s.correction_1
    },
}
KERNEL = OF_BOTH | {
    "Adam: not looked ahead": lambda new, old, s: {
        new.delta: new.m / s.correction_1 * s.learning_rate / new.denominator
    },
    "two corrections": lambda new, old, s: {
        new.delta: (s.beta_1 * new.m / (1 - s.beta_1 * (1 - s.correction_1)) + (1 - s.beta_1) * old.g / s.correction_1)
        * s.learning_rate / new.denominator
    },
}  # fmt: skip

MOMENTS = {"m": "m", "v": "v"}
CARD = Card(
    formulas={
        "paper": formula(paper),
        "tf1": formula(kernel, 1e-3, complement_in="variable", power_in="variable", running=True),
        "keras": formula(in_step_at_once, 1e-3, 1e-7, complement_in="variable", power_in="variable"),
        "torch": formula(in_step),
        "optax": formula(constant, power_in="variable"),
    },
    libraries={
        "keras": Spelling(
            "Nadam",
            {"m": "_momentums", "v": "_velocities", "product": "_u_product"},
            narrowed=with_narrow_constant,
            surprise="its step has 0.96 of float32 in every dtype, and its product of μ has another: in float64 the "
            "first μ is 0.4680000097 there and 0.468 here, at a β1 of 0.9",
        ),
        "tf1-kernel": Spelling("ApplyAdam", MOMENTS, options={"use_nesterov": True}),
        "torch": Spelling(
            "NAdam",
            {"m": "exp_avg", "v": "exp_avg_sq", "product": "mu_product"},
            surprise="its product of μ is of PyTorch's default dtype, in which it is judged here: float32 beside "
            "parameters of float64 unless torch.set_default_dtype says otherwise",
        ),
        "optax": Spelling("nadam", {"m": "mu", "v": "nu"}),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7, momentum_decay=0.25),),
    errors={paper: SCHEDULED, in_step: SCHEDULED, in_step_at_once: SCHEDULED, constant: CONSTANT, kernel: KERNEL},
    translate=to_the_other_form,
)
