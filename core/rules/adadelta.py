"""Adadelta (Zeiler 2012)."""

from typing import ClassVar, NamedTuple

from ..xp import Array, sqrt, zeros_like
from . import dialects
from .rule import Decay, Positive, Precision, Rate, Rule, Step, average


class AdadeltaSlots(NamedTuple):
    """mean_g2: running mean of the squared gradient, E[g²]; mean_dx2: of the squared unscaled update, E[Δx²]."""

    mean_g2: Array
    mean_dx2: Array

    SQUARES = ("mean_g2", "mean_dx2")


class Adadelta(Rule):
    """Adadelta: updates in the parameter's own units.

    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701 (2012), Algorithm 1, equations 9 to 14:

        E[g²] ← ρ·E[g²] + (1 − ρ)·g²
        Δx = √(E[Δx²] + ε) / √(E[g²] + ε) · g
        E[Δx²] ← ρ·E[Δx²] + (1 − ρ)·Δx²
        Δ = α·Δx                        θ ← θ − Δ

    The paper has no learning rate: α = 1. Every library adds one, after the accumulator. TF1 and Keras default to
    α = 0.001, a thousandth of the paper's step; PyTorch to 1; Optax to none, which leaves its update without a sign
    too, so that here it has to be given. ε, which sets the size of the first steps, is 1e-6 in the paper, PyTorch and
    Optax, 1e-8 in TF1, 1e-7 in Keras. ρ is 0.95 in the paper, TF1 and Keras, 0.9 in PyTorch and Optax.

    Any shape, any real floating dtype; both slots have the shape and dtype of the parameter.

    learning_rate: the factor of the finished step; the paper has none.
    rho:           the share of both averages that a step keeps.
    epsilon:       stands under both roots, and sets the size of the first steps.
    complement_in: where 1 − ρ is subtracted; in the variable's dtype in TF1, in Python's float64 elsewhere.

    Stages: rms_dx = √(E[Δx²] + ε) before the step, rms_g = √(E[g²] + ε), dx = Δx.
    """

    DIALECTS: ClassVar = dialects.ADADELTA

    learning_rate: Rate = 1.0
    rho: Decay = 0.95
    epsilon: Positive = 1e-6
    complement_in: Precision = "float64"

    def slots(self, x: Array) -> AdadeltaSlots:
        return AdadeltaSlots(mean_g2=zeros_like(x), mean_dx2=zeros_like(x))

    def update(self, g: Array, slots: AdadeltaSlots, t: Array, x: Array) -> Step:
        mean_g2 = average(slots.mean_g2, g * g, self.rho, self.complement_in)
        rms_dx, rms_g = sqrt(slots.mean_dx2 + self.epsilon), sqrt(mean_g2 + self.epsilon)
        dx = rms_dx / rms_g * g
        mean_dx2 = average(slots.mean_dx2, dx * dx, self.rho, self.complement_in)
        return Step(self.rate(t, g) * dx, AdadeltaSlots(mean_g2, mean_dx2), dict(rms_dx=rms_dx, rms_g=rms_g, dx=dx))

    def epsilon_outweighs(self, step: Step) -> Array:
        return self.epsilon > step.slots.mean_g2

    def diagnostics(self, step: Step) -> dict[str, Array]:
        return {"rms_ratio": step.stages["rms_dx"] / step.stages["rms_g"]}
