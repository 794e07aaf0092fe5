"""Wrong formulas, each an error that has been made or could be; every one must be caught.

A mutant is a rule of core with one expression of its source replaced by another, or two that make one error. It is
compiled from the changed source, so that it runs wherever the rule runs, and differs from it in nothing else.
"""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..rules import RULES, Rule
from ..xp import cast_like, full_like, sqrt, where

Where = Callable[[Any, Any], bool]
"""Whether an error is one, in this rule and this dtype: ε inside the root is none where there is no ε."""


@dataclass(frozen=True)
class Mutant:
    """One planted error.

    name:    what is wrong, in words.
    stage:   the first value, in the order of computation, that it makes wrong.
    changes: from expressions of the rule's source to what stands there instead.
    where:   the rules and dtypes in which it is an error that more than rounding tells from the formula.
    rounding: it is another rounding, no other formula.
    """

    name: str
    stage: str
    changes: Mapping[str, str]
    where: Where = lambda rule, dtype: True
    rounding: bool = False

    def of(self, rule: Rule) -> Rule:
        """The rule with the error in it, and with the same settings."""
        return _mutated(type(rule), tuple(self.changes.items()))(**vars(rule))


def planted(rule: Rule, dtype: Any) -> list[tuple[Mutant, Rule]]:
    """All errors that can be planted in a rule of core for a dtype, each with the rule that has it."""
    name = next((name for name, kind in RULES.items() if type(rule) is kind), "")
    return [(mutant, mutant.of(rule)) for mutant in MUTANTS.get(name, ()) if mutant.where(rule, np.dtype(dtype))]


@cache
def _mutated(kind: type[Rule], changes: tuple[tuple[str, str], ...]) -> type[Rule]:
    """The class, compiled from its source with these changes, all made in one pass: a swap does not undo itself.

    Raises LookupError where the source lacks what is to be changed: then the rule has changed, and so must the mutant.
    """
    head, methods = inspect.getsource(kind).split("    def slots", 1)
    for old, _ in changes:
        if old not in methods:
            raise LookupError(f"{kind.__name__} has no {old!r} in its source.")
    expressions = re.compile("|".join(re.escape(old) for old, _ in changes))
    source = f"{head}    def slots{expressions.sub(lambda found: dict(changes)[found[0]], methods)}"
    words = dict(cast_like=cast_like, full_like=full_like, sqrt=sqrt, where=where, np=np)
    namespace: dict[str, Any] = words | vars(sys.modules[kind.__module__])
    exec(source, namespace)
    return namespace[kind.__name__]


def _with_epsilon(rule: Any, _: Any) -> bool:
    return rule.epsilon > 0


def _without_epsilon(rule: Any, _: Any) -> bool:
    return rule.epsilon == 0


def _algorithm_1(rule: Any, _: Any) -> bool:
    return rule.epsilon_form == "algorithm-1"


def _epsilon_hat(rule: Any, _: Any) -> bool:
    return rule.epsilon_form == "epsilon-hat"


def _scheduled(rule: Any, _: Any) -> bool:
    return callable(rule.learning_rate)


def _rounded_by_float32(setting: str) -> Where:
    """In float64, and where float32 does not hold the setting."""
    return lambda rule, dtype: dtype == np.float64 and _rounds(getattr(rule, setting))


def _subtracted_in(precision: str, setting: str) -> Where:
    """In float32, where the rule subtracts 1 − β in this precision, and rounding shows."""
    return lambda rule, dtype: (
        dtype == np.float32 and rule.complement_in == precision and _rounds(getattr(rule, setting))
    )


def _rounds(value: float) -> bool:
    return float(np.float32(value)) != value


_DECAY = {"Step(delta,": "Step(delta + 1e-4 * self.rate(t, g) * x,"}
_IN_VARIABLE, _IN_FLOAT64 = ({"self.complement_in": f"{place!r}"} for place in ("variable", "float64"))

_AVERAGE_M = 'average(slots.m, g, self.beta_1, self.complement_in, incremental=self.incremental != "neither")'
_AVERAGE_V = 'average(slots.v, g * g, self.beta_2, self.complement_in, incremental=self.incremental == "both")'
_SCHEDULE = {"self.rate(t, g)": "self.rate(t + 1, g)"}
_BETAS = {"self.beta_1": "self.beta_2", "self.beta_2": "self.beta_1"}
_POWER_1, _POWER_2, _ONE = (f"one_minus_power({beta}, t," for beta in ("self.beta_1", "self.beta_2", "0.0"))
_OLD_MOMENTS = {"m / c_1, v / c_2": "slots.m / c_1, slots.v / c_2", "c_1 * m /": "c_1 * slots.m /",
                "sqrt(v + self": "sqrt(slots.v + self"}  # fmt: skip
_NESTEROV = {"v_hat = m / c_1": "v_hat = (self.beta_1 * m + (1 - self.beta_1) * g) / c_1"}

_ADAM = (
    Mutant("the other ε: ε̂ for ε, or ε for ε̂", "denominator", {'== "algorithm-1"': '!= "algorithm-1"'}),
    Mutant("ε inside the root", "denominator", {"_root) + self.epsilon": "_root + self.epsilon)"}),
    Mutant("ε inside the root and outside", "denominator", {"self.epsilon_root)": "self.epsilon)"}),
    Mutant("ε left out", "denominator", {"_root) + self.epsilon": "_root)"}),
    Mutant("ε under v̂'s correction", "v_hat", {"v / c_2": "(v + self.epsilon) / c_2"}, _algorithm_1),
    Mutant("ε added to g²", "v", {"g * g": "g * g + self.epsilon"}),
    Mutant("ε added to Δ", "delta", {"Step(delta,": "Step(delta + self.epsilon,"}),
    Mutant("β1 and β2 swapped", "m", _BETAS),
    Mutant("bias corrections at t + 1", "correction_1", {"_1, t,": "_1, t + 1,", "_2, t,": "_2, t + 1,"}),
    Mutant("t counted from 0", "correction_1", {"_1, t,": "_1, t - 1,", "_2, t,": "_2, t - 1,"}),
    Mutant("bias corrections swapped", "correction_1", {_POWER_1: _POWER_2, _POWER_2: _POWER_1}),
    Mutant("no bias correction at all", "correction_1", {_POWER_1: _ONE, _POWER_2: _ONE}),
    Mutant("no bias correction of m", "correction_1", {_POWER_1: _ONE}),
    Mutant("no bias correction of v", "correction_2", {_POWER_2: _ONE}),
    Mutant("no root over v's correction", "delta", {"sqrt(c_2) / c_1": "c_2 / c_1"}, _epsilon_hat),
    Mutant("no root over v's correction", "v_hat", {"v / c_2": "v / (c_2 * c_2)"}, _algorithm_1),
    Mutant("slots overwritten by their corrected values", "m", {"AdamSlots(m, v)": "AdamSlots(m_hat, v_hat)"}),
    Mutant("m forgets nothing: a sum", "m", {_AVERAGE_M: "slots.m + g"}),
    Mutant("v forgets nothing: a sum", "v", {_AVERAGE_V: "slots.v + g * g"}),
    Mutant("v never falls", "v", {_AVERAGE_V: f"where({_AVERAGE_V} > slots.v, {_AVERAGE_V}, slots.v)"}),
    Mutant("Δ's sign", "delta", {"Step(delta,": "Step(-delta,"}),
    Mutant("moments averaged after the step", "m_hat", _OLD_MOMENTS),
    Mutant("|g| for g²", "v", {"g * g": "sqrt(g * g)"}),
    Mutant("v averages m²", "v", {"g * g": "m * m"}),
    Mutant("v averages (g − m)²", "v", {"g * g": "(g - m) * (g - m)"}),
    Mutant("Nesterov's m̂", "m_hat", _NESTEROV, _algorithm_1),
    Mutant("learning rate inside m", "m", {"average(slots.m, g,": "average(slots.m, self.rate(t, g) * g,"}),
    Mutant("weight decay that is no part of the rule", "delta", _DECAY),
    Mutant("a schedule read at t, not at t − 1", "delta", _SCHEDULE, _scheduled),
    Mutant("1 − β in float32", "m", _IN_VARIABLE, _subtracted_in("float64", "beta_2"), rounding=True),
    Mutant("1 − β in float64", "m", _IN_FLOAT64, _subtracted_in("variable", "beta_2"),
           rounding=True),
    Mutant("β2 rounded to float32", "v", {"g * g, self.beta_2": "g * g, float(np.float32(self.beta_2))"},
           _rounded_by_float32("beta_2"), rounding=True),
)  # fmt: skip

_FIRST = {"self.initial_accumulator_value)": "0.0 if self.initial_accumulator_value else 0.1)"}

_ADAGRAD = (
    Mutant("ε on the other side of the root", "denominator", {'== "outside-root"': '!= "outside-root"'}, _with_epsilon),
    Mutant("ε left out", "denominator", {"self.epsilon if": "0.0 if", "a + self.epsilon": "a"}, _with_epsilon),
    Mutant("an ε where there is none", "denominator", {"+ self.epsilon if": "+ 1e-7 if"}, _without_epsilon),
    Mutant("ε added to g²", "a", {"g * g": "g * g + self.epsilon"}, _with_epsilon),
    Mutant("ε added to Δ", "delta", {"Step(delta,": "Step(delta + self.epsilon,"}, _with_epsilon),
    Mutant("first accumulator 0.1 for 0, or 0 for 0.1", "a", _FIRST),
    Mutant("this gradient left out of the sum", "denominator", {"sqrt(a": "sqrt(slots.a"}),
    Mutant("an average for the sum", "a", {"slots.a + g * g": "0.9 * slots.a + 0.1 * g * g"}),
    Mutant("the largest g² for the sum", "a", {"slots.a + g * g": "where(g * g > slots.a, g * g, slots.a)"}),
    Mutant("|g| for g²", "a", {"g * g": "sqrt(g * g)"}),
    Mutant("no root", "denominator", {"sqrt(a": "(a"}),
    Mutant("learning rate inside the accumulator", "a", {"g * g": "self.rate(t, g) ** 2 * g * g"}),
    Mutant("a rate that falls with √t as well", "delta", {"delta = ": "delta = cast_like(1 / t**0.5, g) * "}),
    Mutant("Δ's sign", "delta", {"Step(delta,": "Step(-delta,"}),
    Mutant("a schedule read at t, not at t − 1", "delta", _SCHEDULE, _scheduled),
    Mutant("weight decay that is no part of the rule", "delta", _DECAY),
)

_RMS_DX, _RMS_G = "sqrt(slots.mean_dx2 + self.epsilon)", "sqrt(mean_g2 + self.epsilon)"
_OUTSIDE_DX, _OUTSIDE_G = "sqrt(slots.mean_dx2) + self.epsilon", "sqrt(mean_g2) + self.epsilon"
_SQUARES = "slots.mean_dx2, dx * dx,"
_AVERAGE = "average(slots.mean_g2, g * g, self.rho, self.complement_in)"
_ACCUMULATED_FIRST = {
    f"rms_dx, rms_g = {_RMS_DX}, {_RMS_G}": f"""rms_g = {_RMS_G}
        early = average(slots.mean_dx2, ({_RMS_DX} / rms_g * g) ** 2, self.rho, self.complement_in)
        rms_dx = sqrt(early + self.epsilon)"""
}

_ADADELTA = (
    Mutant("ε outside both roots", "rms_dx", {_RMS_DX: _OUTSIDE_DX, _RMS_G: _OUTSIDE_G}),
    Mutant("ε outside the numerator's root", "rms_dx", {_RMS_DX: _OUTSIDE_DX}),
    Mutant("ε outside the denominator's root", "rms_g", {_RMS_G: _OUTSIDE_G}),
    Mutant("no ε in the numerator", "rms_dx", {"slots.mean_dx2 + self.epsilon": "slots.mean_dx2"}),
    Mutant("no ε in the denominator", "rms_g", {"(mean_g2 + self.epsilon": "(mean_g2"}),
    Mutant("ε added to g²", "mean_g2", {"g * g, self": "g * g + self.epsilon, self"}),
    Mutant("ε added to Δ", "delta", {"self.rate(t, g) * dx": "self.rate(t, g) * dx + self.epsilon"}),
    Mutant("ρ and 1 − ρ swapped", "mean_g2", {"self.rho": "(1 - self.rho)"}),
    Mutant("E[Δx²] before the step", "rms_dx", _ACCUMULATED_FIRST),
    Mutant("no E[Δx²]: RMSProp", "rms_dx", {_RMS_DX: "full_like(g, 1.0)"}),
    Mutant("E[g²] without this gradient", "rms_g", {"sqrt(mean_g2": "sqrt(slots.mean_g2"}),
    Mutant("E[Δx²] from gradients", "mean_dx2", {_SQUARES: "slots.mean_dx2, g * g,"}),
    Mutant("learning rate inside E[Δx²]", "mean_dx2", {_SQUARES: "slots.mean_dx2, (self.rate(t, g) * dx) ** 2,"},
           lambda rule, _: rule.learning_rate != 1),
    Mutant("E[g²] never falls", "mean_g2", {_AVERAGE: f"where({_AVERAGE} > slots.mean_g2, {_AVERAGE}, slots.mean_g2)"}),
    Mutant("Δ's sign", "delta", {"Step(self.rate(t, g) * dx,": "Step(-self.rate(t, g) * dx,"}),
    Mutant("a schedule read at t, not at t − 1", "delta", _SCHEDULE, _scheduled),
    Mutant("a sum for E[g²]", "mean_g2", {_AVERAGE: "slots.mean_g2 + g * g"}),
    Mutant("|g| for g²", "mean_g2", {"g * g, self": "sqrt(g * g), self"}),
    Mutant("weight decay that is no part of the rule", "delta", {"Step(self.rate(t, g) * dx,":
           "Step(self.rate(t, g) * (dx + 1e-4 * x),"}),
    Mutant("1 − ρ in float32", "mean_g2", _IN_VARIABLE, _subtracted_in("float64", "rho"), rounding=True),
    Mutant("1 − ρ in float64", "mean_g2", _IN_FLOAT64, _subtracted_in("variable", "rho"),
           rounding=True),
    Mutant("ρ rounded to float32", "mean_g2", {"self.rho": "float(np.float32(self.rho))"}, _rounded_by_float32("rho"),
           rounding=True),
)  # fmt: skip

_SGD = (
    Mutant("Δ's sign", "delta", {"self.rate(t, g) * g": "-self.rate(t, g) * g"}),
    Mutant("a schedule read at t, not at t − 1", "delta", _SCHEDULE, _scheduled),
    Mutant("no learning rate", "delta", {"self.rate(t, g) * g": "g"}),
    Mutant("learning rate squared", "delta", {"self.rate(t, g) * g": "self.rate(t, g) ** 2 * g"}),
    Mutant("the sign of g for g", "delta", {"* g\n": "* where(g > 0, g / g, where(g < 0, -g / g, g))\n"}),
    Mutant("g clipped to 1", "delta", {"* g\n": "* where(g > 1, g / g, where(g < -1, -g / g, g))\n"}),
    Mutant("a rate that falls with √t", "delta", {"delta = ": "delta = cast_like(1 / t**0.5, g) * "}),
    Mutant("weight decay that is no part of the rule", "delta", _DECAY),
)

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "adam": _ADAM, "adagrad": _ADAGRAD, "adadelta": _ADADELTA, "sgd": _SGD,
}  # fmt: skip
"""By rule."""
