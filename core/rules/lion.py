"""Lion (Chen et al. 2023)."""

from typing import Annotated, NamedTuple

from ..xp import Array, sign, zeros_like
from .averages import average
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, Letter, NonNegative, Rate


class LionSlots(NamedTuple):
    """It starts at 0."""

    m: Annotated[Array, "running mean of the gradient"]


class Lion(Rule):
    """Lion: every coordinate moves by the rate, in the direction of an average of gradients.

    Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, Algorithm 2.

        c = β1·m + (1 − β1)·g           m ← β2·m + (1 − β2)·g
        Δ = α·(sign(c) + λ·θ)           θ ← θ − Δ

    The direction has a shorter memory than what is kept. A coordinate whose gradients were always 0 stays: sign(0) = 0.
    Keras, where λ is an option of every optimizer, decays θ first and then takes the step, and subtracts 1 − β in the
    variable's dtype. λ is 0.001 in Optax, by default; Optax has no default rate, PyTorch no Lion.
    """

    learning_rate: Annotated[Rate, "how far every coordinate moves"]
    beta_1: Annotated[Decay, "the share of m in the direction of a step"] = 0.9
    beta_2: Annotated[Decay, "the share of m that a step keeps"] = 0.99
    weight_decay: Annotated[
        NonNegative, "the share of a parameter that a step at a rate of 1 takes off", Letter("λ")
    ] = 0.0
    decay_first: Annotated[bool, "θ is decayed before the step, not in the sum"] = False
    complement_in: ComplementIn = "float64"

    def slots(self, x: Array) -> LionSlots:
        return LionSlots(m=zeros_like(x))

    def update(self, g: Array, slots: LionSlots, x: Array, at: At) -> Step:
        c = average(slots.m, g, self.beta_1, self.complement_in)
        m = average(slots.m, g, self.beta_2, self.complement_in)
        signed = self.learning_rate * sign(c)
        decayed = self.weight_decay * x * self.learning_rate
        after = x - decayed - signed if self.decay_first else None
        return Step(signed + decayed, LionSlots(m), dict(c=c, decayed=decayed), after)


Lion.DIALECTS = {
    "paper": Dialect("Chen et al. 2023, Algorithm 2", dict(learning_rate=1e-4)),
    "keras": Dialect(
        "Keras, keras/src/optimizers/lion.py", dict(learning_rate=1e-3, decay_first=True, complement_in="variable")
    ),
    "optax": Dialect("Optax, optax/_src/alias.py, lion", dict(weight_decay=1e-3)),
}
