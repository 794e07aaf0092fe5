"""The cards, a file a rule: `cards/adam.py` has all that proves `rules/adam.py`."""

from collections.abc import Mapping
from importlib import import_module

from ...errors import InputError
from ...rules import RULES
from ..card import Card
from ..formulas import Formula


def place(name: str) -> str:
    """Of the file of a rule's card."""
    return f"core/verification/cards/{name}.py"


def _card(name: str) -> Card:
    try:
        return import_module(f".{name}", __package__).CARD
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.{name}":
            raise
        raise InputError(f"{place(name)} is missing: every rule of core/rules/builtin.py has its card there.") from None


CARDS: Mapping[str, Card] = {name: _card(name) for name in RULES}
"""By rule."""

FORMULAS: Mapping[str, Mapping[str, Formula]] = {name: card.formulas for name, card in CARDS.items()}
"""By rule and dialect. Where the library asks its user for a learning rate, the one here is only a choice."""
