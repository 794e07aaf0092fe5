"""From what a person types to what is judged: core's rules, the libraries' own, or a user's own in a module."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from core import RULES, InputError, Rule
from core.verification import FORMULAS, ITSELF, PAPER, REFERENCES, Claim, Implementation, OfRule, claim, matrix, named
from core.verification.chain_claims import Wanted, chain_claim, chain_matrix
from core.verification.claims import Lacking
from core.verification.implementations import Returned
from core.verification.optimizers import library_of
from core.verification.resolving import FormulaReference, Given, built, implementation, made

from ...runs.around import NOTHING, Around
from ...runs.building import pieces
from ...runs.rule_choice import lowered, option, typed
from ...workloads.imports import import_named

CHAINS = "chains"
"""The name of all chains that are certified, among those of rules."""


def claims_about(
    rules: Sequence[str] | None,
    dialects: Sequence[str],
    references: Sequence[str],
    options: Mapping[str, str] | None = None,
    slots: Mapping[str, float] | None = None,
    settings: Mapping[str, float] | None = None,
    returns: Returned = "delta",
    around: Around = NOTHING,
) -> list[Claim | Lacking]:
    """The claims of `rawstep verify`.

    options: settings of the rule, as a person types them. around: what stands around it.

    Raises InputError for what is not there.
    """
    rules, references = (
        [*map(lowered, rules or (RULES if options else (*RULES, CHAINS)))],
        [*map(_lowered_library, references)],
    )
    if ":" in rules[0]:
        if around != NOTHING:
            raise InputError(
                "Options around a rule are for rawstep's own rules: put pieces around yours with core.chain."
            )
        known_reference = references[0] == ITSELF or references[0].partition(":")[0] in (PAPER, *RULES, *REFERENCES)
        reference = references[0] if known_reference or ":" not in references[0] else import_named(references[0])
        subject = import_named(rules[0])
        if options:
            subject = _with(subject, rules[0], options)
        return [claim(subject, reference, rules[0], slots, settings, returns)]
    for reference in references:
        if ":" in reference:
            raise InputError(f"{reference!r} is for a rule of your own; for {rules[0]} give a library, such as keras.")
    once = [tuple(dict.fromkeys(names)) for names in (rules, dialects, references)]
    alone = [rule for rule in once[0] if rule != CHAINS]
    if around != NOTHING:
        return _around((tuple(alone), *once[1:]), around, options)
    if CHAINS in once[0] and options:
        raise InputError(f"{CHAINS} are judged with numbers of their own, found {', '.join(map(option, options))}.")
    given = {rule: typed_for(rule, options or {}) for rule in alone} if options else {}
    chosen = once[1] or None, once[2] or None
    found = matrix(alone, *chosen, given) if alone else []
    return [*found, *(chain_matrix(*chosen) if CHAINS in once[0] and not options else [])]


def _around(asked: Sequence[tuple[str, ...]], given: Around, options: Any) -> list[Claim | Lacking]:
    """Of rules with options around them, in the dialects that are asked for."""
    rules, dialects, references = asked
    if given.group or options:
        raise InputError(
            "A chain is judged with numbers that reveal errors, and with a schedule: --group and settings of the rule "
            "cannot be given with the options around it."
        )
    for rule in rules:
        if rule not in RULES:
            raise InputError(f"There is no rule {rule!r}; there are: {', '.join(RULES)}.", rule, RULES)
    wanted = [
        Wanted(rule, dialect, of)
        for rule in rules
        if (of := pieces(given, RULES[rule]))
        for dialect in FORMULAS[rule]
        if not dialects or dialect in dialects
    ]
    claims = [chain_claim(one, references or None) for one in wanted]
    if not (found := [one for one in claims if one.references]):
        raise InputError("None of these rules has pieces around it in these dialects and against these references.")
    return [*found]


def typed_for(rule: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a rule of rawstep's, as a person types them. Raises InputError and NoSuchSettingError."""
    if rule not in RULES:
        raise InputError(f"There is no rule {rule!r}; there are: {', '.join(RULES)}.", rule, RULES)
    return typed(RULES[rule], options)


def _with(subject: Any, name: str, options: Mapping[str, str]) -> Rule:
    """A user's rule with settings."""
    if isinstance(subject, type) and issubclass(subject, Rule):
        settings = typed(subject, options)
        return replace(built(subject, settings.get("learning_rate", 1e-3)), **settings)
    if isinstance(subject, Rule):
        return replace(subject, **typed(type(subject), options))
    raise InputError(
        f"{name} is no rule: {', '.join(options)} cannot be given; a function takes --setting name=number."
    )


def pair(a: str, b: str, options: Mapping[str, str]) -> tuple[Implementation, Implementation]:
    """Two implementations by name; both get the settings, and what only one of them decides the other gets as well.

    That is the learning rate, where a library has no default, and all settings that a user's own rule has.

    Raises InputError for what is not there.
    """
    a, b = (_lowered_library(name) for name in (a, b))
    unknown = [name for name in (a, b) if not _is_known(name)]
    if len(unknown) == 2:
        raise InputError(f"One of {a} and {b} must be rule:dialect or library:rule, to say what rounding may do.")
    settings = typed_for(_rule_and_dialect(b if a in unknown else a)[0], options)
    own = {name: _own(import_named(name), name, settings, b if name == a else a) for name in unknown}
    decided = {**_decided(a, b, own), **settings}
    one, other = (own[name] if name in own else named(name, decided) for name in (a, b))
    return one, other


def _lowered_library(name: str) -> str:
    """A rule of rawstep's, or the library before a colon, in lower case."""
    library, colon, rest = name.partition(":")
    return f"{library.lower()}{colon}{rest}" if library.lower() in (PAPER, *RULES, *REFERENCES) else lowered(name)


def _is_known(name: str) -> bool:
    return name.partition(":")[0] in (*RULES, *REFERENCES) or ":" not in name


def _own(subject: Any, name: str, settings: Mapping[str, Any], other: str) -> Implementation:
    if isinstance(subject, type) and issubclass(subject, Rule):
        subject = built(subject, settings.get("learning_rate", 1e-3))
    if isinstance(subject, Rule):
        there = {field.name for field in fields(subject)}
        return OfRule(name, replace(subject, **{one: value for one, value in settings.items() if one in there}))
    if library_of(subject) is not None and settings:
        raise InputError(f"{name} is an optimizer with settings of its own: {', '.join(settings)} cannot be given.")
    return implementation(made(subject), name, Given(settings=settings), FormulaReference(*_rule_and_dialect(other)))


def _decided(a: str, b: str, own: Mapping[str, Implementation]) -> dict[str, float]:
    if own:
        other = b if a in own else a
        rule, dialect = _rule_and_dialect(other)
        mine = next(iter(own.values())).settings
        return {name: value for name, value in mine.items() if name in FORMULAS[rule][dialect].settings}
    rates = [
        RULES[rule].DIALECTS[dialect].settings.get("learning_rate") for rule, dialect in map(_rule_and_dialect, (a, b))
    ]
    return {"learning_rate": next(rate for rate in rates if rate)} if None in rates and any(rates) else {}


def _rule_and_dialect(name: str) -> tuple[str, str]:
    """Of rule:dialect or library:rule. Raises InputError for neither."""
    known = named(name, {}).known
    assert known is not None, "what is named is known"
    return known.name, known.dialect
