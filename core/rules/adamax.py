"""Adamax (Kingma & Ba 2015)."""

from typing import Annotated, Literal, NamedTuple

from ..xp import Array, abs, maximum, zeros_like
from .averages import average, one_minus_power
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, NonNegative, PowerIn, Rate


class AdamaxSlots(NamedTuple):
    """Both start at 0."""

    m: Annotated[Array, "running mean of the gradient"]
    u: Annotated[Array, "the largest |g|, faded by β2 a step"]


class Adamax(Rule):
    """Adamax: Adam with the largest of past gradients, faded, in the place of the root of their mean square.

    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 2.

        m ← β1·m + (1 − β1)·g           u ← max(β2·u, |g|)
        Δ = α/(1 − β1^t)·m / u          θ ← θ − Δ

    The paper has no ε, and is 0/0 where all gradients were 0; here ε is 1e-8. Keras and TF1 add it to u in the step,
    PyTorch and Optax to |g| before the maximum, so that it stays in the slot: u of a coordinate without gradients ends
    at ε, theirs at 0. TF1's kernel and Keras average in increments, PyTorch too.
    """

    learning_rate: Annotated[Rate, "how far a step goes where gradients are steady"]
    beta_1: Annotated[Decay, "the share of m that a step keeps"] = 0.9
    beta_2: Annotated[Decay, "the share of u that a step keeps, unless |g| is larger"] = 0.999
    epsilon: Annotated[NonNegative, "keeps the quotient finite where all gradients were 0"] = 1e-8
    epsilon_in: Annotated[Literal["step", "slot"], "ε beside u in the step, or beside |g| in u"] = "step"
    incremental: Annotated[bool, "m written old + (1 − β)·(new − old)"] = False
    complement_in: ComplementIn = "float64"
    power_in: PowerIn = "float64"

    def slots(self, x: Array) -> AdamaxSlots:
        return AdamaxSlots(m=zeros_like(x), u=zeros_like(x))

    def update(self, g: Array, slots: AdamaxSlots, x: Array, at: At) -> Step:
        m = average(slots.m, g, self.beta_1, self.complement_in, self.incremental)
        in_slot = self.epsilon_in == "slot"
        u = maximum(self.beta_2 * slots.u, abs(g) + self.epsilon if in_slot else abs(g))
        c_1 = one_minus_power(self.beta_1, at.t, x, self.power_in)
        denominator = u if in_slot else u + self.epsilon
        delta = self.learning_rate / c_1 * m / denominator
        stages = dict(correction_1=c_1, m_hat=m / c_1, denominator=denominator)
        return Step(delta, AdamaxSlots(m, u), stages | dict(epsilon_outweighs=self.epsilon > u))


Adamax.DIALECTS = {
    "paper": Dialect("Kingma & Ba 2015, Algorithm 2", dict(learning_rate=2e-3)),
    "tf1": Dialect(
        "TensorFlow, the kernel ResourceApplyAdaMax",
        dict(learning_rate=1e-3, incremental=True, complement_in="variable", power_in="variable"),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adamax.py",
        dict(learning_rate=1e-3, epsilon=1e-7, incremental=True, power_in="variable"),
    ),
    "torch": Dialect("PyTorch, torch/optim/adamax.py", dict(learning_rate=2e-3, epsilon_in="slot", incremental=True)),
    "optax": Dialect("Optax, optax/_src/alias.py, adamax", dict(epsilon_in="slot", power_in="variable")),
}
