"""Ftrl (McMahan et al. 2013)."""

import math
from typing import Annotated, NamedTuple

from ..xp import Array, clip, full_like, sqrt, zeros_like
from .rule import At, Dialect, Rule, Step
from .settings import Interval, Letter, NonNegative, Number, Positive
from .slots import SQUARED


class FtrlSlots(NamedTuple):
    """The parameter is a function of the two."""

    n: Annotated[Array, "the sum of squared gradients so far, on top of its initial value", SQUARED]
    z: Annotated[Array, "the sum of gradients, less what earlier steps made of them; it starts at 0"]


class Ftrl(Rule):
    """Ftrl: follow the proximally regularised leader; parameters that are worth little are exactly 0.

    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, Algorithm 1.

        n ← n + g²                      σ = (√n − √(n − g²))/α          z ← z + g − σ·θ
        θ ← (clip(z, −λ1, λ1) − z) / ((β + √n)/α + λ2)

    **The first step forgets θ**: a parameter is made of z alone, so that what a network was initialised to is gone
    after one step; that is meant for linear models, which start at 0. TF1 and Keras count λ2 twice, add a shrinkage of
    2·λ·θ to the gradient in z but not in n, and can have another power of n than ½. n starts at 0.1 there, at 0 in the
    paper, where β = 1 keeps the quotient finite; PyTorch and Optax have no Ftrl.
    """

    learning_rate: Annotated[Positive, "the scale of every coordinate's own rate"]
    learning_rate_power: Annotated[Number, Interval(-math.inf, 0.0), "of n in the rate: 1/√n for −½"] = -0.5
    initial_accumulator_value: Annotated[NonNegative, "what n starts at"] = 0.0
    l1: Annotated[NonNegative, "how large |z| must be for a parameter to leave 0", Letter("λ1")] = 0.0
    l2: Annotated[NonNegative, "a pull towards 0", Letter("λ2")] = 0.0
    shrinkage: Annotated[NonNegative, "λ of 2·λ·θ, which is added to the gradient in z"] = 0.0
    beta: Annotated[NonNegative, "what is added to √n", Letter("β")] = 1.0
    l2_twice: Annotated[bool, "λ2 counts twice"] = False

    def slots(self, x: Array) -> FtrlSlots:
        return FtrlSlots(n=full_like(x, self.initial_accumulator_value), z=zeros_like(x))

    def update(self, g: Array, slots: FtrlSlots, x: Array, at: At) -> Step:
        n = slots.n + g * g
        root, before = self._root(n), self._root(slots.n)
        sigma = (root - before) / self.learning_rate
        z = slots.z + (g + 2 * self.shrinkage * x) - sigma * x
        quadratic = (root + self.beta) / self.learning_rate + (2 if self.l2_twice else 1) * self.l2
        after = (clip(z, -self.l1, self.l1) - z) / quadratic
        return Step(None, FtrlSlots(n, z), dict(sigma=sigma, quadratic=quadratic), after)

    def _root(self, n: Array) -> Array:
        usual = isinstance(self.learning_rate_power, float) and self.learning_rate_power == -0.5
        return sqrt(n) if usual else n**-self.learning_rate_power


TF1 = dict(learning_rate=1e-3, initial_accumulator_value=0.1, beta=0.0, l2_twice=True)
Ftrl.DIALECTS = {
    "paper": Dialect("McMahan et al. 2013, Algorithm 1", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.FtrlOptimizer and the kernel ResourceApplyFtrlV2",
        {name: value for name, value in TF1.items() if name != "learning_rate"},
    ),
    "keras": Dialect("Keras, keras/src/optimizers/ftrl.py", TF1),
}
