"""RAdam: Liu et al. 2020, and the libraries' other threshold and two places for ε."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either


def corrected(
    g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, threshold, correction_1, correction_2, length=None, r=None
):
    """Liu et al. 2020, Algorithm 2, with an ε; Optax's scale_by_radam with eps_root = 0."""
    v = average(slots["v"], g**2, beta_2)
    root = either((v, correction_2), lambda v, c: np.sqrt(v) / np.sqrt(c), lambda v, c: np.sqrt(v / c)) + epsilon
    given = (length, r)
    return rectified(g, slots, t, v, root, learning_rate, beta_1, beta_2, threshold, correction_1, correction_2, given)


def raw(g, slots, *, t, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2, length=None, r=None):
    """torch/optim/radam.py."""
    v = average(slots["v"], g**2, beta_2)
    root = (np.sqrt(v) + epsilon) / np.sqrt(correction_2)
    given = (length, r)
    return rectified(g, slots, t, v, root, learning_rate, beta_1, beta_2, 5.0, correction_1, correction_2, given)


def rectified(g, slots, t, v, root, learning_rate, beta_1, beta_2, threshold, correction_1, correction_2, given):
    m = average(slots["m"], g, beta_1)
    longest = np.full_like(g, 2 / (1 - beta_2) - 1)
    rho = longest - (1 - correction_2) * t * 2 / correction_2
    length = rho if given[0] is None else given[0]
    # 1 above the threshold and 0 below; where roundings may carry ρ over it, either is right.
    trusted = (np.sign(length - threshold) + 1) / 2
    part = (length - 4) * (length - 2) * longest / (length * ((longest - 4) * (longest - 2)))
    computed = np.sqrt(np.where(length > threshold, part, 1.0))
    r = computed if given[1] is None else given[1]
    m_hat = m / correction_1
    scaled = either((m_hat, r, root), lambda m, r, root: m * r / root, lambda m, r, root: m * (1 / root) * r)
    delta = (trusted * scaled + (1 - trusted) * m_hat) * learning_rate
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    return dict(m=m, v=v, **corrections, m_hat=m_hat, length=rho, r=computed, denominator=root, delta=delta)


def formula(compute, power_in="float64", **more):
    settings = dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    return Formula(compute, settings | more, ("m", "v"), power_in=power_in)


def to_the_other_epsilon(own: Formula, other: Formula) -> Plan:
    """ε stands beside √v̂ or beside √v = √v̂·√(1 − β2^t); PyTorch's threshold is 5."""
    settings = dict(own.settings)
    threshold = settings.pop("threshold", 5.0)
    if other.compute is corrected:
        settings["threshold"] = threshold
    if own.compute is other.compute:
        return Plan(settings)
    if threshold != 5:
        return Plan(settings, f"PyTorch trusts v from a ρ of 5 on, not of {threshold:g}", "learning_rate")
    epsilon, beta_2, to_raw = settings["epsilon"], settings["beta_2"], other.compute is raw

    def at(t: int) -> float:
        root = float(np.sqrt(1 - np.longdouble(beta_2) ** t))
        return epsilon * root if to_raw else epsilon / root

    words = "ε_t = ε·√(1 − β2^t)" if to_raw else "ε_t = ε/√(1 − β2^t)"
    return Plan(settings, "√(1 − β2^t) stands between the two places of ε, and changes with t", "epsilon", (words, at))


ERRORS = {
    "always trusted": lambda new, old, s: {"delta": s.learning_rate * new.m_hat * new.r / new.denominator},
    "never trusted": lambda new, old, s: {"delta": s.learning_rate * new.m_hat},
    "not rectified": lambda new, old, s: {new.r: new.r * 0 + 1},
    "ρ without the factor 2": lambda new, old, s: {new.length: (new.length + 2 / (1 - s.beta_2) - 1) / 2},
    "v averages m²": lambda new, old, s: {new.v: average(old.v, new.m**2, s.beta_2)},
}

CARD = Card(
    formulas={
        "paper": formula(corrected, threshold=4.0),
        "torch": formula(raw),
        "optax": formula(corrected, "variable", threshold=5.0),
    },
    libraries={
        "torch": Spelling("RAdam", {"m": "exp_avg", "v": "exp_avg_sq"}),
        "optax": Spelling(
            "radam",
            {"m": "mu", "v": "nu"},
            surprise="in float32 its ρ loses the digits that count: at a β2 of 0.999, r is 0.6 % off in step 6 and "
            "0.25 % in step 10",
        ),
    },
    revealing=(dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.875, epsilon=2.0**-7, threshold=6.0),),
    errors=dict.fromkeys((corrected, raw), ERRORS),
    translate=to_the_other_epsilon,
)
