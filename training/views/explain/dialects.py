"""How the dialects of a rule differ: in numbers, in the formula, and in rounding alone."""

from collections.abc import Mapping, Set
from dataclasses import MISSING, fields, replace
from typing import Any, NamedTuple

import numpy as np
from sympy import Dummy, Eq, Expr, Max, Min, Piecewise, evaluate, expand, lambdify
from sympy.core.function import AppliedUndef

from core import InputError, Rule
from core.rules.settings import notes

from .formula import Equation, Formula, Section, formula
from .walk import leaves, setting_name, with_parts

CASES = (Min, Max, Piecewise)
PLACES = 256
"""At which two expressions are compared: with one symbol below another, and above it."""


class OtherForm(NamedTuple):
    """The equations of some dialects that are not those of the dialect shown, and of a chain the order of its parts.

    rounding: the names of those that compute the same except for rounding.
    """

    dialects: tuple[str, ...]
    formula: Formula
    equations: tuple[Equation, ...]
    rounding: frozenset[str]

    @property
    def sections(self) -> tuple[Section, ...]:
        """The equations by part, in the order of these dialects."""
        of = [
            (one.name, tuple(line for line in one.equations if line in self.equations)) for one in self.formula.sections
        ]
        return tuple(Section(name, equations) for name, equations in of if equations)


class Rounding(NamedTuple):
    """A setting of form that changes values by rounding alone: its value in each dialect, and what it decides."""

    setting: str
    values: Mapping[str, Any]
    meaning: str


def default_rate(kind: type[Rule], dialect: str | None) -> Any:
    """The learning rate that a dialect, or a class alone, has by default; None where it is asked for."""
    if dialect is not None:
        return kind.DIALECTS[dialect].settings.get("learning_rate")
    default = next(field.default for field in fields(kind) if field.name == "learning_rate")
    return None if default is MISSING else default


def other_forms(shown: Formula, others: Mapping[str, Formula]) -> tuple[OtherForm, ...]:
    """What differs from the equations shown; dialects that differ alike stand together."""
    found: dict[tuple[Equation, ...], list[str]] = {}
    for dialect, other in others.items():
        if different := tuple(equation for equation in other.equations if equation not in shown.equations):
            found.setdefault(different, []).append(dialect)
    return tuple(
        OtherForm(tuple(names), of := others[names[0]], different, _alike(of, shown) & {one.name for one in different})
        for different, names in found.items()
    )


def rounding_only(rule: Rule, rules: Mapping[str, Rule]) -> tuple[Rounding, ...]:
    """The settings of form in which dialects differ from a rule among them and which leave the formula as it is.

    "As it is": on paper. Each is changed alone, and the formulas are compared.
    """
    found, here = [], next(one for one, of in rules.items() if of is rule)
    parts = {dialect: dict(leaves(one)) for dialect, one in rules.items()}
    for path, part in parts[here].items():
        for name in (field.name for field in fields(part)):
            values = {dialect: getattr(one[path], name) for dialect, one in parts.items()}
            others = [one for one, value in values.items() if value != values[here] and not isinstance(value, float)]
            # Changed in the others, whose defaults go together, whatever numbers the rule was given.
            if others and all(_same_with(rules[one], path, {name: values[here]}) for one in others):
                meaning = notes(type(part), str).get(name, "")
                found.append(Rounding(setting_name(path, part, name), values, meaning))
    return tuple(found)


def _same_with(rule: Rule, path: str, changes: Mapping[str, Any]) -> bool:
    parts = dict(leaves(rule))
    try:
        changed = with_parts(rule, {**parts, path: replace(parts[path], **changes)})
        one, other = formula(rule), formula(changed)
    except InputError:  # settings that mean nothing together
        return False
    return len(_alike(one, other)) == len(other.equations)


def _alike(other: Formula, shown: Formula) -> frozenset[str]:
    """The names of equations that compute what those shown do from the same values, except for rounding."""
    ours = {one.symbol: one.expression for one in shown.equations}
    there = [one for one in other.equations if one.symbol in ours]
    alike = {one.name for one in there if _equal(one.expression, ours[one.symbol])}
    ours, theirs = _without_stages(shown), _without_stages(other)
    positive = {*shown.settings.values(), *shown.scheduled.values()}
    positive |= {symbol for name, symbol in shown.given.items() if name in ("t", "norm_g")}
    for one in there:
        both = theirs[one.symbol], ours[one.symbol]
        if one.name not in alike and (_equal(*both) or _agree(*both, positive)):
            alike.add(one.name)
    return frozenset(alike)


def _equal(one: Expr, other: Expr) -> bool:
    return one == other or expand(one.doit() - other.doit()) == 0


def _without_stages(formula: Formula) -> dict[Any, Any]:
    """The right side of every equation, by its symbol, with what stages are in their place."""
    stages: dict[Any, Any] = {}
    found: dict[Any, Any] = {}
    for kind, _, symbol, expression in formula.equations:
        with evaluate(False):
            found[symbol] = expression.xreplace(stages)
        if kind == "stage":
            stages[symbol] = found[symbol]
    return found


def _agree(one: Expr, other: Expr, positive: Set[Any]) -> bool:
    """Whether expressions with cases are equal at PLACES random places: sympy cannot say whether they always are."""
    known = {call.func.__name__ for call in one.atoms(AppliedUndef) | other.atoms(AppliedUndef)} <= {"norm"}
    if not known or not (one.has(*CASES) or other.has(*CASES)):
        return False
    # No place drawn would be on the line where an equation holds: it is one that may hold anywhere.
    holds: Any = {equation: Dummy(real=True) > 0 for equation in one.atoms(Eq) | other.atoms(Eq)}
    both = [of.xreplace(holds) for of in (one, other)]
    symbols = sorted(both[0].free_symbols | both[1].free_symbols, key=str)
    drawn = np.random.default_rng(0)
    places = [
        drawn.uniform(0.05, 1.5, PLACES) * drawn.choice([1] if of in positive else [1, 1, -1], PLACES) for of in symbols
    ]
    with np.errstate(all="ignore"):  # roots of negative places
        found = [lambdify(symbols, of, [{"norm": np.abs}, "numpy"], dummify=True)(*places) for of in both]
    return np.allclose(*found, rtol=1e-11, atol=1e-12, equal_nan=True)
