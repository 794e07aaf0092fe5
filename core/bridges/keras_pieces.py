"""What Keras does around a rule, as pieces, and pieces as Keras's options.

    Keras's option                       piece, as `around(rule, "keras", …)` places it
    clipnorm                             ClipByNorm(c), before the rule
    clipvalue                            ClipByValue(c), before the rule
    global_clipnorm                      ClipByGlobalNorm(c), before the rule
    weight_decay                         DecoupledDecay(λ), before the rule
    exclude_from_weight_decay            its `where`
    use_ema, ema_momentum                Average(m, first_step="copies"), after the rule
    ema_overwrite_frequency              its `overwrite_every`

Source: Keras 3, keras/src/optimizers/base_optimizer.py, _backend_apply_gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from glob import escape
from typing import Any

from ..errors import InputError
from ..rules import (
    Average,
    Chain,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    DecoupledDecay,
    Except,
    Groups,
    Named,
    Piece,
    Rule,
    around,
    parts_of,
)

_CLIPS = (ClipByNorm, ClipByValue, ClipByGlobalNorm)
_KINDS: Mapping[str, tuple[type[Piece], ...]] = {
    **dict.fromkeys(("clipnorm", "clipvalue", "global_clipnorm"), _CLIPS),
    "weight_decay": (DecoupledDecay,),
    "use_ema": (Average,),
}
"""Which pieces do what an option of Keras's asks for."""

_CLIPPED = dict(clipnorm="clip_norm", clipvalue="clip_value", global_clipnorm="clip_global_norm")
"""What `around` calls Keras's options."""
OPTIONS = (*_CLIPPED, "weight_decay", "exclude_from_weight_decay", "use_ema")
"""Keras's options that are pieces here."""
SETTINGS = (*_CLIPPED, "weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency")
"""What a Keras optimizer has of them among its attributes."""


def pieces_of(rule: Rule) -> list[Piece]:
    """All pieces of a chain, those of a chain within it too; none of another rule."""
    return [part for part in parts_of(rule) if isinstance(part, Piece)]


def renamed(rule: Rule, names: Mapping[str, tuple[str, int]]) -> Rule:
    """The rule with masks by other names: to each new name, the old one and the rank of its variable.

    A mask that says the same of the new names stays; another becomes a list of them.
    """
    if isinstance(rule, Groups) and any(new != old for new, (old, _) in names.items()):
        raise InputError("Rules of groups are not taken over under other names: give the names that Keras has.")
    if not isinstance(rule, Chain):
        return rule

    def of(part: Any) -> Any:
        if isinstance(part, Rule):
            return renamed(part, names)
        acts = [new for new, (old, rank) in names.items() if part.acts_on(old, rank)]
        same = acts == [new for new, (_, rank) in names.items() if part.acts_on(new, rank)]
        return part if same else replace(part, where=Named(tuple(map(escape, acts))))

    return replace(rule, parts=tuple((name, of(part)) for name, part in rule.parts))


def decays(rule: Rule) -> bool:
    """Whether a rule decays parameters beside its step, by a setting of its own or by a piece."""
    inner = rule
    while isinstance(inner, Chain):
        inner = inner.rule
    own = getattr(inner, "weight_decay", 0.0)
    return not isinstance(own, float | int) or own != 0 or any(isinstance(p, DecoupledDecay) for p in pieces_of(rule))


def refuse_twice(rule: Rule, options: Mapping[str, Any]) -> None:
    """Raises InputError for an option of Keras's that does what a piece, or the rule itself, does already."""
    for option, kinds in _KINDS.items():
        there = [type(piece).__name__ for piece in pieces_of(rule) if isinstance(piece, kinds)]
        if option == "weight_decay" and decays(rule) and not there:
            there = [type(rule).__name__]
        if options.get(option) and there:
            raise InputError(f"{there[0]} would act beside Keras's {option}: give one of the two.")


def surrounded(rule: Rule, options: Mapping[str, Any], excluded: list[str], names: list[str]) -> Rule:
    """The rule with pieces for Keras's options; without any, the rule itself.

    excluded, names: the variables that do not decay, and all.
    """
    asked: dict[str, Any] = {
        ours: options[name]
        for name, ours in _CLIPPED.items()
        if (options.get(name) or 0) > 0  # as Keras asks
    }
    if options.get("weight_decay") and set(excluded) != set(names):
        mask = Except(Named(tuple(map(escape, excluded)))) if excluded else None
        asked |= dict(weight_decay=options["weight_decay"], where=mask)
    if options.get("use_ema"):
        asked |= dict(ema=options["ema_momentum"], overwrite_every=options.get("ema_overwrite_frequency") or 0)
    return around(rule, "keras", **asked)


def undecayed(rules: Sequence[Rule]) -> tuple[Rule, list[bool]]:
    """The rule of the variables, of those of each, with all its pieces; and for each, whether it lacks the decay alone.

    Raises InputError for variables of which the rules differ in more.
    """
    whole = max(rules, key=lambda rule: len(pieces_of(rule)))
    spared = [rule != whole for rule in rules]
    for rule in (rule for rule in rules if rule != whole):
        kept = (
            tuple((n, p) for n, p in whole.parts if not isinstance(p, DecoupledDecay))
            if isinstance(whole, Chain)
            else ()
        )
        if not isinstance(rule, Chain) or rule.parts != kept:
            raise InputError(
                "Keras has one rule for all variables, with pieces of which the decay alone may leave out some."
            )
    return whole, spared


def options_of(rule: Rule) -> tuple[Rule, dict[str, Any]]:
    """The rule in the middle, and Keras's options for the pieces around it.

    Raises InputError for pieces that Keras lacks, and for an order or a form of them that is not Keras's.
    """
    if not isinstance(rule, Chain):
        return rule, {}
    options: dict[str, Any] = {}
    limits = {ClipByNorm: "clipnorm", ClipByValue: "clipvalue", ClipByGlobalNorm: "global_clipnorm"}
    for name, piece in ((name, part) for name, part in rule.parts if isinstance(part, Piece)):
        if type(piece) in limits and not set(limits.values()) & options.keys():
            options[limits[type(piece)]] = piece.limit  # pyright: ignore
        elif type(piece) is DecoupledDecay and "weight_decay" not in options:
            options["weight_decay"] = piece.weight_decay
        elif type(piece) is Average and "use_ema" not in options:
            every = piece.overwrite_every or None
            options |= dict(use_ema=True, ema_momentum=piece.decay, ema_overwrite_frequency=every)
        else:
            raise InputError(f"Keras has no option for {name}, {piece!r}, in this chain.")
    for option, value in options.items():
        if not isinstance(value, float | int | None):
            raise InputError(f"Keras's {option} must be a number, found {value!r}.")
    theirs = surrounded(rule.rule, options, [], ["all"])
    found = [replace(part, where=None) if isinstance(part, Piece) else part for _, part in rule.parts]
    expected = [part for _, part in theirs.parts] if isinstance(theirs, Chain) else [theirs]
    if found != expected:
        raise InputError(
            f"Keras cannot have this order or these forms: it has {_shown(expected)}, found {_shown(found)}."
        )
    return rule.rule, options


def _shown(parts: list[Any]) -> str:
    return ", ".join(type(part).__name__ if isinstance(part, Rule) else repr(part) for part in parts)
