"""What can be claimed and judged: that core's rules compute what the libraries do, or that somebody's own rule does."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from numbers import Real
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from ..errors import InputError
from ..rules import RULES, Rate, Rule
from .certificate import DTYPES, EXECUTIONS, Claim, Row
from .formulas import FORMULAS
from .implementations import (
    Implementation,
    Known,
    OfFunction,
    OfOptimizer,
    OfRule,
    Returned,
    known,
    library_of,
)
from .references import LIBRARIES, REFERENCES
from .references.reference import construction_named
from .statements import stated_by
from .streams import Streams, synthetic
from .trial import PAPER, Case, Expected

REVEALING: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "adam": (dict(learning_rate=2.0**-5, beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7),),
    "adagrad": (dict(learning_rate=2.0**-3, initial_accumulator_value=2.0**-20, epsilon=2.0**-7),),
    "adadelta": (dict(learning_rate=0.5, rho=1 - 2.0**-10, epsilon=2.0**-7), dict(rho=0.999)),
    "sgd": (dict(learning_rate=2.0**-3),),
}
"""Settings beside a library's own, chosen to show what those hide: a large ε, an accumulator that starts small, a rate
that is not 1. The first set is dyadic, so that it means the same to a library that keeps settings in float32; the
second shows where 1 − ρ is rounded, which 0.95 hides."""

ITSELF = "itself"
"""The reference that is the subject's own rule, in NumPy and a wider dtype."""


@dataclass(frozen=True)
class Falling:
    """A schedule to judge with: α / (1 + s/8) after s steps, which is another rate at every step."""

    rate: float

    def __call__(self, step: Any) -> Any:
        return self.rate / (1 + step / 8)

    def __str__(self) -> str:
        return f"{self.rate:g} / (1 + s/8)"


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
    schedule = Falling(FORMULAS[rule][dialect].settings["learning_rate"])
    cases = ({}, *_revealing(rule, dialect)), Case({"learning_rate": schedule}, drawn=True)
    return Claim(
        rule,
        _formula(rule, dialect),
        lambda settings: known(rule, dialect, settings).rule,
        (*map(Case, cases[0]), cases[1]),
        references,
        dialect,
    )


def _formula(rule: str, dialect: str) -> Callable[[Mapping[str, Any]], Expected]:
    return lambda settings: Expected.of(known(rule, dialect, settings))


def _revealing(rule: str, dialect: str) -> list[dict[str, float]]:
    """Without what the dialect lacks."""
    absent = FORMULAS[rule][dialect].absent
    return [{n: value for n, value in settings.items() if n not in absent} for settings in REVEALING[rule]]


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
    """Judges somebody's own implementation against a reference: a row for each dtype and execution.

        verify(MyAdam, "keras:adam")
        verify(keras.optimizers.Adam(epsilon=1e-3), "adam:keras")
        verify(torch.optim.Adam, Adam(0.001))
        verify(update, "torch:adam", settings={"learning_rate": 0.01})
        verify(MyRule, "itself")

    See `claim` for what may be judged, and against what. Rules run in the given executions of `Program`; a Keras
    optimizer eagerly and as a graph; all else as it is, called once a step, a function once a tensor of each step.

    dtypes:  "float32", "float64"; where None, those of them in which the reference can be asked.
    streams: gradients for a dtype. All their steps are followed, but in the executions that `STEPS` limits.

    Raises InputError for an unknown subject or reference, a reference that is not installed, and a subject that fails.
    """
    if dtypes is not None and not dtypes:
        raise InputError(f"At least one dtype is needed, of {', '.join(DTYPES)}.")
    for dtype in dtypes or ():
        if dtype not in DTYPES:
            raise InputError(f"There is no dtype {dtype!r} here; there are: {', '.join(DTYPES)}.")
    what = claim(subject, reference, name, slots, settings, returns)
    chosen = [dtype for dtype in DTYPES if what.can_be_asked(dtype)] if dtypes is None else dtypes
    rows = []
    for dtype in chosen:
        gradients = streams(dtype)
        if not isinstance(gradients, Streams) or gradients.gradients.dtype != dtype:
            raise InputError(f"streams must give Streams of {dtype} when asked for it, found {gradients!s:.60}.")
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
    """The claim that somebody's own implementation computes what a reference does.

    subject:   a Rule; a Keras or PyTorch optimizer; a class of these; an Optax transformation; or a function
               update(g, slots, t, x) → (Δ, new slots) of NumPy arrays, with slots as dictionaries.
    reference: a library's rule, "keras:adam"; the formula of one of our dialects, "adam:keras"; a Rule of ours; any
               optimizer of a library, also as "keras:SGD(momentum=0.9)"; a function like the above; or "itself", a rule
               or function run in a wider dtype on numbers that carry their rounding errors.
    slots:     for a function, the value of each slot before the first step; where None, those of the reference.
    settings:  for a function, the numbers that it uses, by our rules' names, such as beta_1; where None, those of the
               reference. It is judged with others too where it takes them as keywords.
    returns:   "x" for a function that returns the parameter after the step in place of Δ.

    A formula is given the subject's settings of the same names, or keeps its own where it is an optimizer. Slots are
    compared by name, or in their order where names differ.

    Raises InputError for what is none of these.
    """
    name = name or str(getattr(subject, "__name__", type(subject).__name__))
    subject = _made(subject)
    resolved = _resolved(reference, subject, slots)
    if isinstance(resolved, Implementation):
        one = _implementation(subject, slots, settings, returns, lambda: resolved.first(np.zeros(1)))
        return _against_statement(name, one, resolved, reference)
    if isinstance(subject, Rule):
        return _rule_against_formula(name, subject, resolved)
    formula = FORMULAS[resolved.rule][resolved.dialect].given(settings or {})
    asked = {name: value for name, value in formula.settings.items() if name not in formula.absent}
    one = _implementation(subject, slots, settings, returns, lambda: formula.first(np.zeros(1)), asked)
    return _other_against_formula(name, one, resolved)


class _Formula(NamedTuple):
    """A reference that has a formula: rule, dialect, name among the references, the settings where it decides them."""

    rule: str
    dialect: str
    library: str
    decided: dict[str, Any] | None = None


def _resolved(reference: Any, subject: Any, slots: Mapping[str, float] | None) -> _Formula | Implementation:
    """What is to be the reference: a formula, alone or with a library, or an implementation that states it."""
    if isinstance(reference, str):
        return _named(reference, subject)
    reference = _made(reference)
    if isinstance(reference, Rule):
        return _dialect_of(reference) or OfRule(type(reference).__name__, reference)
    if (kind := library_of(reference)) is not None:
        rule, one = kind.rule_of(reference), OfOptimizer(reference)
        if rule is None:
            return one
        own = {n: v for n, v in one.settings.items() if n in FORMULAS[rule][kind.dialect].settings}
        return _Formula(rule, kind.dialect, kind.package, own)
    if not callable(reference):
        raise InputError(f"A reference must be a name, a Rule, an optimizer or a function, found {reference!r}.")
    if slots is None and isinstance(subject, Rule):
        slots = {n: float(np.ravel(v)[0]) for n, v in OfRule("", subject).first(np.zeros(1)).items()}
    if slots is None:
        raise InputError("A function as reference needs slots: the number that each starts with, by name.")
    return OfFunction(reference, slots)


def _named(reference: str, subject: Any) -> _Formula | Implementation:
    first, _, second = reference.partition(":")
    if reference == ITSELF:
        if not isinstance(subject, Rule):
            raise InputError("Only a rule can be judged against itself: a function or optimizer has one way to run.")
        return OfRule(ITSELF, subject)
    if first in FORMULAS:
        if second not in FORMULAS[first]:
            raise InputError(f"{first} has no dialect {second!r}; it has: {', '.join(FORMULAS[first])}.")
        return _Formula(first, second, PAPER)
    if first == PAPER and second.lower() in FORMULAS:
        return _Formula(second.lower(), PAPER, PAPER)
    if first not in REFERENCES:
        raise InputError(
            f"There is no reference {reference!r}; give library:rule or rule:dialect, from "
            f"{', '.join((PAPER, *REFERENCES))} and {', '.join(RULES)}."
        )
    if not second:
        raise InputError(f"The reference {reference!r} must name a rule: {first}:RULE, of {', '.join(RULES)}.")
    if second.lower() not in RULES:
        return OfOptimizer(_called(first, second), reference)
    kind = library_of(subject)
    if kind is not None and first in LIBRARIES and (options := OfOptimizer(subject).options):
        if kind is not LIBRARIES[first]:
            raise InputError(f"{_said(options)} of {kind.described(subject)} is not what {reference} computes.")
        parent = kind.copied(subject, {}, second.lower())
        return OfOptimizer(parent, f"{first}:{type(parent).__name__}({_said(options)})")
    return _Formula(second.lower(), REFERENCES[first].dialect, first)


def _said(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def _called(library: str, call: str) -> Any:
    """An optimizer of a library as a person calls it, "SGD(momentum=0.9)", with numbers, texts and the like alone."""
    if library not in LIBRARIES:
        raise InputError(f"{library}:{call}: {library} has the rules {', '.join(RULES)} alone.")
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


def _dialect_of(rule: Rule) -> _Formula | None:
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
            return _Formula(name, dialect, PAPER, numbers)
    return None


def _rule_against_formula(name: str, subject: Rule, reference: _Formula) -> Claim:
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
        shown = [{n: value for n, value in one.items() if n in mine} for one in _revealing(rule, dialect)]
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
    if get_type_hints(type(rule), include_extras=True).get("learning_rate") != Rate or "learning_rate" not in settings:
        return False
    g = np.ones(2)
    try:
        scheduled = replace(rule, learning_rate=Falling(settings["learning_rate"]))
        scheduled.update(g, scheduled.slots(g), np.float64(1), g)
    except Exception:  # somebody's own rule; where it fails otherwise too, that is said when it is judged
        return False
    return True


def _other_against_formula(name: str, one: OfFunction | OfOptimizer, reference: _Formula) -> Claim:
    """With the settings that it has, as far as they are known, or with the reference's, and with revealing ones."""
    rule, dialect, library, decided = reference
    formula = FORMULAS[rule][dialect]
    if isinstance(one, OfOptimizer):
        _check_judgeable(name, one, f"{rule}:{dialect}")
    names = [n for n in formula.settings if n not in formula.absent]
    own = decided if decided is not None else {n: v for n, v in one.settings.items() if n in names}
    takes = one.takes if isinstance(one, OfFunction) else tuple(one.settings)
    cases = [Case(own)]
    if decided is None:
        shown = [{n: value for n, value in more.items() if n in takes} for more in _revealing(rule, dialect)]
        cases += [Case({**own, **more}) for more in shown if more]
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
            f"{name}: {described} with {_said(options)} is more than {reference}: judge it against the library's own, "
            f"such as {one.kind.package}:{type(one.optimizer).__name__}({_said(options)})."
        )
    if one.kind.configuration(one.optimizer) and "learning_rate" not in one.settings:
        raise InputError(f"{name}: the learning rate must be a number to be judged by {reference}, found a schedule.")


def _foreign(rule: str, dialect: str, settings: Mapping[str, Any]) -> Known:
    """What is known of somebody's own implementation: its settings.

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


def _made(subject: Any) -> Any:
    """An instance, where a class is given, with its own defaults. A rule's learning rate is 0.001 where it has none."""
    if not isinstance(subject, type):
        return subject
    if issubclass(subject, Rule):
        return built(subject, 1e-3)
    kind = library_of(subject)
    try:
        return subject() if kind is None else kind.made(subject, {})
    except Exception as error:  # it may be any class
        raise InputError(f"{subject.__name__} cannot be built: {type(error).__name__}: {error}.") from error


def built(kind: type[Rule], learning_rate: float) -> Rule:
    """A rule with its own defaults; at another learning rate where it has none. Raises InputError where that fails."""
    settings: dict[str, Any] = {}
    if any(field.name == "learning_rate" and field.default is MISSING for field in fields(kind)):
        settings["learning_rate"] = learning_rate
    try:
        return kind(**settings)
    except TypeError as error:
        raise InputError(f"{kind.__name__} cannot be built: {error}.") from error


def _implementation(
    subject: Any,
    slots: Mapping[str, float] | None,
    settings: Mapping[str, float] | None,
    returns: Returned,
    first: Callable[[], Mapping[str, Any]],
    asked: Mapping[str, float] | None = None,
) -> Any:
    """The subject as an implementation; `first` returns the reference's slots before the first step.

    asked: the reference's settings, which a function may take as keywords.
    """
    if isinstance(subject, Rule):
        return OfRule(type(subject).__name__, subject)
    if library_of(subject) is not None:
        return OfOptimizer(subject)
    if not callable(subject):
        raise InputError(
            f"What is judged must be a Rule, an optimizer of {', '.join(LIBRARIES)} or a function, found {subject!r}."
        )
    if returns not in ("delta", "x"):
        raise InputError(f"returns must be 'delta' or 'x', found {returns!r}.")
    if slots is None:
        slots = {name: float(np.ravel(value)[0]) for name, value in first().items()}
    for what, numbers in (("slots", slots), ("settings", settings or {})):
        if not isinstance(numbers, Mapping) or not all(isinstance(value, int | float) for value in numbers.values()):
            raise InputError(f"{what} must be numbers by name, found {numbers!s:.60}.")
    return OfFunction(subject, slots, settings, returns, asked=asked)
