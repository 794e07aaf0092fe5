"""Who races: from what a person types to rules at many learning rates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from core import SGD, Chain, InputError, Rule

from ...runs.around import Around, Elementwise
from ...runs.building import build_rule, settings_of, with_amount
from ...runs.building import pieces as pieces_around
from ...runs.rule_choice import choose_rule, kind_of, lowered, number, option, split_dialect

PAPER = "paper"
SGD_NAME = "sgd"

AROUND = tuple(one.name for one in fields(Elementwise))

Contestant = Callable[..., Rule]
"""contestant(rate, amount): the rule at a learning rate, and at the amount of a piece around it, where one is tuned:
numbers, or tensors that broadcast over a leading axis of runs."""


def contestants(
    names: Sequence[str],
    around: Mapping[str, Any] | None = None,
    tuned: str | None = None,
    amount: float | None = None,
) -> Mapping[str, Contestant]:
    """By their names, rawstep's own in lower case; plain SGD at the end, unless it is among them.

    names:  a rule, by its paper's form; rule:dialect; or module:Class for a user's own; each with settings and pieces
            of its own, as adam:keras,beta_2=0.95,clip_value=1.
    around: what stands around every rule, by the names of `Elementwise`, and a schedule, which the tuned learning rate
            is multiplied by.
    tuned:  the piece whose amount the contestants take beside the learning rate; it stands around every rule, with
            `amount` to begin with.

    Raises InputError for what is not there, what is named twice, a rule that takes no learning rate, and what cannot
    stand around one.
    """
    spelled = [",".join((lowered(name.split(",")[0]), *name.split(",")[1:])) for name in names]
    if twice := [name for name in spelled if spelled.count(name) > 1]:
        raise InputError(f"{twice[0]} is given twice: each rule races once.")
    begun = {**(around or {}), **({} if tuned is None or amount is None else {tuned: amount})}
    found = {name: _contestant(name, begun, tuned) for name in spelled}
    if not any(isinstance(rule_alone(build(1.0)), SGD) for build in found.values()):
        found[SGD_NAME] = _contestant(SGD_NAME, begun, tuned)
    return found


def _contestant(name: str, around: Mapping[str, Any], tuned: str | None) -> Contestant:
    spelled, *items = name.split(",")
    of, dialect = split_dialect(spelled)
    dialect = dialect or (None if ":" in of else PAPER)
    given = settings_of(kind_of(of), items, AROUND)
    own = {piece: value for piece, value in given.items() if piece in AROUND}
    settings = {setting: value for setting, value in given.items() if setting not in AROUND}
    if getattr(choose_rule(of, dialect, 1.0, settings), "learning_rate", None) != 1.0:
        raise InputError(f"{name} must keep the learning rate that it is given, to be tuned.")
    if tuned in own:
        raise InputError(f"{name} has its own {tuned}, which is tuned: give one of the two.")
    common = {piece: value for piece, value in around.items() if piece != "schedule"}
    pieces = Around(**{**common, **own})
    factor: Any = number("--schedule", text) if (text := around.get("schedule")) else 1.0

    def build(learning_rate: Any, amount: Any = None) -> Rule:
        rate = (lambda step: learning_rate * factor(step)) if callable(factor) else learning_rate
        rule = build_rule(pieces, of, dialect, rate, settings)
        return rule if tuned is None or amount is None else with_amount(rule, tuned, amount)

    build(1.0)
    return build


def surrounded(given: Mapping[str, Any], tune: str | None) -> tuple[dict[str, Any], str | None, Sequence[float | None]]:
    """What stands around every rule, of what a person gave and did not; the piece that is tuned, and its amounts.

    Raises InputError as `tunable` does.
    """
    around = {name: value for name, value in given.items() if value is not None}
    return (around, None, [None]) if tune is None else (around, *tunable(tune, around))


def tunable(text: str, given: Mapping[str, Any]) -> tuple[str, list[float]]:
    """The piece and the amounts that a person types, as clip_value=0.1,1,10.

    given: pieces that have an amount already.

    Raises InputError for another text, an amount that the piece cannot have, and a piece that is given.
    """
    name, _, values = text.partition("=")
    piece = name.strip().replace("-", "_")
    if piece not in AROUND:
        raise InputError(f"--tune must be one of {', '.join(AROUND)}, as clip_value=0.1,1,10, found {text!r}.")
    if piece in given:
        raise InputError(f"--tune tunes {piece}: {option(piece)} cannot be given with it.")
    try:
        amounts = [float(value) for value in values.split(",")]
    except ValueError:
        raise InputError(f"--tune must have numbers, as clip_value=0.1,1,10, found {text!r}.") from None
    for amount in amounts:
        one: dict[str, Any] = {piece: amount}
        pieces_around(Around(**one), SGD)
    return piece, amounts


def rule_alone(rule: Rule) -> Rule:
    """The rule, without what stands around it."""
    return rule.rule if isinstance(rule, Chain) else rule
