"""Wrong formulas, each an error that somebody has made or could make; every one must be caught.

A mutant is a rule of core with one expression of its source replaced by another, or two that make one error. It is
compiled from the changed source, so that it runs wherever the rule runs, and differs from it in nothing else.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
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
    shown:   only in a value that references do not show.
    """

    name: str
    stage: str
    changes: Mapping[str, str]
    where: Where = lambda rule, dtype: True
    shown: bool = True

    def of(self, rule: Rule) -> Rule:
        """The rule with the error in it, and with the same settings."""
        return _mutated(type(rule), tuple(self.changes.items()))(**vars(rule))


def planted(rule: Rule, dtype: Any) -> list[tuple[Mutant, Rule]]:
    """All errors that can be planted in a rule of core for a dtype, each with the rule that has it."""
    name = next((name for name, kind in RULES.items() if type(rule) is kind), None)
    return [(mutant, mutant.of(rule)) for mutant in MUTANTS.get(name or "", ()) if mutant.where(rule, np.dtype(dtype))]


_WORDS = dict(cast_like=cast_like, full_like=full_like, sqrt=sqrt, where=where, np=np)
"""What an error may be written with, besides what the rule's module has."""


@cache
def _mutated(kind: type[Rule], changes: tuple[tuple[str, str], ...]) -> type[Rule]:
    source = textwrap.dedent(inspect.getsource(kind))
    head, body = source.split("    def slots", 1)
    for old, new in changes:
        if old not in body:
            raise LookupError(f"{kind.__name__} has no {old!r} in its source.")
    # All at once: a swap must not undo itself.
    for number, (old, _) in enumerate(changes):
        body = body.replace(old, f"\0{number}\0")
    for number, (_, new) in enumerate(changes):
        body = body.replace(f"\0{number}\0", new)
    namespace = _WORDS | vars(sys.modules[kind.__module__])
    exec(f"{head}    def slots{body}", namespace)
    return namespace[kind.__name__]


def _with_epsilon(rule: Any, _dtype: Any) -> bool:
    return rule.epsilon > 0


def _algorithm_1(rule: Any, _dtype: Any) -> bool:
    return rule.epsilon_form == "algorithm-1"


def _epsilon_hat(rule: Any, _dtype: Any) -> bool:
    return rule.epsilon_form == "epsilon-hat"


def _not_dyadic(*names: str) -> Where:
    """Where float32 holds the settings, what is rounded to it is not changed."""
    return lambda rule, dtype: any(float(np.float32(getattr(rule, name))) != getattr(rule, name) for name in names)


def _complement(precision: str, *names: str) -> Where:
    """1 − β in another precision: an error in float32, where the rule does it in `precision` and rounding shows."""
    rounded = _not_dyadic(*names)
    return lambda rule, dtype: dtype == np.float32 and rule.complement_in == precision and rounded(rule, dtype)


def _adam() -> Iterator[Mutant]:
    old_moments = {"m / c_1, v / c_2": "slots.m / c_1, slots.v / c_2", "c_1 * m /": "c_1 * slots.m /",
                   "sqrt(v + self": "sqrt(slots.v + self"}  # fmt: skip
    power_1, power_2 = "one_minus_power(self.beta_1, t,", "one_minus_power(self.beta_2, t,"
    yield Mutant("the other ε: ε̂ for ε, or ε for ε̂", "denominator", {'== "algorithm-1"': '!= "algorithm-1"'})
    yield Mutant("ε inside the root", "denominator", {"_root) + self.epsilon": "_root + self.epsilon)"})
    yield Mutant("ε inside the root and outside", "denominator", {"self.epsilon_root)": "self.epsilon)"})
    yield Mutant("ε left out", "denominator", {"_root) + self.epsilon": "_root)"})
    yield Mutant("ε under v̂'s correction", "v_hat", {"v / c_2": "(v + self.epsilon) / c_2"}, _algorithm_1)
    yield Mutant("ε added to g²", "v", {"g * g": "g * g + self.epsilon"})
    yield Mutant("ε added to Δ", "delta", {"return Step(delta,": "return Step(delta + self.epsilon,"})
    yield Mutant("β1 and β2 swapped", "m", {"self.beta_1": "self.beta_2", "self.beta_2": "self.beta_1"})
    yield Mutant("bias corrections at t + 1", "correction_1", {"_1, t,": "_1, t + 1,", "_2, t,": "_2, t + 1,"})
    yield Mutant("t counted from 0", "correction_1", {"_1, t,": "_1, t - 1,", "_2, t,": "_2, t - 1,"})
    yield Mutant("bias corrections swapped", "correction_1", {power_1: power_2, power_2: power_1})
    yield Mutant("no bias correction of m", "correction_1", {power_1: "one_minus_power(0.0, t,"})
    yield Mutant("no bias correction of v", "correction_2", {power_2: "one_minus_power(0.0, t,"})
    yield Mutant("no root over v's correction", "delta", {"sqrt(c_2) / c_1": "c_2 / c_1"}, _epsilon_hat)
    yield Mutant("moments averaged after the step", "m_hat", old_moments)
    yield Mutant("|g| for g²", "v", {"g * g": "sqrt(g * g)"})
    yield Mutant("v averages m²", "v", {"g * g": "m * m"})
    yield Mutant("v averages (g − m)²", "v", {"g * g": "(g - m) * (g - m)"})
    yield Mutant("Nesterov's m̂", "m_hat", {"m_hat, v_hat = m /": "m_hat, v_hat = (self.beta_1 * m + (1 - self.beta_1) * g) /"},
                 _algorithm_1)  # fmt: skip
    yield Mutant("learning rate inside m", "m", {"average(slots.m, g,": "average(slots.m, self.rate(t, g) * g,"})
    yield Mutant("weight decay that nobody asked for", "delta", {"Step(delta,": "Step(delta + 1e-4 * self.rate(t, g) * x,"})
    yield Mutant("1 − β in float32", "m", {"self.complement_in": '"variable"'}, _complement("float64", "beta_2"))
    yield Mutant("1 − β in float64", "m", {"self.complement_in": '"float64"'}, _complement("variable", "beta_2"))
    yield Mutant("β2 rounded to float32", "v", {"g * g, self.beta_2": "g * g, float(np.float32(self.beta_2))"},
                 lambda rule, dtype: dtype == np.float64 and _not_dyadic("beta_2")(rule, dtype))  # fmt: skip


def _adagrad() -> Iterator[Mutant]:
    swapped = {"outside-root": "inside-root"}
    other = {f'== "{a}"': f'!= "{a}"' for a in swapped}
    first = "full_like(x, self.initial_accumulator_value)"
    yield Mutant("ε on the other side of the root", "denominator", other, _with_epsilon)
    yield Mutant("ε left out", "denominator", {"self.epsilon if": "0.0 if", "a + self.epsilon": "a"}, _with_epsilon)
    yield Mutant("an ε where there is none", "denominator", {"+ self.epsilon if": "+ 1e-7 if"},
                 lambda rule, _: rule.epsilon == 0)  # fmt: skip
    yield Mutant("ε added to g²", "a", {"g * g": "g * g + self.epsilon"}, _with_epsilon)
    yield Mutant("ε added to Δ", "delta", {"Step(delta,": "Step(delta + self.epsilon,"}, _with_epsilon)
    yield Mutant("first accumulator 0.1 for 0, or 0 for 0.1", "a", {first: "full_like(x, 0.0 if self.initial_accumulator_value else 0.1)"})
    yield Mutant("this gradient left out of the sum", "denominator", {"sqrt(a": "sqrt(slots.a"})
    yield Mutant("an average for the sum", "a", {"slots.a + g * g": "0.9 * slots.a + 0.1 * g * g"})
    yield Mutant("the largest g² for the sum", "a", {"slots.a + g * g": "where(g * g > slots.a, g * g, slots.a)"})
    yield Mutant("|g| for g²", "a", {"g * g": "sqrt(g * g)"})
    yield Mutant("no root", "denominator", {"sqrt(a": "(a"})
    yield Mutant("learning rate inside the accumulator", "a", {"g * g": "self.rate(t, g) ** 2 * g * g"})
    yield Mutant("a rate that falls with √t as well", "delta", {"delta = ": "delta = cast_like(1 / t**0.5, g) * "})
    yield Mutant("weight decay that nobody asked for", "delta", {"Step(delta,": "Step(delta + 1e-4 * self.rate(t, g) * x,"})


def _adadelta() -> Iterator[Mutant]:
    both = "sqrt(slots.mean_dx2 + self.epsilon), sqrt(mean_g2 + self.epsilon)"
    squares = "slots.mean_dx2, dx * dx,"
    yield Mutant("ε outside both roots", "rms_dx", {both: "sqrt(slots.mean_dx2) + self.epsilon, sqrt(mean_g2) + self.epsilon"})
    yield Mutant("ε outside the numerator's root", "rms_dx", {"mean_dx2 + self.epsilon)": "mean_dx2) + self.epsilon"})
    yield Mutant("ε outside the denominator's root", "rms_g", {"mean_g2 + self.epsilon)": "mean_g2) + self.epsilon"})
    yield Mutant("no ε in the numerator", "rms_dx", {"mean_dx2 + self.epsilon)": "mean_dx2)"})
    yield Mutant("no ε in the denominator", "rms_g", {"mean_g2 + self.epsilon)": "mean_g2)"})
    yield Mutant("ε added to g²", "mean_g2", {"g * g, self": "g * g + self.epsilon, self"})
    yield Mutant("ε added to Δ", "delta", {"self.rate(t, g) * dx": "self.rate(t, g) * dx + self.epsilon"})
    yield Mutant("ρ and 1 − ρ swapped", "mean_g2", {"self.rho": "(1 - self.rho)"})
    yield Mutant("E[Δx²] before the step", "rms_dx", {both: "sqrt(mean_g2 + self.epsilon), sqrt(mean_g2 + self.epsilon)",
                 "dx = rms_dx": "rms_dx = sqrt(average(slots.mean_dx2, (sqrt(slots.mean_dx2 + self.epsilon) / rms_g * g) ** 2, "
                 "self.rho, self.complement_in) + self.epsilon)\n        dx = rms_dx"})  # fmt: skip
    yield Mutant("no E[Δx²]: RMSProp", "rms_dx", {"sqrt(slots.mean_dx2 + self.epsilon)": "full_like(g, 1.0)"})
    yield Mutant("E[g²] without this gradient", "rms_g", {"sqrt(mean_g2": "sqrt(slots.mean_g2"})
    yield Mutant("E[Δx²] from gradients", "mean_dx2", {squares: "slots.mean_dx2, g * g,"})
    yield Mutant("learning rate inside E[Δx²]", "mean_dx2", {squares: "slots.mean_dx2, (self.rate(t, g) * dx) ** 2,"},
                 lambda rule, _: rule.learning_rate != 1)  # fmt: skip
    yield Mutant("a sum for E[g²]", "mean_g2", {"average(slots.mean_g2, g * g, self.rho, self.complement_in)": "slots.mean_g2 + g * g"})
    yield Mutant("|g| for g²", "mean_g2", {"g * g, self": "sqrt(g * g), self"})
    yield Mutant("1 − ρ in float32", "mean_g2", {"self.complement_in": '"variable"'}, _complement("float64", "rho"))
    yield Mutant("1 − ρ in float64", "mean_g2", {"self.complement_in": '"float64"'}, _complement("variable", "rho"))
    yield Mutant("ρ rounded to float32", "mean_g2", {"self.rho": "float(np.float32(self.rho))"},
                 lambda rule, dtype: dtype == np.float64 and _not_dyadic("rho")(rule, dtype))  # fmt: skip


MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "adam": tuple(_adam()), "adagrad": tuple(_adagrad()), "adadelta": tuple(_adadelta()),
}  # fmt: skip
"""By rule."""
