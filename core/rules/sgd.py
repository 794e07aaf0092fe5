"""Plain stochastic gradient descent (Robbins & Monro 1951)."""

from typing import Annotated, NamedTuple

from ..xp import Array
from .rule import At, Dialect, Rule, Step
from .settings import Rate


class SGDSlots(NamedTuple):
    """None: the rule remembers nothing."""


class SGD(Rule):
    """SGD: stochastic gradient descent, without momentum.

    Robbins & Monro, "A Stochastic Approximation Method", Annals of Mathematical Statistics 22 (1951), with a gradient
    for what is observed; on an exact gradient, the steepest descent of Cauchy (1847).

        Δ = α·g                         θ ← θ − Δ

    The paper takes a sequence of rates α_t with Σ α_t = ∞ and Σ α_t² < ∞, and names none, so the rate must be given:
    α_t = c/t is the schedule `lambda step: c / (1 + step)`. The form is one everywhere. TF1 and Optax ask for the rate
    too; Keras defaults to 0.01, PyTorch to 0.001.
    """

    learning_rate: Annotated[Rate, "the step's length for a gradient of 1"]

    def slots(self, x: Array) -> SGDSlots:
        return SGDSlots()

    def update(self, g: Array, slots: SGDSlots, x: Array, at: At) -> Step:
        return Step(self.learning_rate * g, slots, {})


SGD.DIALECTS = {
    "paper": Dialect("Robbins & Monro 1951", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.GradientDescentOptimizer and the kernel ResourceApplyGradientDescent", {}
    ),
    "keras": Dialect("Keras, keras/src/optimizers/sgd.py", dict(learning_rate=1e-2)),
    "torch": Dialect("PyTorch, torch/optim/sgd.py", dict(learning_rate=1e-3)),
    "optax": Dialect("Optax, optax/_src/alias.py, sgd", {}),
}
