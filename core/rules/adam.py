"""Adam (Kingma & Ba 2015)."""

from typing import ClassVar, Literal, NamedTuple

from ..xp import Array, sqrt, zeros_like
from . import dialects
from .rule import Decay, NonNegative, Positive, Precision, Rate, Rule, Step, average, one_minus_power


class AdamSlots(NamedTuple):
    """m: running mean of the gradient; v: running mean of its square (both biased towards 0)."""

    m: Array
    v: Array

    SQUARES = ("v",)


class Adam(Rule):
    """Adam: adaptive moment estimation.

    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1. With α = learning_rate:

        m ← β1·m + (1 − β1)·g           v ← β2·v + (1 − β2)·g²
        m̂ = m / (1 − β1^t)              v̂ = v / (1 − β2^t)
        Δ = α·m̂ / (√v̂ + ε)              θ ← θ − Δ

    The paper's section 2 ends with a form that saves operations, α·√(1 − β2^t)/(1 − β1^t)·m / (√v + ε̂). The two
    agree when ε̂ = ε·√(1 − β2^t), so no constant ε̂ equals a constant ε: TF1 and Keras compute the second form and
    call its ε̂ epsilon (`epsilon_form="epsilon-hat"`); PyTorch, Optax and Sonnet compute Algorithm 1. A first step
    with ε = 1e-7 and g = 1e-6 is 3.8 times as long in Algorithm 1.

    Any shape, any real floating dtype; all slots have the shape and dtype of the parameter.

    learning_rate: how far a step goes at most where gradients are steady.
    beta_1:        the share of m that a step keeps.
    beta_2:        the share of v that a step keeps.
    epsilon:       keeps the quotient finite where v is near 0; steps of gradients smaller than it shrink.
    epsilon_root:  Optax's eps_root, one more ε, inside the root; 0 elsewhere.
    epsilon_form:  where ε stands: algorithm-1 is √v̂ + ε, after the bias correction; epsilon-hat is √v + ε̂, before it.
    incremental:   which averages are written old + (1 − β)·(new − old): both in TF1 and Keras, m in PyTorch. That
                   shows in float32, where β2 + (1 − β2) is not 1 and a weighted v settles 1e-5 too high.
    complement_in: where 1 − β is subtracted; in the variable's dtype in TF1, in Python's float64 elsewhere.
    power_in:      where 1 − β^t is computed; in float64 in PyTorch, in the variable's dtype in TF1 (which carries
                   β^t as a running product, so its last bits differ), Keras and Optax.

    Stages: correction_1 = 1 − β1^t, correction_2 = 1 − β2^t (scalars), m_hat, v_hat, and the denominator of α·m̂, which
    is √v̂ + ε, or (√v + ε̂)/√(1 − β2^t).
    """

    DIALECTS: ClassVar = dialects.ADAM

    learning_rate: Rate = 1e-3
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8
    epsilon_root: NonNegative = 0.0
    epsilon_form: Literal["algorithm-1", "epsilon-hat"] = "algorithm-1"
    incremental: Literal["neither", "m", "both"] = "neither"
    complement_in: Precision = "float64"
    power_in: Precision = "float64"

    def slots(self, x: Array) -> AdamSlots:
        return AdamSlots(m=zeros_like(x), v=zeros_like(x))

    def update(self, g: Array, slots: AdamSlots, t: Array, x: Array) -> Step:
        m = average(slots.m, g, self.beta_1, self.complement_in, incremental=self.incremental != "neither")
        v = average(slots.v, g * g, self.beta_2, self.complement_in, incremental=self.incremental == "both")
        c_1, c_2 = one_minus_power(self.beta_1, t, g, self.power_in), one_minus_power(self.beta_2, t, g, self.power_in)
        m_hat, v_hat = m / c_1, v / c_2
        if self.epsilon_form == "algorithm-1":
            denominator = sqrt(v_hat + self.epsilon_root) + self.epsilon
            delta = self.rate(t, g) * m_hat / denominator
        else:
            root = sqrt(v + self.epsilon_root) + self.epsilon
            delta, denominator = self.rate(t, g) * sqrt(c_2) / c_1 * m / root, root / sqrt(c_2)
        stages = dict(correction_1=c_1, correction_2=c_2, m_hat=m_hat, v_hat=v_hat, denominator=denominator)
        return Step(delta, AdamSlots(m, v), stages)

    def epsilon_outweighs(self, step: Step) -> Array:
        v = step.stages["v_hat"] if self.epsilon_form == "algorithm-1" else step.slots.v
        return self.epsilon > sqrt(v + self.epsilon_root)
