"""What can be claimed and judged: that core's rules compute what the libraries do, or that somebody's own rule does."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from functools import partial
from numbers import Real
from typing import Any

from ..errors import InputError
from ..rules import RULES, Rule
from .certificate import DTYPES, EXECUTIONS, Claim, Row
from .formulas import FORMULAS
from .implementations import Implementation, Known, OfFunction, OfKeras, known
from .references import REFERENCES, keras_rule, keras_settings
from .streams import Streams, synthetic
from .trial import PAPER

REVEALING: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "adam": (dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7),),
    "adagrad": (dict(learning_rate=2.0**-3, initial_accumulator_value=2.0**-20, epsilon=2.0**-7),),
    "adadelta": (dict(learning_rate=0.5, rho=1 - 2.0**-10, epsilon=2.0**-7), dict(rho=0.999)),
    "sgd": (dict(learning_rate=2.0**-3),),
}
"""Settings beside a library's own, chosen to show what those hide: a large ε, an accumulator that starts small, a rate
that is not 1. The first set is dyadic, so that it means the same to a library that keeps settings in float32; the
second shows where 1 − ρ is rounded, which 0.95 hides."""


def matrix(
    rules: Sequence[str] = tuple(FORMULAS),
    dialects: Sequence[str] | None = None,
    references: Sequence[str] | None = None,
) -> list[Claim]:
    """The claims about core's own rules: each rule in each dialect, against the paper and that dialect's libraries.

    dialects, references: those to keep; all where None.

    Raises InputError for a rule, dialect or reference that is not there, and where none is left.
    """
    all_dialects = tuple(dict.fromkeys(dialect for of_rule in FORMULAS.values() for dialect in of_rule))
    for kind, names, there in (
        ("rule", rules, FORMULAS),
        ("dialect", dialects or (), all_dialects),
        ("reference", references or (), (PAPER, *REFERENCES)),
    ):
        for name in names:
            if name not in there:
                raise InputError(f"There is no {kind} {name!r}; there are: {', '.join(there)}.")
    claims = []
    for rule in rules:
        for dialect in FORMULAS[rule]:
            libraries = [name for name, kind in REFERENCES.items() if kind.dialect == dialect]
            chosen = tuple(name for name in (PAPER, *libraries) if references is None or name in references)
            if chosen and (dialects is None or dialect in dialects):
                claims.append(_about_core(rule, dialect, chosen))
    if not claims:
        wanted = ", ".join(references or ())
        raise InputError(f"{wanted} computes none of the dialects {', '.join(dialects or ())}.")
    return claims


def _about_core(rule: str, dialect: str, references: tuple[str, ...]) -> Claim:
    def subject(settings: Mapping[str, float]) -> Rule:
        return known(rule, dialect, settings).rule

    return Claim(rule, rule, dialect, subject, ({}, *_revealing(rule, dialect)), references)


def _revealing(rule: str, dialect: str) -> list[dict[str, float]]:
    """Without what the dialect has not."""
    absent = FORMULAS[rule][dialect].absent
    return [{n: value for n, value in settings.items() if n not in absent} for settings in REVEALING[rule]]


def claim(subject: Any, reference: Any, name: str | None = None, slots: Mapping[str, float] | None = None) -> Claim:
    """The claim that somebody's own implementation computes what a reference does.

    subject:   a Rule or its class; a Keras optimizer; or a function update(g, slots, t, x) → (Δ, new slots) of NumPy
               arrays, with slots as dictionaries.
    reference: a library's rule, "keras:adam"; the formula of one of our dialects, "adam:keras"; or a Keras optimizer.
    slots:     for a function, the value of each slot before the first step.

    The reference is given the subject's settings of the same names, such as beta_1 and epsilon, or keeps its own where
    it is an optimizer. Slots are compared by name, or in their order where names differ.

    Raises InputError for what is none of these.
    """
    rule, dialect, library, decided = _reference(reference)
    name = name or str(getattr(subject, "__name__", type(subject).__name__))
    if isinstance(subject, type):
        own_class = issubclass(subject, Rule)
        subject = built(subject, FORMULAS[rule][dialect].settings["learning_rate"]) if own_class else _instance(subject)
    about = _about_rule if isinstance(subject, Rule) else partial(_about_other, slots=slots)
    return about(Claim(name, rule, dialect, lambda _: subject, (decided or {},), (library,)), subject, decided)


def _about_rule(base: Claim, subject: Rule, decided: Mapping[str, float] | None) -> Claim:
    """With the rule's own settings, and with revealing ones of those that it has; or with the reference's alone."""
    formula = FORMULAS[base.rule][base.dialect]
    mine = sorted({field.name for field in fields(subject)} & formula.settings.keys())
    numbers = {}
    for setting in mine:
        value = getattr(subject, setting)
        if not isinstance(value, Real):
            raise InputError(f"{base.name}: {setting} must be a number to be judged, found {type(value).__name__}.")
        if setting not in formula.absent or value != 0:
            numbers[setting] = float(value)
    own, sets = numbers, [numbers]
    if decided is not None:
        own, sets = decided, [decided]
    else:
        shown = [{n: value for n, value in one.items() if n in mine} for one in _revealing(base.rule, base.dialect)]
        sets += [{**own, **one} for one in shown if one]

    def with_settings(settings: Mapping[str, float]) -> Rule:
        return subject if settings == own else replace(subject, **settings)

    known_of_it = _foreign(base.rule, base.dialect, numbers)
    return replace(base, subject=with_settings, settings=tuple(sets), own=known_of_it)


def _about_other(
    base: Claim, subject: Any, decided: Mapping[str, float] | None, slots: Mapping[str, float] | None
) -> Claim:
    """With the settings that it has, as far as they are known, or with the reference's."""
    one = _implementation(subject, slots)
    own = decided
    if own is None:
        names = FORMULAS[base.rule][base.dialect].settings
        own = {name: value for name, value in one.settings.items() if name in names}
    known_of_it = one.known or _foreign(base.rule, base.dialect, own)
    return replace(base, subject=lambda _: one, settings=(own,), own=known_of_it, narrow=one.narrow_settings)


def _foreign(rule: str, dialect: str, settings: Mapping[str, float]) -> Known:
    """What is known of somebody's own implementation: its settings.

    It may round β before it raises it to the power t, or not, whatever the dialect does: half a unit a step.
    """
    one = known(rule, dialect, settings)
    return one._replace(formula=replace(one.formula, running=True))


def verify(
    subject: Any,
    reference: Any,
    *,
    slots: Mapping[str, float] | None = None,
    dtypes: Sequence[str] | None = None,
    executions: Sequence[str] = EXECUTIONS,
    streams: Callable[[str], Streams] = synthetic,
    name: str | None = None,
) -> list[Row]:
    """Judges somebody's own implementation against a reference: a row for each dtype and execution.

        verify(MyAdam, "keras:adam")
        verify(keras.optimizers.Adam(epsilon=1e-3), "adam:keras")
        verify(update, "torch:adam", slots={"m": 0.0, "v": 0.0})

    See `claim` for what may be judged, and against what. Rules run in the given executions of `Program`, all else as
    it is, called once a step.

    dtypes:  "float32", "float64"; where None, those of them in which the reference can be asked.
    streams: gradients for a dtype.

    Raises InputError for an unknown subject or reference, a reference that is not installed, and a subject that fails.
    """
    if dtypes is not None and not dtypes:
        raise InputError(f"At least one dtype is needed, of {', '.join(DTYPES)}.")
    for dtype in dtypes or ():
        if dtype not in DTYPES:
            raise InputError(f"There is no dtype {dtype!r} here; there are: {', '.join(DTYPES)}.")
    what = claim(subject, reference, name, slots)
    chosen = [dtype for dtype in DTYPES if what.can_be_asked(dtype)] if dtypes is None else dtypes
    rows = []
    for dtype in chosen:
        gradients = streams(dtype)
        if not isinstance(gradients, Streams) or gradients.gradients.dtype != dtype:
            raise InputError(f"streams must give Streams of {dtype} when asked for it, found {gradients!s:.60}.")
        rows += what.rows(gradients, executions)
    return rows


def _reference(reference: Any) -> tuple[str, str, str, dict[str, float] | None]:
    """Rule, dialect, name among the references, and the settings, where the reference decides them."""
    if not isinstance(reference, str):
        return keras_rule(reference), "keras", "keras", keras_settings(reference)
    first, _, second = reference.partition(":")
    rules = ", ".join(RULES)
    if first in FORMULAS:
        if second not in FORMULAS[first]:
            raise InputError(f"{first} has no dialect {second!r}; it has: {', '.join(FORMULAS[first])}.")
        return first, second, PAPER, None
    if first == PAPER and second.lower() in FORMULAS:
        return second.lower(), PAPER, PAPER, None
    if first not in REFERENCES:
        raise InputError(
            f"There is no reference {reference!r}; give library:rule or rule:dialect, from "
            f"{', '.join((PAPER, *REFERENCES))} and {rules}."
        )
    if second.lower() not in RULES:
        raise InputError(f"The reference {reference!r} must name a rule: {first}:RULE, of {rules}.")
    return second.lower(), REFERENCES[first].dialect, first, None


def built(kind: type[Rule], learning_rate: float) -> Rule:
    """A rule with its own defaults; at another learning rate where it has none. Raises InputError where that fails."""
    settings: dict[str, Any] = {}
    if any(field.name == "learning_rate" and field.default is MISSING for field in fields(kind)):
        settings["learning_rate"] = learning_rate
    try:
        return kind(**settings)
    except TypeError as error:
        raise InputError(f"{kind.__name__} cannot be built: {error}.") from error


def _instance(kind: type) -> Any:
    """A class of optimizers made into one, with its own defaults."""
    try:
        return kind()
    except Exception as error:  # it may be any class
        raise InputError(f"{kind.__name__} cannot be built: {type(error).__name__}: {error}.") from error


def _implementation(subject: Any, slots: Mapping[str, float] | None) -> Implementation:
    keras = sys.modules.get("keras")  # whoever has made a Keras optimizer has imported it
    if keras is not None and isinstance(subject, keras.optimizers.Optimizer):
        return OfKeras(subject)
    if not callable(subject):
        raise InputError(f"What is judged must be a Rule, a Keras optimizer or a function, found {subject!r}.")
    if not isinstance(slots, Mapping) or not all(isinstance(value, int | float) for value in slots.values()):
        raise InputError(
            "A function is judged from Python, by verify(function, reference, slots=…): it needs the number that each "
            f"slot starts with, by name, found {slots!s:.60}."
        )
    return OfFunction(subject, slots)
