"""Who races: from what a person types to rules at many learning rates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core import SGD, InputError, Rule

from ..rule_choice import choose_rule, lowered, split_dialect

PAPER = "paper"
SGD_NAME = "sgd"

Contestant = Callable[[Any], Rule]
"""The rule at a learning rate: a number, or a tensor that broadcasts over a leading axis of runs."""


def contestants(names: Sequence[str]) -> Mapping[str, Contestant]:
    """By their names, rawstep's own in lower case; plain SGD at the end, unless it is among them.

    names: a rule, by its paper's form; rule:dialect; or module:Class for a user's own.

    Raises InputError for what is not there, what is named twice, and a rule that takes no learning rate.
    """
    spelled = [lowered(name) for name in names]
    if twice := [name for name in spelled if spelled.count(name) > 1]:
        raise InputError(f"{twice[0]} is given twice: each rule races once.")
    found = {name: _contestant(name) for name in spelled}
    if not any(isinstance(build(1.0), SGD) for build in found.values()):
        found[SGD_NAME] = _contestant(SGD_NAME)
    return found


def _contestant(name: str) -> Contestant:
    of, dialect = split_dialect(name)
    dialect = dialect or (None if ":" in of else PAPER)

    def build(learning_rate: Any) -> Rule:
        return choose_rule(of, dialect, learning_rate)

    rule = build(1.0)
    if getattr(rule, "learning_rate", None) != 1.0:
        raise InputError(f"{name} must keep the learning rate that it is given, to be tuned.")
    return build
