"""How the dialects of a rule differ: in numbers, in the formula, and in rounding alone."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, NamedTuple

from sympy import Expr, expand

from core import InputError, Rule
from core.rules.settings import notes

from .formula import Equation, Formula, formula


class OtherForm(NamedTuple):
    """The equations of some dialects that are not those of the dialect shown.

    rounding: the names of those that compute the same except for rounding.
    """

    dialects: tuple[str, ...]
    formula: Formula
    equations: tuple[Equation, ...]
    rounding: frozenset[str]


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


def in_all_dialects(kind: type[Rule], example_rate: float) -> dict[str, Rule]:
    """The rule in each of its dialects with that dialect's defaults; at the example's rate where it has none."""
    return {name: kind.dialect(name, learning_rate=default_rate(kind, name) or example_rate) for name in kind.DIALECTS}


def other_forms(shown: Formula, others: Mapping[str, Formula]) -> tuple[OtherForm, ...]:
    """What differs from the equations shown; dialects that differ alike stand together."""
    found: dict[tuple[Equation, ...], list[str]] = {}
    for dialect, other in others.items():
        if different := tuple(equation for equation in other.equations if equation not in shown.equations):
            found.setdefault(different, []).append(dialect)
    return tuple(
        OtherForm(tuple(names), others[names[0]], different, _alike(different, shown))
        for different, names in found.items()
    )


def rounding_only(rule: Rule, rules: Mapping[str, Rule]) -> tuple[Rounding, ...]:
    """The settings of form in which dialects differ from a rule among them and which leave the formula as it is.

    "As it is": on paper. Each is changed alone, and the formulas are compared.
    """
    found, here = [], next(one for one, of in rules.items() if of is rule)
    for name in (field.name for field in fields(rule)):
        values = {dialect: getattr(one, name) for dialect, one in rules.items()}
        others = [one for one, value in values.items() if value != values[here] and not isinstance(value, float)]
        # Changed in the others, whose defaults go together, whatever numbers the rule was given.
        if others and all(_same_with(rules[one], {name: values[here]}) for one in others):
            found.append(Rounding(name, values, notes(type(rule), str).get(name, "")))
    return tuple(found)


def _same_with(rule: Rule, changes: Mapping[str, Any]) -> bool:
    try:
        one, other = formula(rule), formula(replace(rule, **changes))
    except InputError:  # settings that mean nothing together
        return False
    return len(_alike(one.equations, other)) == len(other.equations)


def _alike(equations: tuple[Equation, ...], shown: Formula) -> frozenset[str]:
    """The names of equations that compute what those shown do from the same values, except for rounding."""
    ours = {equation.symbol: equation.expression for equation in shown.equations}
    return frozenset(
        name for _, name, symbol, expression in equations if symbol in ours and _equal(expression, ours[symbol])
    )


def _equal(one: Expr, other: Expr) -> bool:
    return one == other or expand(one.doit() - other.doit()) == 0
