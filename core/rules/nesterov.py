"""Nesterov's accelerated gradient (Nesterov 1983; Sutskever et al. 2013)."""

from typing import Annotated

from ..xp import Array, zeros_like
from .momentum import MomentumSlots
from .rule import At, Dialect, Rule, Step
from .settings import Decay, Letter, Rate


class Nesterov(Rule):
    """Nesterov's momentum: a step goes on from where the velocity will have led.

    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)" (1983); as Sutskever,
    Martens, Dahl & Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, equations 3
    and 4, in the parameter θ + μ·v at which they take the gradient, so that it is taken where θ stands.

        v ← μ·v − α·g                   Δ = α·g − μ·v                   θ ← θ − Δ

    Keras has the rate inside v, as the paper; TF1, PyTorch and Optax outside: v ← μ·v + g and Δ = α·(g + μ·v). Only
    Keras and PyTorch have a default rate.
    """

    learning_rate: Annotated[Rate, "how far a gradient of 1 moves at once, beside the velocity"]
    momentum: Annotated[Decay, "the share of the velocity that a step keeps", Letter("μ")] = 0.9
    rate_inside: Annotated[bool, "whether the rate is part of the velocity, and not of the step alone"] = True

    def slots(self, x: Array) -> MomentumSlots:
        return MomentumSlots(v=zeros_like(x))

    def update(self, g: Array, slots: MomentumSlots, x: Array, at: At) -> Step:
        if self.rate_inside:
            v = self.momentum * slots.v - self.learning_rate * g
            return Step(self.learning_rate * g - self.momentum * v, MomentumSlots(v), {})
        v = self.momentum * slots.v + g
        return Step(self.learning_rate * (g + self.momentum * v), MomentumSlots(v), {})


Nesterov.DIALECTS = {
    "paper": Dialect("Sutskever, Martens, Dahl & Hinton 2013, equations 3 and 4", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.MomentumOptimizer and the kernel ResourceApplyMomentum, use_nesterov",
        dict(rate_inside=False),
    ),
    "keras": Dialect("Keras, keras/src/optimizers/sgd.py, nesterov", dict(learning_rate=1e-2)),
    "torch": Dialect("PyTorch, torch/optim/sgd.py, nesterov", dict(learning_rate=1e-3, rate_inside=False)),
    "optax": Dialect("Optax, optax/_src/transforms/_accumulation.py, trace, nesterov", dict(rate_inside=False)),
}
