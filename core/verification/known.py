"""A rule of core by name, and the formula that it should compute."""

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..rules import RULES
from .cards import FORMULAS
from .implementations import Known


def known(rule: str, dialect: str, settings: Mapping[str, Any]) -> Known:
    """A rule of core and its formula; at the learning rate that the formula chooses where neither has another.

    Raises InputError for a rule, dialect or setting that is not there.
    """
    if rule not in RULES:
        raise InputError(f"There is no rule {rule!r}; there are: {', '.join(RULES)}.", rule, RULES)
    if dialect not in FORMULAS[rule]:
        raise InputError(
            f"{rule} has no dialect {dialect!r}; it has: {', '.join(FORMULAS[rule])}.", dialect, FORMULAS[rule]
        )
    formula, kind = FORMULAS[rule][dialect].given(settings), RULES[rule]
    if "learning_rate" not in {**kind.DIALECTS[dialect].settings, **settings}:
        settings = {**settings, "learning_rate": formula.settings["learning_rate"]}
    return Known(rule, dialect, kind.dialect(dialect, **settings), formula)
