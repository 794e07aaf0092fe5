"""Steps of a rule on numbers: every equation with the numbers in it, computed by the rule itself in float64."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sympy import Dummy, Symbol, evaluate

from core import At, InputError, Rule
from core.rules import named

from .formula import Formula, first_slots
from .notation import Sign
from .walk import values_of


class Line(NamedTuple):
    """One equation of one step.

    name:    the rule's own for the value.
    sign:    how the value is written, with the number of the step.
    numbers: the equation's right side, numbers in the place of symbols; what they stand for is written, not computed.
    value:   what the rule computed.
    """

    name: str
    sign: Sign
    numbers: Any
    value: float

    @property
    def result(self) -> Symbol:
        return Symbol(number(self.value))

    @property
    def relation(self) -> str:
        """Whether six digits say all of the value, roundings of float64 aside."""
        shown = float(f"{self.value:.6g}")
        same = shown == self.value or math.isnan(self.value)
        return "=" if same or math.isclose(shown, self.value, rel_tol=1e-12) else "≈"


class WorkedStep(NamedTuple):
    """Step number t, its gradient, and its lines in the order of the formula."""

    t: int
    gradient: float
    lines: tuple[Line, ...]

    @property
    def values(self) -> dict[str, float]:
        """What the lines come to, by the rule's own names."""
        return {line.name: line.value for line in self.lines}


def worked(rule: Rule, formula: Formula, gradients: Sequence[float], parameter: float) -> tuple[WorkedStep, ...]:
    """One step for each gradient of a single coordinate, from the rule's first slots and this parameter.

    Raises InputError for numbers that are not finite, and for a rule that fails on them.
    """
    for what, values in (("--gradients", gradients), ("--parameter", [parameter])):
        if bad := [value for value in values if not math.isfinite(value)]:
            raise InputError(f"{what} must be finite, found {bad[0]}.")
    steps, slots, x = [], first_slots(rule, parameter), np.array([[float(parameter)]])
    for t, gradient in enumerate(gradients, start=1):
        at = At(np.float64(t), np.float64(abs(gradient)) if rule.reads_norm else None)
        with np.errstate(all="ignore"):  # what overflows is shown as inf
            step, after = values_of(rule, np.array([[float(gradient)]]), slots, x, at)
        values = _before(formula, gradient, slots, t, x)
        values |= {one.symbol: _one(after[one.kind, one.name]) for one in formula.equations}
        # Dummies, or two equal numbers would be one symbol, and the smaller of the two one of them.
        shown = {symbol: Dummy(number(value, inside=True)) for symbol, value in values.items()}
        with evaluate(False):
            lines = [
                Line(name, _at(formula.signs[symbol], t), expression.xreplace(shown), values[symbol])
                for _, name, symbol, expression in formula.equations
            ]
        steps.append(WorkedStep(t, gradient, tuple(lines)))
        slots, x = step.slots, step.x
    return tuple(steps)


def number(value: float, inside: bool = False) -> str:
    """Six digits; a negative number inside a formula in brackets."""
    text = f"{value:.6g}"
    return f"({text})" if inside and value < 0 else text


def _at(sign: Sign, t: int) -> Sign:
    return sign.at(t) if sign.time else sign


def _before(formula: Formula, gradient: float, slots: Any, t: int, x: np.ndarray) -> dict[Symbol, float]:
    """The value of every symbol that a step starts from; the norm of all gradients is that of this one."""
    start: Mapping[str, Any] = {"gradient": gradient, "t": t, "parameter": x, "norm_g": abs(gradient)}
    values = {symbol: _one(start[name]) for name, symbol in formula.given.items()}
    values |= {symbol: _one(named(slots)[slot]) for slot, symbol in formula.old.items()}
    return values | {symbol: formula.numbers[name] for name, symbol in formula.settings.items()}


def _one(value: Any) -> float:
    return float(np.ravel(value)[0])
