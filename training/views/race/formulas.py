"""The formulas of the rules that raced, found by running the rules on symbols."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from core import InputError

from ..explain.formula import formula
from ..explain.page import written
from .contestants import contestants


class RuleFormula(NamedTuple):
    """A rule: its equations as MathML, and its settings, as "β₁ = 0.9".

    refused: why there are no equations, in a sentence; empty where there are.
    """

    name: str
    equations: Sequence[Markup]
    settings: Sequence[str]
    refused: str = ""


def formulas(names: Sequence[str]) -> list[RuleFormula]:
    """Of each rule by itself, by the names of a race's results."""
    return [_formula(name, build(1.0)) for name, build in contestants(names).items()]


def _formula(name: str, rule) -> RuleFormula:
    try:
        found = formula(rule)
    except InputError as error:
        return RuleFormula(name, (), (), str(error))
    settings = [
        f"{symbol.name}: the learning rate"
        if setting == "learning_rate"
        else f"{symbol.name} = {found.numbers[setting]:g}"
        for setting, symbol in found.settings.items()
    ]
    return RuleFormula(name, written(found.equations, found), settings)
