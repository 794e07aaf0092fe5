"""From what a user names or hands over to what is judged, and to what it is judged by."""

import ast
from collections.abc import Mapping
from dataclasses import MISSING, fields
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..mistakes import described, mistakes_in
from ..rules import RULES, Rule
from .cards import FORMULAS
from .implementations import Implementation, OfFunction, OfRule, Returned
from .libraries import LIBRARIES, REFERENCES
from .libraries.reference import construction_named
from .optimizers import OfOptimizer, library_of
from .trial import PAPER

ITSELF = "itself"
"""The reference that is the subject's own rule, in NumPy and a wider dtype."""


class FormulaReference(NamedTuple):
    """A reference that has a formula: rule, dialect, name among the references, the settings where it decides them."""

    rule: str
    dialect: str
    library: str = PAPER
    decided: dict[str, Any] | None = None


class Given(NamedTuple):
    """What a user says of a function: see `claims.claim`."""

    slots: Mapping[str, float] | None = None
    settings: Mapping[str, float] | None = None
    returns: Returned = "delta"


def made(subject: Any) -> Any:
    """An instance, where a class is given, with its own defaults. A rule's learning rate is 0.001 where it has none.

    Raises InputError where that fails.
    """
    if not isinstance(subject, type):
        return subject
    if issubclass(subject, Rule):
        return built(subject, 1e-3)
    kind = library_of(subject)
    with construction_named(subject.__name__):
        return subject() if kind is None else kind.made(subject, {})


def built(kind: type[Rule], learning_rate: float) -> Rule:
    """A rule with its own defaults; at another learning rate where it has none. Raises InputError where that fails."""
    settings: dict[str, Any] = {}
    if any(field.name == "learning_rate" and field.default is MISSING for field in fields(kind)):
        settings["learning_rate"] = learning_rate
    with mistakes_in(kind, method="__post_init__", said="cannot be built"):
        return kind(**settings)


def resolved(reference: Any, subject: Any, slots: Mapping[str, float] | None) -> FormulaReference | Implementation:
    """What is to be the reference: a formula, alone or with a library, or an implementation that states it.

    slots: where a function is the reference, the number that each of its slots starts with; a rule's own if None.

    Raises InputError for an unknown reference.
    """
    if isinstance(reference, str):
        return _named(reference, subject)
    reference = made(reference)
    if isinstance(reference, Rule):
        return formula_reference(reference) or OfRule(type(reference).__name__, reference)
    if library_of(reference) is not None:
        return _stated_by(OfOptimizer(reference))
    if not callable(reference):
        raise InputError(
            f"A reference must be a name, a Rule, an optimizer or a function, found {described(reference)}."
        )
    if slots is None and isinstance(subject, Rule):
        slots = {
            n: float(np.ravel(v)[0]) for n, v in OfRule(type(subject).__name__, subject).first(np.zeros(1)).items()
        }
    if slots is None:
        raise InputError("A function as reference needs slots: the number that each starts with, by name.")
    return OfFunction(reference, slots)


def _named(reference: str, subject: Any) -> FormulaReference | Implementation:
    first, _, second = reference.partition(":")
    if reference == ITSELF:
        if not isinstance(subject, Rule):
            raise InputError("Only a rule can be judged against itself: a function or optimizer has one way to run.")
        return OfRule(ITSELF, subject)
    if first in FORMULAS:
        if second not in FORMULAS[first]:
            raise InputError(
                f"{first} has no dialect {second!r}; it has: {', '.join(FORMULAS[first])}.", second, FORMULAS[first]
            )
        return FormulaReference(first, second)
    if first == PAPER and second.lower() in FORMULAS:
        return FormulaReference(second.lower(), PAPER)
    if first not in REFERENCES:
        raise InputError(
            f"There is no reference {reference!r}; give library:rule or rule:dialect, from "
            f"{', '.join((PAPER, *REFERENCES))} and {', '.join(RULES)}."
        )
    if not second:
        raise InputError(f"The reference {reference!r} must name a rule: {first}:RULE, of {', '.join(RULES)}.")
    if second.lower() in RULES and not REFERENCES[first].has(second.lower()):
        raise _alone(first, second)
    if second.lower() not in RULES:
        return _stated_by(OfOptimizer(_called(first, second), reference))
    kind = library_of(subject)
    if kind is not None and first in LIBRARIES and (options := OfOptimizer(subject).options):
        if kind is not LIBRARIES[first]:
            raise InputError(f"{said(options)} of {kind.described(subject)} is not what {reference} computes.")
        parent = kind.copied(subject, {}, second.lower())
        return OfOptimizer(parent, f"{first}:{type(parent).__name__}({said(options)})")
    return FormulaReference(second.lower(), REFERENCES[first].dialect, first)


def _stated_by(one: OfOptimizer) -> FormulaReference | Implementation:
    """The formula of a library's own optimizer with nothing around its rule; else the optimizer itself."""
    if one.known is None:
        return one
    return FormulaReference(one.known.name, one.known.dialect, one.kind.package, dict(one.known.formula.settings))


def said(options: Mapping[str, Any]) -> str:
    """Options as Python writes them in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def _alone(library: str, call: str) -> InputError:
    there = ", ".join(filter(REFERENCES[library].has, RULES))
    return InputError(f"{library}:{call}: {library} has the rules {there} alone.")


def _called(library: str, call: str) -> Any:
    """An optimizer of a library as a person calls it, "SGD(momentum=0.9)", with numbers, texts and the like alone."""
    if library not in LIBRARIES:
        raise _alone(library, call)
    kind = LIBRARIES[library]
    if missing := kind.missing():
        raise InputError(f"{library} is not installed: pip install {missing}.")
    unclear = InputError(f"{library}:{call} must be a name with settings, such as SGD(momentum=0.9).")
    try:
        tree = ast.parse(call if call.endswith(")") else f"{call}()", mode="eval").body
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.args:
            raise unclear
        settings = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in tree.keywords}
    except (SyntaxError, ValueError) as error:
        raise unclear from error
    with construction_named(f"{library}:{call}"):
        return kind.made(kind.named(tree.func.id), settings)


def formula_reference(rule: Rule) -> FormulaReference | None:
    """The dialect of one of our own rules, with its numbers; None for another rule, and where it mixes dialects."""
    for name, kind in RULES.items():
        for dialect, formula in FORMULAS[name].items() if type(rule) is kind else ():
            numbers = {setting: getattr(rule, setting) for setting in formula.settings}
            forms = [f.name for f in fields(rule) if f.name not in formula.settings]
            usual = kind.dialect(dialect, learning_rate=1.0)
            same = all(getattr(usual, form) == getattr(rule, form) for form in forms)
            if not same or any(numbers[setting] for setting in formula.absent):
                continue
            if wrong := [n for n, v in numbers.items() if not isinstance(v, Real) and not callable(v)]:
                raise InputError(f"{kind.__name__}: {wrong[0]} must be a number to judge by, found a tensor.")
            return FormulaReference(name, dialect, PAPER, numbers)
    return None


def implementation(
    subject: Any, name: str, given: Given, reference: FormulaReference | Implementation
) -> OfRule | OfOptimizer | OfFunction:
    """What a user hands over as an implementation; a function gets from the reference what was not given.

    Raises InputError for what is none, and for what is said of a function where there is none.
    """
    kind = library_of(subject)
    if isinstance(subject, Rule) or kind is not None:
        shows = kind is None or bool(kind.configuration(subject))
        if (
            (given.settings and shows)
            or given.returns != "delta"
            or (given.slots and isinstance(reference, FormulaReference))
        ):
            raise InputError(f"{name} has slots and settings of its own: slots, settings, returns are for a function.")
        return (
            OfRule(name, subject) if isinstance(subject, Rule) else OfOptimizer(subject, name, settings=given.settings)
        )
    if not callable(subject):
        raise InputError(
            f"What is judged must be a Rule, an optimizer of {', '.join(LIBRARIES)} or a function, "
            f"found {described(subject)}."
        )
    slots, settings, returns = given
    if returns not in ("delta", "x"):
        raise InputError(f"returns must be 'delta' or 'x', found {returns!r}.")
    for what, numbers in (("slots", slots), ("settings", settings)):
        named = numbers is None or (isinstance(numbers, Mapping) and all(isinstance(v, Real) for v in numbers.values()))
        if not named:
            raise InputError(f"{what} must be numbers by name, found {numbers!s:.60}.")
    if isinstance(reference, FormulaReference):
        formula = FORMULAS[reference.rule][reference.dialect].given(settings or {})
        first = formula.first(np.zeros(1))
        asked = {setting: value for setting, value in formula.settings.items() if setting not in formula.absent}
    else:
        first, asked = reference.first(np.zeros(1)), {}
    if slots is None:
        slots = {slot: float(np.ravel(value)[0]) for slot, value in first.items()}
    function = OfFunction(subject, slots, settings, returns, name, asked)
    if asked == {} and (unknown := [setting for setting in settings or {} if setting not in function.takes]):
        raise InputError(f"{name} takes no {unknown[0]}, and its reference has no formula with that setting.")
    return function
