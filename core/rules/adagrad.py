"""Adagrad (Duchi, Hazan & Singer 2011)."""

from typing import Annotated, Literal, NamedTuple

from ..errors import InputError
from ..xp import Array, full_like, sqrt, where, zeros_like
from .rule import At, Dialect, Rule, Step
from .settings import Letter, NonNegative, Rate
from .slots import SQUARED


class AdagradSlots(NamedTuple):
    """It never falls."""

    a: Annotated[Array, "the sum of squared gradients so far, on top of its initial value", SQUARED]


class Adagrad(Rule):
    """Adagrad: every coordinate's rate falls with the gradients it has seen.

    Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12
    (2011), Figure 1, diagonal case.

        a ← a + g²                      Δ = η·g / (δ + √a)              θ ← θ − Δ

    The paper leaves η open, so it must be given, and asks only δ ≥ 0; the default is PyTorch's, whose form is the
    paper's. TF1 has no ε and starts a at 0.1; Keras puts ε inside the root, √(a + ε), and starts at 0.1 too; so
    does Optax, which takes no step where a = 0 (`rest_at_zero`), as the paper does for δ = 0 by its pseudo-inverse.
    With a started at 0.1 no ordinary test sees where ε stands; started at 0, with ε = 1e-7 and g = 1e-6, the first
    step differs 287-fold. PyTorch's lr_decay is the schedule η / (1 + (t − 1)·lr_decay).
    """

    learning_rate: Annotated[Rate, "how far the first step goes, where a starts at 0", Letter("η")]
    initial_accumulator_value: Annotated[NonNegative, "what a starts at; above 0 it shortens the first steps"] = 0.0
    epsilon: Annotated[NonNegative, "keeps the quotient finite where a is near 0", Letter("δ")] = 1e-10
    epsilon_form: Annotated[Literal["outside-root", "inside-root"], "√a + ε or √(a + ε)"] = "outside-root"
    rest_at_zero: Annotated[bool, "no step where a is 0, as in Optax, instead of a division by ε alone"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        zero = [isinstance(value, float) and value == 0 for value in (self.epsilon, self.initial_accumulator_value)]
        if all(zero) and not self.rest_at_zero:
            raise InputError(
                "Adagrad: initial_accumulator_value must be above 0 where epsilon is 0, found 0: "
                "a zero gradient would give 0/0."
            )

    def slots(self, x: Array) -> AdagradSlots:
        return AdagradSlots(a=full_like(x, self.initial_accumulator_value))

    def update(self, g: Array, slots: AdagradSlots, x: Array, at: At) -> Step:
        a = slots.a + g * g
        outside = self.epsilon_form == "outside-root"
        denominator = sqrt(a) + self.epsilon if outside else sqrt(a + self.epsilon)
        divisor = denominator
        if self.rest_at_zero:
            g, divisor = where(a > 0, g, zeros_like(a)), where(a > 0, denominator, full_like(a, 1.0))
        delta = self.learning_rate * g / divisor
        outweighs = self.epsilon > (sqrt(a) if outside else a)
        return Step(delta, AdagradSlots(a), dict(denominator=denominator, epsilon_outweighs=outweighs))


Adagrad.DIALECTS = {
    "paper": Dialect("Duchi, Hazan & Singer 2011, Figure 1", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdagradOptimizer and the kernel ResourceApplyAdagrad",
        dict(epsilon=0.0, initial_accumulator_value=0.1),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adagrad.py",
        dict(learning_rate=1e-3, epsilon=1e-7, epsilon_form="inside-root", initial_accumulator_value=0.1),
    ),
    "torch": Dialect("PyTorch, torch/optim/adagrad.py", dict(learning_rate=1e-2)),
    "optax": Dialect(
        "Optax, optax/_src/transform.py, scale_by_rss",
        dict(epsilon=1e-7, epsilon_form="inside-root", initial_accumulator_value=0.1, rest_at_zero=True),
    ),
}
