"""RAdam (Liu et al. 2020)."""

from typing import Annotated, Literal, NamedTuple

from ..xp import Array, cast_like, sqrt, where, zeros_like
from .averages import average, one_minus_power
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, Interval, NonNegative, Number, PowerIn, Precision, Rate
from .slots import SQUARED


class RAdamSlots(NamedTuple):
    """Both start at 0."""

    m: Annotated[Array, "running mean of the gradient"]
    v: Annotated[Array, "running mean of its square", SQUARED]


class RAdam(Rule):
    """RAdam: Adam that trusts v only after a few steps, and then little by little.

    Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020, Algorithm 2.

        m ← β1·m + (1 − β1)·g           v ← β2·v + (1 − β2)·g²
        ρ∞ = 2/(1 − β2) − 1             ρ = ρ∞ − 2·t·β2^t/(1 − β2^t)
        r = √((ρ − 4)·(ρ − 2)·ρ∞ / ((ρ∞ − 4)·(ρ∞ − 2)·ρ))
        Δ = α·r·m̂/√v̂ where ρ > 4, else α·m̂                              θ ← θ − Δ

    m̂ = m/(1 − β1^t) and v̂ = v/(1 − β2^t). Where v is not trusted a step is that of momentum, as long as the gradient.
    The paper's threshold is 4 and it has no ε; PyTorch and Optax begin at 5, and add ε to √v and to √v̂. ρ is a small
    difference of large numbers: in float32, in which Optax computes it, r is 0.6 % off at t = 6 with β2 = 0.999. Keras
    and TF1 have no RAdam.
    """

    learning_rate: Annotated[Rate, "how far a step goes at most where gradients are steady"]
    beta_1: Annotated[Decay, "the share of m that a step keeps"] = 0.9
    beta_2: Annotated[Decay, "the share of v that a step keeps"] = 0.999
    epsilon: Annotated[NonNegative, "keeps the quotient finite near v = 0"] = 1e-8
    epsilon_form: Annotated[Literal["corrected", "raw"], "ε beside √v̂ or beside √v"] = "corrected"
    threshold: Annotated[Number, Interval(4.0, closed=True), "the ρ above which v is trusted"] = 4.0
    incremental: Annotated[bool, "m written old + (1 − β)·(new − old)"] = False
    complement_in: ComplementIn = "float64"
    power_in: PowerIn = "float64"

    def slots(self, x: Array) -> RAdamSlots:
        return RAdamSlots(m=zeros_like(x), v=zeros_like(x))

    def update(self, g: Array, slots: RAdamSlots, x: Array, at: At) -> Step:
        m = average(slots.m, g, self.beta_1, self.complement_in, self.incremental)
        v = average(slots.v, g * g, self.beta_2, self.complement_in)
        c_1 = one_minus_power(self.beta_1, at.t, x, self.power_in)
        c_2, length, longest = averaged_over(self.beta_2, at.t, x, self.power_in)
        trusted = length > self.threshold
        part = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        c_2, length, r = (cast_like(one, x) for one in (c_2, length, sqrt(where(trusted, part, 1.0))))
        raw = self.epsilon_form == "raw"
        denominator = (sqrt(v) + self.epsilon) / sqrt(c_2) if raw else sqrt(v / c_2) + self.epsilon
        m_hat = m / c_1
        delta = self.learning_rate * where(trusted, m_hat * r / denominator, m_hat)
        stages = dict(correction_1=c_1, correction_2=c_2, m_hat=m_hat, length=length, r=r, denominator=denominator)
        return Step(delta, RAdamSlots(m, v), stages | dict(trusted=trusted))


def averaged_over(beta: Number, t: Array, x: Array, precision: Precision) -> tuple[Array, Array, Array]:
    """1 − β^t, and how many gradients an average with β is worth after t steps, ρ, and in the end, ρ∞.

    In the dtype of t, or of x where that is the `precision`: ρ is a small difference of large numbers.
    """
    longest = 2 / (1 - cast_like(beta, t)) - 1
    if precision == "variable":
        t, longest = cast_like(t, x), cast_like(longest, x)
    correction = one_minus_power(beta, t, t, precision)
    return correction, longest - 2 * t * (1 - correction) / correction, longest


RAdam.DIALECTS = {
    "paper": Dialect("Liu et al. 2020, Algorithm 2", dict(learning_rate=1e-3)),
    "torch": Dialect(
        "PyTorch, torch/optim/radam.py", dict(learning_rate=1e-3, threshold=5.0, epsilon_form="raw", incremental=True)
    ),
    "optax": Dialect("Optax, optax/_src/transform.py, scale_by_radam", dict(threshold=5.0, power_in="variable")),
}
