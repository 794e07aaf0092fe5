"""RMSprop (Tieleman & Hinton 2012), centred and with momentum (Graves 2013)."""

from typing import Annotated, Any, Literal, NamedTuple

from ..xp import Array, full_like, sqrt, zeros_like
from .averages import average
from .rule import At, Dialect, Rule, Step
from .settings import ComplementIn, Decay, NonNegative, Positive, Rate
from .slots import SQUARED


class RMSpropSlots(NamedTuple):
    """v, and what the settings add to it; () in the place of what they do not."""

    v: Annotated[Array, "running mean of the squared gradient", SQUARED]
    b: Annotated[Any, "the velocity, where there is momentum"]
    mean_g: Annotated[Any, "running mean of the gradient, where it is centred"]


class RMSprop(Rule):
    """RMSprop: gradients divided by their recent size.

    Tieleman & Hinton, "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, Coursera (2012); centred and with
    momentum as in Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850 (2013), section 4.2.

        v ← ρ·v + (1 − ρ)·g²            ḡ ← ρ·ḡ + (1 − ρ)·g
        b ← μ·b + α·g / √(v − ḡ² + ε)   Δ = b                           θ ← θ − Δ

    The lecture has v alone, and no ε. PyTorch has ε outside the root and the rate outside b: b ← μ·b + g/(√v + ε),
    Δ = α·b. TF1 starts v at 1, which makes its first steps about a third of the others'; it, Keras and Optax have ε
    inside the root. With ε = 1e-7 and g = 1e-6 a first step is 316 times as long outside the root as inside.

    v − ḡ² cancels where gradients hardly change and may round below 0: then all of them return NaN, unless ε is larger.
    """

    learning_rate: Annotated[Rate, "how far a step goes where gradients are steady"] = 1e-3
    rho: Annotated[Decay, "the share of the averages that a step keeps"] = 0.9
    epsilon: Annotated[Positive, "keeps the quotient finite where v is near 0"] = 1e-8
    momentum: Annotated[Decay, "the share of the velocity that a step keeps"] = 0.0
    centered: Annotated[bool, "divide by the gradient's deviation from its mean, not by its size"] = False
    initial_mean_square: Annotated[NonNegative, "what v starts at; 1 in TF1"] = 0.0
    epsilon_form: Annotated[Literal["inside-root", "outside-root"], "√(v + ε) or √v + ε"] = "inside-root"
    rate_inside: Annotated[bool, "whether the rate is part of the velocity, and not of the step alone"] = True
    incremental: Annotated[bool, "averages written old + (1 − ρ)·(new − old)"] = False
    complement_in: ComplementIn = "float64"

    def slots(self, x: Array) -> RMSpropSlots:
        moves = not isinstance(self.momentum, float) or self.momentum
        mean_g, b = zeros_like(x) if self.centered else (), zeros_like(x) if moves else ()
        return RMSpropSlots(full_like(x, self.initial_mean_square), b, mean_g)

    def update(self, g: Array, slots: RMSpropSlots, x: Array, at: At) -> Step:
        v = average(slots.v, g * g, self.rho, self.complement_in, self.incremental)
        mean_g, under, b = slots.mean_g, v, slots.b
        if self.centered:
            mean_g = average(slots.mean_g, g, self.rho, self.complement_in, self.incremental)
            under = v - mean_g * mean_g
        inside = self.epsilon_form == "inside-root"
        denominator = sqrt(under + self.epsilon) if inside else sqrt(under) + self.epsilon
        delta = self.learning_rate * g / denominator
        if not isinstance(b, tuple):
            b = self.momentum * b + (delta if self.rate_inside else g / denominator)
            delta = b if self.rate_inside else self.learning_rate * b
        outweighs = self.epsilon > (under if inside else sqrt(under))
        return Step(delta, RMSpropSlots(v, b, mean_g), dict(denominator=denominator, epsilon_outweighs=outweighs))


RMSprop.DIALECTS = {
    "paper": Dialect("Tieleman & Hinton 2012, lecture 6.5; Graves 2013, section 4.2", dict(learning_rate=1e-3)),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.RMSPropOptimizer and the kernels ResourceApply(Centered)RMSProp",
        dict(epsilon=1e-10, initial_mean_square=1.0, incremental=True, complement_in="variable"),
    ),
    "keras": Dialect("Keras, keras/src/optimizers/rmsprop.py", dict(learning_rate=1e-3, epsilon=1e-7)),
    "torch": Dialect(
        "PyTorch, torch/optim/rmsprop.py",
        dict(learning_rate=1e-2, rho=0.99, epsilon_form="outside-root", rate_inside=False),
    ),
    "optax": Dialect("Optax, optax/_src/alias.py, rmsprop", {}),
}
