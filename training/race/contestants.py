"""Who races: from what a person types to rules at many learning rates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core import SGD, Chain, InputError, Rule

from ..around import Around
from ..building import build_rule
from ..rule_choice import choose_rule, lowered, number, split_dialect

PAPER = "paper"
SGD_NAME = "sgd"

Contestant = Callable[[Any], Rule]
"""The rule at a learning rate: a number, or a tensor that broadcasts over a leading axis of runs."""


def contestants(names: Sequence[str], around: Mapping[str, Any] | None = None) -> Mapping[str, Contestant]:
    """By their names, rawstep's own in lower case; plain SGD at the end, unless it is among them.

    names:  a rule, by its paper's form; rule:dialect; or module:Class for a user's own.
    around: what stands around every rule, by the names of `Elementwise`, and a schedule, which the tuned learning rate
            is multiplied by.

    Raises InputError for what is not there, what is named twice, a rule that takes no learning rate, and what cannot
    stand around one.
    """
    spelled = [lowered(name) for name in names]
    if twice := [name for name in spelled if spelled.count(name) > 1]:
        raise InputError(f"{twice[0]} is given twice: each rule races once.")
    found = {name: _contestant(name, around or {}) for name in spelled}
    if not any(isinstance(rule_alone(build(1.0)), SGD) for build in found.values()):
        found[SGD_NAME] = _contestant(SGD_NAME, around or {})
    return found


def _contestant(name: str, around: Mapping[str, Any]) -> Contestant:
    of, dialect = split_dialect(name)
    dialect = dialect or (None if ":" in of else PAPER)
    if getattr(choose_rule(of, dialect, 1.0), "learning_rate", None) != 1.0:
        raise InputError(f"{name} must keep the learning rate that it is given, to be tuned.")
    pieces = Around(**{piece: value for piece, value in around.items() if piece != "schedule"})
    factor: Any = number("--schedule", text) if (text := around.get("schedule")) else 1.0

    def build(learning_rate: Any) -> Rule:
        rate = (lambda step: learning_rate * factor(step)) if callable(factor) else learning_rate
        return build_rule(pieces, of, dialect, rate)

    build(1.0)
    return build


def rule_alone(rule: Rule) -> Rule:
    """The rule, without what stands around it."""
    return rule.rule if isinstance(rule, Chain) else rule
