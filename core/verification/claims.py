"""What can be claimed and judged: that core's rules compute what the libraries do, or that a user's own rule does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import At, Chain, Rule
from ..rules.settings import Interval, notes
from .card_check import check_card
from .cards import CARDS, FORMULAS
from .certificate import DTYPES, EXECUTIONS, Claim
from .chain_claims import own_chain_claim
from .implementations import Implementation, Known, OfFunction, OfRule, Returned
from .known import known
from .libraries import REFERENCES
from .optimizers import OfOptimizer
from .resolving import ITSELF, FormulaReference, Given, implementation, made, resolved, said
from .rows import Row
from .statements import stated_by
from .streams import NARROW, Streams, synthetic
from .trial import PAPER, Case, Expected, Falling


class Lacking(NamedTuple):
    """What stands in the place of a claim where a library lacks a rule: a row for each dtype that says so."""

    name: str
    dialect: str
    references: tuple[str, ...]

    def can_be_asked(self, dtype: Any) -> bool:
        return True

    def rows(self, streams: Streams, executions: Sequence[str] = EXECUTIONS) -> Iterator[Row]:
        yield Row(self.name, self.dialect, self.references[0], streams.dtype, "none", lacks=True)


def matrix(
    rules: Sequence[str] = tuple(FORMULAS),
    dialects: Sequence[str] | None = None,
    references: Sequence[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Claim | Lacking]:
    """The claims about core's own rules: each rule in each dialect, against the paper and that dialect's libraries.

    dialects, references: those to keep; all where None.
    settings: by rule, those to judge with beside the dialect's own and the revealing ones.

    A library that lacks a rule has a claim too, whose row says so.

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
                raise InputError(f"There is no {kind} {name!r}; there are: {', '.join(there)}.", name, there)
    claims: list[Claim | Lacking] = []
    for rule, given in (settings or {}).items():
        there = dict.fromkeys(name for formula in FORMULAS[rule].values() for name in formula.decided)
        if unknown := [name for name in given if name not in there]:
            said = f"No formula of {rule} has {unknown[0]} to be judged with; they have: {', '.join(there)}."
            raise InputError(said, unknown[0], there)
    for rule in rules:
        check_card(rule)
        for dialect in FORMULAS[rule]:
            libraries = [name for name, kind in REFERENCES.items() if kind.dialect == dialect and kind.has(rule)]
            chosen = tuple(name for name in (PAPER, *libraries) if references is None or name in references)
            if chosen and (dialects is None or dialect in dialects):
                claims.append(_about_core(rule, dialect, chosen, (settings or {}).get(rule)))
        lacking = [kind for kind in REFERENCES.values() if not kind.has(rule)]
        claims += [
            Lacking(rule, kind.dialect, (kind.name,))
            for kind in lacking
            if (references is None or kind.name in references) and (dialects is None or kind.dialect in dialects)
        ]
    if not claims:
        wanted = ", ".join(references or ())
        raise InputError(f"{wanted} computes none of the dialects {', '.join(dialects or ())}.")
    return claims


def _about_core(
    rule: str, dialect: str, references: tuple[str, ...], settings: Mapping[str, Any] | None = None
) -> Claim:
    schedule = Falling(FORMULAS[rule][dialect].settings["learning_rate"])
    revealing = map(Case, CARDS[rule].revealed(dialect))
    given = {name: v for name, v in (settings or {}).items() if name in FORMULAS[rule][dialect].decided}
    own = [Case({}), Case(given)] if given else [Case({})]
    cases = (*own, *revealing, Case({**CARDS[rule].scheduled, "learning_rate": schedule}, drawn=True))
    return Claim(
        rule,
        _formula(rule, dialect),
        lambda settings: known(rule, dialect, settings).rule,
        cases,
        references,
        dialect,
    )


def _formula(rule: str, dialect: str) -> Callable[[Mapping[str, Any]], Expected]:
    return lambda settings: Expected.of(known(rule, dialect, settings), settings)


def verify(
    subject: Any,
    reference: Any,
    *,
    slots: Mapping[str, float] | None = None,
    settings: Mapping[str, float] | None = None,
    returns: Returned = "delta",
    dtypes: Sequence[str] | None = None,
    executions: Sequence[str] = EXECUTIONS,
    streams: Callable[[str], Streams] = synthetic,
    name: str | None = None,
) -> list[Row]:
    """Judges a user's own implementation against a reference: a row for each dtype and execution.

        verify(MyAdam, "keras:adam")
        verify(keras.optimizers.Adam(epsilon=1e-3), "adam:keras")
        verify(torch.optim.Adam, Adam(0.001))
        verify(update, "torch:adam", settings={"learning_rate": 0.01})
        verify(MyRule, "itself")

    See `claim` for what may be judged, and against what. Rules run in the given executions of `Program`; a Keras
    optimizer eagerly and as a graph; all else as it is, called once a step, a function once a tensor of each step.

    dtypes:  "float32", "float64"; where None, those of them in which the reference can be asked. Of a Rule
             "bfloat16" and "float16" too, by float32 masters.
    streams: gradients for a dtype. All their steps are followed, except in the executions that `MOST_STEPS` limits.

    Raises InputError for an unknown subject or reference, and for a subject that fails. Against the rule of a library
    that is not installed, the verdict is "missing".
    """
    if dtypes is not None and not dtypes:
        raise InputError(f"At least one dtype is needed, of {', '.join(DTYPES)}.")
    for dtype in dtypes or ():
        if dtype not in (known := (*DTYPES, *NARROW)):
            raise InputError(f"There is no dtype {dtype!r} here; there are: {', '.join(known)}.", dtype, known)
    what = claim(subject, reference, name, slots, settings, returns)
    chosen = [dtype for dtype in DTYPES if what.can_be_asked(dtype)] if dtypes is None else dtypes
    rows = []
    for dtype in chosen:
        gradients = streams(dtype)
        if not isinstance(gradients, Streams) or gradients.dtype != dtype:
            raise InputError(f"streams must return Streams of {dtype} when asked for it, found {gradients!s:.60}.")
        rows += what.rows(gradients, executions)
    return rows


def claim(
    subject: Any,
    reference: Any,
    name: str | None = None,
    slots: Mapping[str, float] | None = None,
    settings: Mapping[str, float] | None = None,
    returns: Returned = "delta",
) -> Claim:
    """The claim that a user's own implementation computes what a reference does.

    subject:   a Rule; a Keras or PyTorch optimizer; a class of these; an Optax transformation; or a function
               update(g, slots, t, x) → (Δ, new slots) of NumPy arrays, with slots as dictionaries.
    reference: a library's rule, "keras:adam"; the formula of one of our dialects, "adam:keras"; a Rule; any optimizer
               of a library, also as "keras:SGD(momentum=0.9)"; a function like the above; or "itself", for a Rule: the
               same rule in a wider dtype, on numbers that carry their rounding errors; for a chain, the formulas of its
               parts.
    slots:     for a function, the value of each slot before the first step; where None, those of the reference.
    settings:  for a function, the numbers that it uses, by our rules' names, such as beta_1; where None, those of the
               reference. It is judged with others too where it takes them as keywords.
    returns:   "x" for a function that returns the parameter after the step in place of Δ.

    A formula is given the subject's settings of the same names, or keeps its own where it is an optimizer. Slots are
    compared by name, or in their order where names differ.

    Raises InputError for what is none of these.
    """
    name = name or str(getattr(subject, "__name__", type(subject).__name__))
    subject = made(subject)
    if isinstance(subject, Chain) and reference == ITSELF:
        return own_chain_claim(name, subject)
    judge = resolved(reference, subject, slots)
    one = implementation(subject, name, Given(slots, settings, returns), judge)
    if isinstance(judge, Implementation):
        return _against_statement(name, one, judge, reference)
    if isinstance(one, OfRule):
        return _rule_against_formula(name, one.rule, judge)
    return _other_against_formula(name, one, judge)


def _rule_against_formula(name: str, subject: Rule, reference: FormulaReference) -> Claim:
    """With the rule's own settings, with revealing ones of those that it has, with a schedule; or with those decided.

    The slots start from drawn values too.
    """
    rule, dialect, library, decided = reference
    formula = FORMULAS[rule][dialect]
    mine = sorted({field.name for field in fields(subject)} & formula.settings.keys())
    numbers = {}
    for setting in mine:
        value = getattr(subject, setting)
        if not isinstance(value, Real):
            raise InputError(f"{name}: {setting} must be a number to be judged, found {type(value).__name__}.")
        if setting not in formula.absent or value != 0:
            numbers[setting] = float(value)
    if decided is not None:
        own, cases = decided, [Case(decided), Case(decided, drawn=True)]
    else:
        own = numbers
        shown = [{n: value for n, value in one.items() if n in mine} for one in CARDS[rule].revealed(dialect)]
        schedule = {"learning_rate": Falling(own["learning_rate"])} if _takes_schedules(subject, own) else {}
        cases = [Case(own), *(Case({**own, **one}) for one in shown if one), Case({**own, **schedule}, drawn=True)]

    def with_settings(settings: Mapping[str, Any]) -> Rule:
        if settings == own:
            return subject
        changed = replace(subject, **settings)
        for setting, value in settings.items():
            if getattr(changed, setting) != value:
                raise InputError(f"{name}: {setting} was set to {value} and is {getattr(changed, setting)}.")
        return changed

    foreign = _foreign(rule, dialect, numbers)
    narrow = decided is not None and library in REFERENCES and REFERENCES[library].narrow_settings
    return Claim(name, _formula(rule, dialect), with_settings, tuple(cases), (library,), dialect, foreign, narrow)


def _takes_schedules(rule: Rule, settings: Mapping[str, Any]) -> bool:
    """Whether its learning rate is one that may be a schedule, and a step with one can be taken at all."""
    if "learning_rate" not in notes(type(rule), Interval) or "learning_rate" not in settings:
        return False
    g = np.ones(2)
    try:
        scheduled = replace(rule, learning_rate=Falling(settings["learning_rate"]))
        scheduled.step(g, scheduled.slots(g), g, At(np.float64(1)))
    except Exception:  # a user's own rule; where it fails without a schedule too, the judge says so
        return False
    return True


def _other_against_formula(name: str, one: OfFunction | OfOptimizer, reference: FormulaReference) -> Claim:
    """With the settings that it has, as far as they are known, or with the reference's, and with revealing ones."""
    rule, dialect, library, decided = reference
    formula = FORMULAS[rule][dialect]
    if isinstance(one, OfOptimizer):
        _check_judgeable(name, one, f"{rule}:{dialect}")
    names = [n for n in formula.settings if n not in formula.absent]
    own = decided if decided is not None else {n: v for n, v in one.settings.items() if n in names}
    takes = one.takes if isinstance(one, OfFunction) else tuple(one.kind.settings_of(one.optimizer))
    cases = [Case(own)]
    if decided is None:
        shown = [{n: value for n, value in more.items() if n in takes} for more in CARDS[rule].revealed(dialect)]
        cases += [Case({**own, **more}) for more in shown if more]
    if not formula.begins:  # a library that is given slots takes no step for its first
        cases.append(Case(own, drawn=True))

    def with_settings(settings: Mapping[str, Any]) -> Implementation:
        changes = {n: value for n, value in settings.items() if n in takes and value != one.settings.get(n)}
        return one.changed(changes) if changes and decided is None else one

    foreign = one.known or _foreign(rule, dialect, own)
    return Claim(
        name, _formula(rule, dialect), with_settings, tuple(cases), (library,), dialect, foreign, one.narrow_settings
    )


def _check_judgeable(name: str, one: OfOptimizer, reference: str) -> None:
    """Refuses what a formula of ours does not have."""
    if options := one.options:
        described = one.kind.described(one.optimizer)
        raise InputError(
            f"{name}: {described} with {said(options)} is more than {reference}: judge it against the library's own, "
            f"such as {one.kind.package}:{type(one.optimizer).__name__}({said(options)})."
        )
    if one.kind.configuration(one.optimizer) and "learning_rate" not in one.settings:
        raise InputError(f"{name}: the learning rate must be a number to be judged by {reference}, found a schedule.")


def _foreign(rule: str, dialect: str, settings: Mapping[str, Any]) -> Known:
    """What is known of a user's own implementation: its settings.

    It may round β before it raises it to the power t, or not, whatever the dialect does: half a unit a step.
    """
    one = known(rule, dialect, settings)
    return one._replace(formula=replace(one.formula, running=True))


def _against_statement(
    name: str, one: OfRule | OfFunction | OfOptimizer, reference: Implementation, given: Any
) -> Claim:
    """As it is, from its own slots and from drawn ones, against what an implementation states."""
    statement = stated_by(reference)
    label = given if isinstance(given, str) else reference.name
    expected = Expected(reference.name, statement, reference)
    subject = one.rule if isinstance(one, OfRule) else one
    narrow = one.narrow_settings or reference.narrow_settings
    cases = (Case({}), Case({}, drawn=True))
    return Claim(name, lambda _: expected, lambda _: subject, cases, (label,), narrow=narrow)
