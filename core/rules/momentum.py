"""Momentum: the heavy ball (Polyak 1964)."""

from typing import Annotated, NamedTuple

from ..errors import InputError
from ..xp import Array, equal, where, zeros_like
from .rule import At, Dialect, Rule, Step
from .settings import Decay, Letter, Rate


class MomentumSlots(NamedTuple):
    """It starts at 0."""

    v: Annotated[Array, "the velocity: past gradients, each worth μ times as much as the next"]


class Momentum(Rule):
    """Momentum: a step goes on where the last ones went.

    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), equation 9; as Sutskever,
    Martens, Dahl & Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, write it,
    equations 1 and 2.

        v ← μ·v − α·g                   Δ = −v                          θ ← θ − Δ

    Keras has the rate inside v, as the paper; TF1, PyTorch and Optax outside: v ← μ·v + g and Δ = α·v. At a constant
    rate that is the same; where the rate changes, steps already under way keep the old one inside and take the new one
    outside. PyTorch can dampen what a gradient adds, by the factor 1 − dampening, but not that of the first step. Only
    Keras and PyTorch have a default rate.
    """

    learning_rate: Annotated[Rate, "how far a gradient of 1 moves at once; 1/(1 − μ) times as far in the end"]
    momentum: Annotated[Decay, "the share of the velocity that a step keeps", Letter("μ")] = 0.9
    dampening: Annotated[Decay, "the share of each gradient but the first that PyTorch leaves out"] = 0.0
    rate_inside: Annotated[bool, "whether the rate is part of the velocity, and not of the step alone"] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate_inside and not (isinstance(self.dampening, float) and self.dampening == 0):
            raise InputError("Momentum: dampening must be 0 where rate_inside is True: PyTorch alone dampens.")

    def slots(self, x: Array) -> MomentumSlots:
        return MomentumSlots(v=zeros_like(x))

    def update(self, g: Array, slots: MomentumSlots, x: Array, at: At) -> Step:
        if self.rate_inside:
            v = self.momentum * slots.v - self.learning_rate * g
            return Step(-v, MomentumSlots(v), {})
        if not isinstance(self.dampening, float) or self.dampening:
            g = where(equal(at.t, 1.0), g, (1 - self.dampening) * g)
        v = self.momentum * slots.v + g
        return Step(self.learning_rate * v, MomentumSlots(v), {})


Momentum.DIALECTS = {
    "paper": Dialect("Sutskever, Martens, Dahl & Hinton 2013, equations 1 and 2", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.MomentumOptimizer and the kernel ResourceApplyMomentum", dict(rate_inside=False)
    ),
    "keras": Dialect("Keras, keras/src/optimizers/sgd.py", dict(learning_rate=1e-2)),
    "torch": Dialect("PyTorch, torch/optim/sgd.py", dict(learning_rate=1e-3, rate_inside=False)),
    "optax": Dialect("Optax, optax/_src/transforms/_accumulation.py, trace", dict(rate_inside=False)),
}
