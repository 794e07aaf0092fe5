"""Adagrad (Duchi, Hazan & Singer 2011)."""

from typing import ClassVar, Literal, NamedTuple

from ..errors import InputError
from ..xp import Array, full_like, sqrt, where, zeros_like
from . import dialects
from .rule import NonNegative, Rate, Rule, Step


class AdagradSlots(NamedTuple):
    """a: the sum of squared gradients so far, on top of its initial value."""

    a: Array

    SQUARES = ("a",)


class Adagrad(Rule):
    """Adagrad: every coordinate's rate falls with the gradients it has seen.

    Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12
    (2011), Figure 1, diagonal case. With η = learning_rate and δ = epsilon:

        a ← a + g²                      Δ = η·g / (δ + √a)              θ ← θ − Δ

    The paper leaves η open, so it must be given, and asks only δ ≥ 0; the default is PyTorch's, whose form is the
    paper's. TF1 has no ε and starts a at 0.1; Keras puts ε inside the root, √(a + ε), and starts at 0.1 too; so
    does Optax, which takes no step where a = 0 (`rest_at_zero`), as the paper does for δ = 0 by its pseudo-inverse.
    With a started at 0.1 no ordinary test sees where ε stands; started at 0, with ε = 1e-7 and g = 1e-6, the first
    step differs 287-fold. PyTorch's lr_decay is the schedule η / (1 + (t − 1)·lr_decay).

    Any shape, any real floating dtype; the slot has the shape and dtype of the parameter.

    learning_rate: how far the first step goes, where a starts at 0.
    initial_accumulator_value: what a starts at; above 0 it shortens the first steps.
    epsilon:       keeps the quotient finite where a is near 0.
    epsilon_form:  where ε stands: outside-root is √a + ε, inside-root is √(a + ε).
    rest_at_zero:  where a is 0, take no step, as Optax does, instead of dividing by ε alone.

    Stages: denominator.
    """

    DIALECTS: ClassVar = dialects.ADAGRAD

    learning_rate: Rate
    initial_accumulator_value: NonNegative = 0.0
    epsilon: NonNegative = 1e-10
    epsilon_form: Literal["outside-root", "inside-root"] = "outside-root"
    rest_at_zero: bool = False

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

    def update(self, g: Array, slots: AdagradSlots, t: Array, x: Array) -> Step:
        a = slots.a + g * g
        denominator = sqrt(a) + self.epsilon if self.epsilon_form == "outside-root" else sqrt(a + self.epsilon)
        divisor = denominator
        if self.rest_at_zero:
            g, divisor = where(a > 0, g, zeros_like(g)), where(a > 0, denominator, full_like(a, 1.0))
        delta = self.rate(t, g) * g / divisor
        return Step(delta, AdagradSlots(a), dict(denominator=denominator))

    def epsilon_outweighs(self, step: Step) -> Array:
        a = step.slots.a
        return self.epsilon > (sqrt(a) if self.epsilon_form == "outside-root" else a)
