"""Adam (Kingma & Ba 2015)."""

from typing import Annotated, Literal, NamedTuple

from ..xp import Array, sqrt, zeros_like
from .averages import average, one_minus_power
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, NonNegative, Positive, PowerIn, Rate
from .slots import SQUARED


class AdamSlots(NamedTuple):
    """Both start at 0 and are biased towards it."""

    m: Annotated[Array, "running mean of the gradient"]
    v: Annotated[Array, "running mean of its square", SQUARED]


class Adam(Rule):
    """Adam: adaptive moment estimation.

    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1.

        m ← β1·m + (1 − β1)·g           v ← β2·v + (1 − β2)·g²
        m̂ = m / (1 − β1^t)              v̂ = v / (1 − β2^t)
        Δ = α·m̂ / (√v̂ + ε)              θ ← θ − Δ

    The paper's section 2 ends with a form that saves operations, α·√(1 − β2^t)/(1 − β1^t)·m / (√v + ε̂). The two
    agree when ε̂ = ε·√(1 − β2^t), so no constant ε̂ equals a constant ε: TF1 and Keras compute the second form and
    call its ε̂ epsilon (`epsilon_form="epsilon-hat"`); PyTorch, Optax and Sonnet compute Algorithm 1. A first step
    with ε = 1e-7 and g = 1e-6 is 3.8 times as long in Algorithm 1.

    TF1 and Keras average in increments, PyTorch m alone. That shows in float32, where β2 + (1 − β2) is not 1 and a
    weighted v settles 1e-5 too high. TF1 carries β^t as a running product, whose last bits are not the power's.

    The denominator is that of α·m̂: √v̂ + ε, or (√v + ε̂)/√(1 − β2^t).
    """

    learning_rate: Annotated[Rate, "how far a step goes at most where gradients are steady"] = 1e-3
    beta_1: Annotated[Decay, "the share of m that a step keeps"] = 0.9
    beta_2: Annotated[Decay, "the share of v that a step keeps"] = 0.999
    epsilon: Annotated[Positive, "keeps the quotient finite near v = 0; shortens steps of gradients below it"] = 1e-8
    epsilon_root: Annotated[NonNegative, "Optax's eps_root, one more ε, inside the root"] = 0.0
    epsilon_form: Annotated[Literal["algorithm-1", "epsilon-hat"], "ε beside √v̂ or beside √v"] = "algorithm-1"
    incremental: Annotated[Literal["neither", "m", "both"], "averages written old + (1 − β)·(new − old)"] = "neither"
    complement_in: ComplementIn = "float64"
    power_in: PowerIn = "float64"

    def slots(self, x: Array) -> AdamSlots:
        return AdamSlots(m=zeros_like(x), v=zeros_like(x))

    def update(self, g: Array, slots: AdamSlots, x: Array, at: At) -> Step:
        m = average(slots.m, g, self.beta_1, self.complement_in, incremental=self.incremental != "neither")
        v = average(slots.v, g * g, self.beta_2, self.complement_in, incremental=self.incremental == "both")
        c_1, c_2 = (one_minus_power(beta, at.t, x, self.power_in) for beta in (self.beta_1, self.beta_2))
        m_hat, v_hat = m / c_1, v / c_2
        root = sqrt(v_hat + self.epsilon_root)
        denominator = root + self.epsilon
        delta = self.learning_rate * m_hat / denominator
        if self.epsilon_form == "epsilon-hat":  # the end of section 2
            root = sqrt(v + self.epsilon_root)
            delta = self.learning_rate * sqrt(c_2) / c_1 * m / (root + self.epsilon)
            denominator = (root + self.epsilon) / sqrt(c_2)
        stages = dict(correction_1=c_1, correction_2=c_2, m_hat=m_hat, v_hat=v_hat, denominator=denominator)
        return Step(delta, AdamSlots(m, v), stages | dict(epsilon_outweighs=self.epsilon > root))


Adam.DIALECTS = {
    "paper": Dialect("Kingma & Ba 2015, Algorithm 1", dict(learning_rate=1e-3)),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdamOptimizer and the kernel ResourceApplyAdam",
        dict(
            learning_rate=1e-3,
            epsilon_form="epsilon-hat",
            incremental="both",
            complement_in="variable",
            power_in="variable",
        ),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adam.py",
        dict(learning_rate=1e-3, epsilon=1e-7, epsilon_form="epsilon-hat", incremental="both", power_in="variable"),
    ),
    "torch": Dialect("PyTorch, torch/optim/adam.py", dict(learning_rate=1e-3, incremental="m")),
    "optax": Dialect("Optax, optax/_src/transform.py, scale_by_adam", dict(power_in="variable")),
}
