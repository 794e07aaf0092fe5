"""From the options of a run to its rule, with pieces around it and rules of groups beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from core import L2, RULES, Average, Chain, ClipByGlobalNorm, ClipByNorm, ClipByValue, DecoupledDecay, InputError, Rule
from core.rules import around, groups, parts_of
from core.rules.around import ORDERS
from core.rules.masks import mask
from core.rules.part import Part
from core.rules.settings import accepted, hints

from .around import Around
from .rule_choice import choose_rule, kind_of, number, option, shown, split_dialect, usual_dialect

PIECES: Mapping[str, tuple[type[Part], str]] = {
    "clip_value": (ClipByValue, "limit"),
    "clip_norm": (ClipByNorm, "limit"),
    "clip_global_norm": (ClipByGlobalNorm, "limit"),
    "l2": (L2, "weight_decay"),
    "weight_decay": (DecoupledDecay, "weight_decay"),
    "ema": (Average, "decay"),
}
"""The options of `Around` that are numbers: of which piece each is the setting."""


def chosen_rate(learning_rate: float | None, schedule: str | None) -> Any:
    """The learning rate, a number or a schedule; None where none is given. Raises InputError where both are."""
    if schedule is None:
        return learning_rate
    if learning_rate is not None:
        raise InputError("--schedule is the learning rate's: --learning-rate cannot be given with it.")
    return number("--schedule", schedule)


Names = Mapping[str, Sequence[str]]
"""What a workload calls some of its variables, each with patterns of their names."""


def build_rule(
    given: Around,
    name: str,
    dialect: str | None,
    learning_rate: Any = None,
    settings: Mapping[str, str] | None = None,
    names: Names = MappingProxyType({}),
) -> Rule:
    """The rule `name` with what is `given` around it; see `choose_rule`, which takes the other arguments.

    names: for masks, beside those of `core.rules.masks`.

    Raises InputError as `choose_rule` does, and for options that cannot be or exclude each other.
    """
    rule = _surrounded(given, name, dialect, dialect, learning_rate, settings or {}, names)
    return groups(rule, *(_group(given, text, dialect, names) for text in given.group)) if given.group else rule


def _surrounded(
    given: Around,
    name: str,
    dialect: str | None,
    order: str | None,
    learning_rate: Any,
    settings: Mapping[str, str],
    names: Names,
) -> Rule:
    """order: whose order and form of the pieces."""
    kind = kind_of(name)
    own = {one.name for one in fields(kind)}
    ours = {piece: str(value) for piece in PIECES if (value := getattr(given, piece)) is not None and piece in own}
    rule = choose_rule(name, dialect, learning_rate, {**ours, **settings})
    return around(rule, order if order in ORDERS else "paper", **pieces(given, kind, names))


def pieces(given: Around, kind: type[Rule], names: Names = MappingProxyType({})) -> dict[str, Any]:
    """What is `given` around rules of a class, by the names of `core.around`; what the rule itself has is not.

    Raises InputError for values that a piece cannot have, and for a mask of nothing.
    """
    own = {one.name for one in fields(kind)}
    amounts = {piece: value for piece in PIECES if (value := getattr(given, piece)) is not None}
    found = {piece: _amount(piece, value) for piece, value in amounts.items() if piece not in own}
    if given.decay_only:
        if inside := [option(one) for one in ("l2", "weight_decay") if one in own and one in amounts]:
            raise InputError(f"--decay-only: {inside[0]} is a setting of {kind.__name__} itself, for all variables.")
        if not {"l2", "weight_decay"} & amounts.keys():
            raise InputError("--decay-only needs --weight-decay or --l2.")
        found["where"] = _mask("--decay-only", given.decay_only, names)
    return found


def _amount(piece: str, value: float | str) -> Any:
    kind, setting = PIECES[piece]
    return accepted(option(piece), number(option(piece), str(value)), hints(kind)[setting])


def _group(given: Around, text: str, dialect: str | None, names: Names) -> tuple[Any, Rule]:
    """A mask and its rule, in the run's dialect where it has that one."""
    words, _, rest = text.partition(":")
    name, *items = rest.split(",")
    if not words or not name:
        raise InputError(f"--group must be MASK:RULE, such as biases:sgd,learning_rate=0.1, found {text!r}.")
    try:
        name, own = split_dialect(name)
        if own is None and name in RULES:
            own = dialect if dialect in RULES[name].DIALECTS else usual_dialect(name)
        rule = _surrounded(given, name, own, dialect, None, settings_of(kind_of(name), items), names)
        return mask(names.get(words, [words])), rule
    except InputError as error:
        raise InputError(f"--group {text}: {error}", error.name, error.known) from error


def settings_of(kind: type[Rule], items: Sequence[str], others: Sequence[str] = ()) -> dict[str, str]:
    """By name, of texts such as beta_2=0.95. What names no setting belongs to the schedule before it.

    others: what may be named beside the settings of a rule of this class.

    Raises InputError for what is none of these.
    """
    known, found, last = [*dict.fromkeys((*(one.name for one in fields(kind)), *others))], {}, ""
    for item in items:
        name, equals, value = item.partition("=")
        if equals and name.replace("-", "_") in known:
            last = name.replace("-", "_")
            found[last] = value
        elif last and (":" in found[last] or name in ("warmup", "warmup-from")):
            found[last] += f",{item}"
        else:
            raise InputError(f"{kind.__name__} has no setting {name!r}; it has: {', '.join(known)}.", name, known)
    return found


def _mask(what: str, words: Sequence[str], names: Names) -> Any:
    try:
        return mask([one for word in words for one in names.get(word, [word])])
    except InputError as error:
        raise InputError(f"{what}: {error}") from error


def with_amount(rule: Rule, piece: str, amount: Any) -> Rule:
    """The rule with another number for one of `PIECES` around it, or for its own setting of that name."""
    kind, setting = PIECES[piece]
    if not isinstance(rule, Chain):
        return replace(rule, **{piece: amount})
    if not any(type(part) is kind for _, part in rule.parts):
        kind, setting = type(rule.rule), piece
    found = [(name, replace(part, **{setting: amount}) if type(part) is kind else part) for name, part in rule.parts]
    return replace(rule, parts=tuple(found))


def check_masks(given: Around, variables: Mapping[str, Any], names: Names) -> None:
    """Raises InputError for a mask of the options that matches none of the variables, by name and rank."""
    masks = [("--decay-only", given.decay_only)] if given.decay_only else []
    masks += [(f"--group {text}", [text.partition(":")[0]]) for text in given.group]
    for what, words in masks:
        matches = _mask(what, words, names)
        if not any(matches(name, len(variable.shape)) for name, variable in variables.items()):
            others = f", and {', '.join(names)} for some of them" if names else ""
            raise InputError(f"{what} matches no variable; there are: {', '.join(variables)}{others}.")


def served_as(rule: Rule) -> str | None:
    """What evaluation and export use in place of the weights, in words; None where they use those."""
    if not rule.serves:
        return None
    averages = [part.decay for part in parts_of(rule) if isinstance(part, Average)]
    return f"the average of the weights (ema {shown(averages[0])})" if averages else "the weights that the rule serves"


def is_ours(rule: Rule) -> bool:
    """Whether a rule and all around it are rawstep's, whose mistakes are not the user's."""
    return all(type(part) in RULES.values() or not isinstance(part, Rule) for part in parts_of(rule))
