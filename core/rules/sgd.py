"""Plain stochastic gradient descent (Robbins & Monro 1951)."""

from typing import ClassVar, NamedTuple

from ..xp import Array
from . import dialects
from .rule import Rate, Rule, Step


class SGDSlots(NamedTuple):
    """None: the rule remembers nothing."""


class SGD(Rule):
    """Plain stochastic gradient descent, without momentum.

    Robbins & Monro, "A Stochastic Approximation Method", Annals of Mathematical Statistics 22 (1951), with a gradient
    for what is observed; on an exact gradient, the steepest descent of Cauchy (1847). With α = learning_rate:

        Δ = α·g                         θ ← θ − Δ

    The paper takes a sequence of rates α_t with Σ α_t = ∞ and Σ α_t² < ∞, and names none, so the rate must be given:
    α_t = c/t is the schedule `lambda step: c / (1 + step)`. The form is one everywhere. TF1 and Optax ask for the rate
    too; Keras defaults to 0.01, PyTorch to 0.001.

    learning_rate: the step's length for a gradient of 1.

    Any shape, any real floating dtype; no slots, no stages.
    """

    DIALECTS: ClassVar = dialects.SGD

    learning_rate: Rate

    def slots(self, x: Array) -> SGDSlots:
        return SGDSlots()

    def update(self, g: Array, slots: SGDSlots, t: Array, x: Array) -> Step:
        delta = self.rate(t, g) * g
        return Step(delta, slots, {})
