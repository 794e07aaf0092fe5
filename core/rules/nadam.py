"""Nadam (Dozat 2016)."""

from typing import Annotated, Literal, NamedTuple

from ..xp import Array, cast_like, sqrt, zeros_like
from .averages import average, one_minus, one_minus_power
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, Letter, Number, Positive, PowerIn, Precision, Rate
from .slots import SQUARED


class NadamSlots(NamedTuple):
    """m and v start at 0, the product at 1; there is none where μ is constant."""

    m: Annotated[Array, "running mean of the gradient"]
    v: Annotated[Array, "running mean of its square", SQUARED]
    product: Annotated[Array, "the product of all μ so far: one number"]


class Nadam(Rule):
    """Nadam: Adam that looks ahead, as Nesterov's momentum does. The libraries have four rules under this name.

    Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop, Algorithm 2.

        μ = β1·(1 − ½·0.96^(ψ·t)), μ′ of step t + 1                     Π ← Π·μ
        m ← μ·m + (1 − μ)·g             v ← β2·v + (1 − β2)·g²
        m̂ = μ′·m/(1 − Π·μ′) + (1 − μ)·g/(1 − Π)
        Δ = α·m̂ / (√(v/(1 − β2^t)) + ε)                                 θ ← θ − Δ

    PyTorch and Keras average m with β1 in the place of μ. ψ is 1/250 in Dozat's runs and in PyTorch, 1 in Keras: μ
    rises to β1 within tens of thousands of steps, or within a hundred. Optax has no schedule: μ = μ′ = β1 and Π = β1^t.
    TF1's kernel, Adam's with use_nesterov, divides both parts by 1 − β1^t, and has ε̂ beside √v.
    """

    learning_rate: Annotated[Rate, "how far a step goes at most where gradients are steady"]
    beta_1: Annotated[Decay, "what μ rises to, the share of m that a step keeps"] = 0.9
    beta_2: Annotated[Decay, "the share of v that a step keeps"] = 0.999
    epsilon: Annotated[Positive, "keeps the quotient finite near v = 0"] = 1e-8
    momentum_decay: Annotated[Positive, "how fast μ rises", Letter("ψ")] = 0.004
    form: Annotated[Literal["paper", "in m̂", "constant", "kernel"], "where μ is; in the kernel, ε̂ too"] = "paper"
    incremental: Annotated[Literal["neither", "m", "both"], "averages written old + (1 − β)·(new − old)"] = "neither"
    complement_in: ComplementIn = "float64"
    power_in: PowerIn = "float64"

    def slots(self, x: Array) -> NadamSlots:
        one = cast_like(1.0 + 0.0 * (self.beta_1 * self.momentum_decay), x)  # of each run, where they are of runs
        return NadamSlots(zeros_like(x), zeros_like(x), () if self.form in ("constant", "kernel") else one)

    def update(self, g: Array, slots: NadamSlots, x: Array, at: At) -> Step:
        scheduled, kernel = self.form in ("paper", "in m̂"), self.form == "kernel"
        mu, after = (self.beta_1, self.beta_1)
        if scheduled:
            mu, after = (risen(self.beta_1, self.momentum_decay, t, x, self.power_in) for t in (at.t, at.t + 1))
        kept = mu if self.form == "paper" else self.beta_1
        m = average(slots.m, g, kept, self.complement_in, incremental=self.incremental != "neither")
        v = average(slots.v, g * g, self.beta_2, self.complement_in, incremental=self.incremental == "both")
        product = slots.product * mu if scheduled else slots.product
        c_1, c_2 = (one_minus_power(beta, at.t, x, self.power_in) for beta in (self.beta_1, self.beta_2))
        rest = one_minus(mu, x, self.complement_in)
        now, ahead = (1 - product, 1 - product * after) if scheduled else (c_1, c_1 if kernel else rest + mu * c_1)
        m_hat = after * m / ahead + rest * g / now
        denominator = (sqrt(v) + self.epsilon) / sqrt(c_2) if kernel else sqrt(v / c_2) + self.epsilon
        stages = dict(mu=mu, mu_next=after) if scheduled else dict(correction_1=c_1)
        stages |= dict(correction_2=c_2, m_hat=m_hat, denominator=denominator)
        return Step(self.learning_rate * m_hat / denominator, NadamSlots(m, v, product), stages)


def risen(beta: Number, pace: Number, t: Array, x: Array, precision: Precision) -> Array:
    """μ of step t in the dtype of x, computed as `precision` says."""
    t = cast_like(t, x) if precision == "variable" else t
    beta, pace = cast_like(beta, t), cast_like(pace, t)
    return cast_like(beta * (1 - cast_like(0.96, t) ** (pace * t) / 2), x)


Nadam.DIALECTS = {
    "paper": Dialect("Dozat 2016, Algorithm 2", dict(learning_rate=2e-3)),
    "tf1": Dialect(
        "TensorFlow, the kernel ResourceApplyAdam with use_nesterov",
        dict(learning_rate=1e-3, form="kernel", incremental="both", complement_in="variable", power_in="variable"),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/nadam.py",
        dict(
            learning_rate=1e-3,
            epsilon=1e-7,
            momentum_decay=1.0,
            form="in m̂",
            incremental="both",
            complement_in="variable",
            power_in="variable",
        ),
    ),
    "torch": Dialect("PyTorch, torch/optim/nadam.py", dict(learning_rate=2e-3, form="in m̂", incremental="m")),
    "optax": Dialect("Optax, optax/_src/alias.py, nadam", dict(form="constant", power_in="variable")),
}
