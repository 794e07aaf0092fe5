"""What is wrong with a card, before it judges anything."""

from functools import cache

import numpy as np

from ..errors import InputError
from ..mistakes import in_words
from ..rules import RULES, At
from .cards import CARDS, place
from .graph import traced
from .known import known


@cache
def check_card(name: str) -> None:
    """Raises InputError for a card that does not fit its rule, or would not show what it should.

    Rule and card must have the same dialects, and show the same slots and stages by the same names: what only one of
    them has is compared with nothing. A formula and its errors must run. Every number must have another value than a
    library's own in some set of `revealing`: else nobody sees that a rule ignores it.
    """
    kind, card = RULES[name], CARDS[name]
    if apart := sorted(kind.DIALECTS.keys() ^ card.formulas.keys()):
        raise InputError(f"{place(name)}: rule and card must have the same dialects; one of them lacks {apart[0]}.")
    x = np.ones(1)
    for dialect, formula in card.formulas.items():
        for settings in ({}, *card.revealed(dialect)):
            where = f"{place(name)}, {formula.compute.__name__} of {dialect}"
            try:
                one = known(name, dialect, settings)
                values = traced(one.formula).values.keys() - {"delta", "x"} | one.formula.corrected.keys()
                card.mutants(one.formula, dialect, np.float64)
            except InputError:
                raise
            except Exception as error:  # the card's own code may fail in any way
                raise InputError(f"{where}: {in_words(error)}") from error
            shown = one.rule.step(x, one.rule.first(x), x, At(np.float64(1))).values.keys()
            if apart := sorted(shown ^ values):
                lacking = "formula" if apart[0] in shown else "rule"
                raise InputError(f"{where}: rule and formula must show the same; the {lacking} lacks {apart[0]}.")
        for setting, value in formula.decided.items():
            if isinstance(value, float) and all(one.get(setting, value) == value for one in card.revealing):
                said = f"no set in revealing has another {setting} than {dialect}'s, {value:g}"
                raise InputError(f"{place(name)}: {said}: nobody would see that it is ignored.")
