"""Adadelta (Zeiler 2012)."""

from typing import Annotated, NamedTuple

from ..xp import Array, sqrt, zeros_like
from .averages import average
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, Positive, Rate
from .slots import SQUARED


class AdadeltaSlots(NamedTuple):
    """Both start at 0."""

    mean_g2: Annotated[Array, "running mean of the squared gradient, E[g²]", SQUARED]
    mean_dx2: Annotated[Array, "running mean of the squared unscaled update, E[Δx²]", SQUARED]


class Adadelta(Rule):
    """Adadelta: updates in the parameter's own units.

    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701 (2012), Algorithm 1, equations 9 to 14.

        E[g²] ← ρ·E[g²] + (1 − ρ)·g²
        Δx = √(E[Δx²] + ε) / √(E[g²] + ε) · g
        E[Δx²] ← ρ·E[Δx²] + (1 − ρ)·Δx²
        Δ = α·Δx                        θ ← θ − Δ

    The paper has no learning rate: α = 1. Every library adds one, after the accumulator. TF1 and Keras default to
    α = 0.001, a thousandth of the paper's step; PyTorch to 1; Optax to none, which leaves its update without a sign
    too, so that here it has to be given. ε, which sets the size of the first steps, is 1e-6 in the paper, PyTorch and
    Optax, 1e-8 in TF1, 1e-7 in Keras. ρ is 0.95 in the paper, TF1 and Keras, 0.9 in PyTorch and Optax.
    """

    learning_rate: Annotated[Rate, "the factor of the finished step; the paper has none"] = 1.0
    rho: Annotated[Decay, "the share of both averages that a step keeps"] = 0.95
    epsilon: Annotated[Positive, "stands under both roots, and sets the size of the first steps"] = 1e-6
    complement_in: ComplementIn = "float64"

    def slots(self, x: Array) -> AdadeltaSlots:
        return AdadeltaSlots(mean_g2=zeros_like(x), mean_dx2=zeros_like(x))

    def update(self, g: Array, slots: AdadeltaSlots, x: Array, at: At) -> Step:
        mean_g2 = average(slots.mean_g2, g * g, self.rho, self.complement_in)
        rms_dx, rms_g = sqrt(slots.mean_dx2 + self.epsilon), sqrt(mean_g2 + self.epsilon)
        dx = rms_dx / rms_g * g
        mean_dx2 = average(slots.mean_dx2, dx * dx, self.rho, self.complement_in)
        stages = dict(rms_dx=rms_dx, rms_g=rms_g, dx=dx, epsilon_outweighs=self.epsilon > mean_g2)
        return Step(self.learning_rate * dx, AdadeltaSlots(mean_g2, mean_dx2), stages)


Adadelta.DIALECTS = {
    "paper": Dialect("Zeiler 2012, Algorithm 1", dict(learning_rate=1.0)),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdadeltaOptimizer and the kernel ResourceApplyAdadelta",
        dict(learning_rate=1e-3, epsilon=1e-8, complement_in="variable"),
    ),
    "keras": Dialect("Keras, keras/src/optimizers/adadelta.py", dict(learning_rate=1e-3, epsilon=1e-7)),
    "torch": Dialect("PyTorch, torch/optim/adadelta.py", dict(learning_rate=1.0, rho=0.9)),
    "optax": Dialect("Optax, optax/_src/transform.py, scale_by_adadelta", dict(rho=0.9)),
}
