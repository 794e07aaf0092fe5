"""The cards, a file a rule: `cards/adam.py` has all that proves `rules/adam.py`."""

from collections.abc import Mapping
from importlib import import_module

from ...rules import RULES
from ..card import Card
from ..formulas import Formula

CARDS: Mapping[str, Card] = {name: import_module(f".{name}", __package__).CARD for name in RULES}
"""By rule."""

FORMULAS: Mapping[str, Mapping[str, Formula]] = {name: card.formulas for name, card in CARDS.items()}
"""By rule and dialect. Where the library asks its user for a learning rate, the one here is only a choice."""
