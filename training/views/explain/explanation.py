"""All that is to be said of a rule, before it is shown anywhere."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core import RULES, Chain, Rule
from core.mistakes import mistakes_in
from core.rules import Piece, named, refilled
from core.rules.settings import notes

from ...runs.around import Around
from ...runs.building import build_rule, served_as
from ...runs.rule_choice import is_instance, kind_of, lowered, rule_settings, typed
from .dialects import OtherForm, Rounding, default_rate, other_forms, rounding_only
from .formula import Formula, first_slots, formula
from .lines import SAID
from .names import slot_notes
from .notation import Sign, in_unicode
from .walk import leaves, setting_name
from .worked import WorkedStep, worked

ALONE = Around()
HERE = "here"
"""The column of the settings that the user gave, beside the dialect's own."""

EXAMPLE_RATE = 0.01
"""For the worked steps, where a learning rate is asked for and none is given."""


class Slot(NamedTuple):
    """A slot, how it is written, what it holds, and its value before the first step."""

    name: str
    sign: Sign
    meaning: str
    first: float


class Link(NamedTuple):
    """A part of a chain: its name, on which variables it acts, in words, and what it is; all where `on` is empty."""

    name: str
    on: str
    what: str


@dataclass(frozen=True)
class Explanation:
    """A rule in one dialect, with what is around it, explained.

    dialect:    None for a rule that has none.
    rate_given: whether the learning rate is the dialect's or the user's, not the example's.
    formula:    the rule's, with its settings of form.
    formulas:   that one and those of the other dialects, by dialect; "default" where the rule has none.
    settings:   every setting by name: its value here, where the user gave settings (as "here"), in this dialect and in
                the others; None for a rate that is asked for.
    meanings:   what the rule says of its settings, by name.
    forms:      where the other dialects' formulas differ.
    rounding:   the settings in which dialects differ on no paper.
    parameter:  of the coordinate of the worked steps, before the first of them.
    """

    name: str
    rule: Rule
    dialect: str | None
    rate_given: bool
    formula: Formula
    formulas: Mapping[str, Formula]
    settings: Mapping[str, Mapping[str, Any]]
    meanings: Mapping[str, str]
    forms: tuple[OtherForm, ...]
    rounding: tuple[Rounding, ...]
    slots: tuple[Slot, ...]
    parameter: float
    steps: tuple[WorkedStep, ...]

    @property
    def kind(self) -> type[Rule]:
        """The class of the rule, in a chain of the one in the middle."""
        return next(type(part) for _, part in leaves(self.rule) if isinstance(part, Rule))

    @property
    def title(self) -> str:
        return f"{self.kind.__name__}, {self.dialect}" if self.dialect else self.kind.__name__

    @property
    def paragraphs(self) -> list[str]:
        """The prose of the rule's docstring: what it is first, then its source, then who computes what."""
        return _prose(self.kind)

    @property
    def links(self) -> tuple[Link, ...]:
        """The parts of a chain in the order in which they act; none of a rule by itself."""
        parts = leaves(self.rule) if isinstance(self.rule, Chain) else ()
        return tuple(Link(path, _on(part) if isinstance(part, Piece) else "", what(type(part))) for path, part in parts)

    def heading(self, section: str) -> str:
        """The name of a section of a formula, with the variables on which its part acts."""
        on = next((link.on for link in self.links if link.name == section), "")
        return f"{section}, on {on}" if on else section

    @property
    def remarks(self) -> list[str]:
        """What the formula leaves to be said of the norm, the variables and what is evaluated."""
        found, served = [], served_as(self.rule)
        if "norm_g" in self.formula.given:
            found.append(
                f"{self.formula.given['norm_g'].name} is the norm of the gradients of all variables together; "
                "in the steps on numbers, which have one coordinate, |g|."
            )
        if served:
            found.append(f"Evaluation and export use {in_unicode(self._served())}, {served}.")
        return found

    def _served(self) -> Any:
        """The parameter that evaluation uses, in symbols."""
        names, first = self.formula.signs, first_slots(self.rule, 0.0)
        slots = refilled(first, {name: names[symbol].at("t").symbol for name, symbol in self.formula.old.items()})
        with mistakes_in(self.rule, method="served", said=SAID):
            return self.rule.served(names[self.formula.given["parameter"]].at("t").symbol, slots)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the table of settings."""
        return tuple(self.settings["learning_rate"])

    def sources(self) -> dict[str, str]:
        """Where each dialect is written down, the one shown first."""
        dialects = self.kind.DIALECTS
        return {name: dialects[name].source for name in self.formulas if name in dialects}


def explain(
    name: str,
    dialect: str | None = None,
    settings: Mapping[str, str] | None = None,
    gradients: Sequence[float] = (0.5, -1.0),
    parameter: float = 1.0,
    around: Around = ALONE,
) -> Explanation:
    """Explains a rule in a dialect, the paper's unless another is named; see `choose_rule` for names.

    settings:  of the rule, that are not to be the dialect's own, as a person types them.
    gradients: of the worked steps, one a step, for one coordinate, which starts at `parameter`.
    around:    what stands around it, in the order and the form of each dialect.

    Raises InputError for what is not there, cannot be, or does not run on symbols.
    """
    name = lowered(name)
    if dialect is None and name in RULES:
        dialect = next(iter(RULES[name].DIALECTS), None)
    kind, given, here = kind_of(name), settings or {}, dialect or "default"
    usual = _built(around, name, dialect, {})
    rule = _built(around, name, dialect, given) if given else usual
    shown = formula(rule)
    spelled = kind.__name__.lower() if is_instance(name) and kind in RULES.values() else name
    others = {one: _built(around, spelled, one, {}) for one in kind.DIALECTS if one != dialect}
    formulas = {here: shown} | {one: formula(other) for one, other in others.items()}
    asked = {one for one in others if _asks(spelled, one)}
    asked |= {here, HERE} if _asks(name, dialect) else set()
    asked -= {HERE} if "learning_rate" in given else set()
    return Explanation(
        name,
        rule,
        dialect,
        (HERE if given else here) not in asked,
        shown,
        formulas,
        _settings({**({HERE: rule} if given else {}), here: usual, **others}, asked),
        _meanings(rule),
        other_forms(shown, {one: formulas[one] for one in others}),
        rounding_only(rule, {here: rule} | others),
        _slots(rule, shown, parameter),
        parameter,
        worked(rule, shown, gradients, parameter),
    )


def what(kind: type) -> str:
    """The first words of a class's docstring, without its name: what it is."""
    said, colon, rest = (inspect.getdoc(kind) or "").partition("\n\n")[0].partition(": ")
    said = rest if said == kind.__name__ and colon else said
    return " ".join(said.split()).partition(". ")[0].rstrip(".")


def _built(around: Around, name: str, dialect: str | None, settings: Mapping[str, str]) -> Rule:
    """The rule with what is around it, at the example's rate where one is asked for."""
    rate = typed(kind_of(name), settings).get("learning_rate")
    if rate is None and _asks(name, dialect):
        rate = EXAMPLE_RATE
    return build_rule(around, name, dialect, rate, {one: of for one, of in settings.items() if one != "learning_rate"})


def _asks(name: str, dialect: str | None) -> bool:
    """Whether a learning rate has to be given."""
    kind = kind_of(name)
    known = dialect is None or dialect in kind.DIALECTS
    return not is_instance(name) and known and default_rate(kind, dialect) is None


def _settings(rules: Mapping[str, Rule], asked: set[str]) -> dict[str, dict[str, Any]]:
    """Every setting of rules by column, the first of which is shown; those in `asked` ask for the learning rate."""
    columns = {one: _own_settings(of) for one, of in rules.items()}
    names = next(iter(columns.values()))
    rows = {name: {one: of[name] for one, of in columns.items()} for name in names}
    return rows | {"learning_rate": {one: None if one in asked else v for one, v in rows["learning_rate"].items()}}


def _own_settings(rule: Rule) -> dict[str, Any]:
    """Of all parts, the rule's first, by the names of the formula; masks are said in words."""
    found = [(path, part, rule_settings(part)) for path, part in _rule_first(rule)]
    return {
        setting_name(path, part, name): of for path, part, own in found for name, of in own.items() if name != "where"
    }


def _meanings(rule: Rule) -> dict[str, str]:
    found = [(path, part, notes(type(part), str)) for path, part in _rule_first(rule)]
    return {setting_name(path, part, name): said for path, part, of in found for name, said in of.items()}


def _rule_first(rule: Rule) -> list[tuple[str, Any]]:
    return sorted(leaves(rule), key=lambda part: not isinstance(part[1], Rule))


def _on(piece: Piece) -> str:
    if piece.where is None:
        return ""
    if name := getattr(piece.where, "__qualname__", None):
        return f"variables where {name} is true"
    said = str(piece.where)
    return said if said.startswith("all except") else f"{said} only"


def _slots(rule: Rule, shown: Formula, parameter: float) -> tuple[Slot, ...]:
    first = first_slots(rule, parameter)
    meanings = slot_notes(first, str)
    return tuple(
        Slot(name, shown.signs[symbol].at("t"), meanings.get(name, ""), float(value.ravel()[0]))
        for (name, value), symbol in zip(named(first).items(), shown.old.values(), strict=True)
    )


def _prose(kind: type[Rule]) -> list[str]:
    """Paragraphs of the class's docstring except its formulas, which are indented and shown otherwise."""
    paragraphs = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    return [" ".join(one.split()) for one in paragraphs if not one.startswith(" ")]
