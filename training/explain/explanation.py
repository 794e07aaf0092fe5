"""All that is to be said of a rule, before it is shown anywhere."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from core import RULES, InputError, Rule

from ..rule_choice import choose_rule, rule_settings
from .dialects import OtherForm, Rounding, default_rate, in_all_dialects, other_forms, rounding_only
from .formula import Formula, first_slots, formula
from .notation import Sign
from .worked import WorkedStep, worked

EXAMPLE_RATE = 0.01
"""For the worked steps, where a learning rate is asked for and none is given."""


class Slot(NamedTuple):
    """A slot, how it is written, what its docstring says of it, and its value before the first step."""

    name: str
    sign: Sign
    meaning: str
    first: float


@dataclass(frozen=True)
class Explanation:
    """A rule in one dialect, explained.

    dialect:    None for a rule that has none.
    rate_given: whether the learning rate is the dialect's or the user's, not the example's.
    formula:    the rule's, with its settings of form.
    formulas:   that one and those of the other dialects, by dialect; "default" where the rule has none.
    settings:   every setting by name: its value here and in the other dialects; None for a rate that is asked for.
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
    forms: tuple[OtherForm, ...]
    rounding: tuple[Rounding, ...]
    slots: tuple[Slot, ...]
    parameter: float
    steps: tuple[WorkedStep, ...]

    @property
    def title(self) -> str:
        return f"{type(self.rule).__name__}, {self.dialect}" if self.dialect else type(self.rule).__name__

    @property
    def paragraphs(self) -> list[str]:
        """The prose of the rule's docstring: what it is first, then its source, then who computes what."""
        return _prose(type(self.rule))

    def sources(self) -> dict[str, str]:
        """Where each dialect is written down, the one shown first."""
        dialects = type(self.rule).DIALECTS
        return {name: dialects[name].source for name in self.formulas if name in dialects}


def explain(
    name: str,
    dialect: str | None = None,
    settings: Mapping[str, float] | None = None,
    gradients: Sequence[float] = (0.5, -1.0),
    parameter: float = 1.0,
) -> Explanation:
    """Explains a rule in a dialect, the paper's unless another is named; see `choose_rule` for names.

    settings:  numbers of the rule that are not to be the dialect's own.
    gradients: of the worked steps, one a step, for one coordinate, which starts at `parameter`.

    Raises InputError for what is not there, cannot be, or does not run on symbols.
    """
    given = dict(settings or {})
    if dialect is None and name in RULES:
        dialect = next(iter(RULES[name].DIALECTS), None)
    rule = choose_rule(name, dialect, given.get("learning_rate", EXAMPLE_RATE))
    rate = given.get("learning_rate") or default_rate(type(rule), dialect)
    rule = _with(rule, given | ({} if rate is None else {"learning_rate": rate}))
    shown = formula(rule)
    here = dialect or "default"
    others = {one: other for one, other in in_all_dialects(type(rule), EXAMPLE_RATE).items() if one != dialect}
    formulas = {here: shown} | {one: formula(other) for one, other in others.items()}
    return Explanation(
        name,
        rule,
        dialect,
        rate is not None,
        shown,
        formulas,
        _settings(here, rule, rate, others),
        other_forms(shown, {one: formulas[one] for one in others}),
        rounding_only(rule, {here: rule} | others),
        _slots(rule, shown, parameter),
        parameter,
        worked(rule, shown, gradients, parameter),
    )


def _with(rule: Rule, settings: Mapping[str, Any]) -> Rule:
    there = [field.name for field in fields(rule)]
    for name in settings:
        if name not in there:
            raise InputError(f"{type(rule).__name__} has no setting {name!r}; it has: {', '.join(there)}.", name, there)
    return replace(rule, **settings)


def _settings(here: str, rule: Rule, rate: Any, others: Mapping[str, Rule]) -> dict[str, dict[str, Any]]:
    columns = {one: rule_settings(of) for one, of in {here: rule, **others}.items()}
    rows = {field.name: {one: of[field.name] for one, of in columns.items()} for field in fields(rule)}
    asked = {one for one, of in others.items() if default_rate(type(of), one) is None} | (
        {here} if rate is None else set()
    )
    return rows | {"learning_rate": {one: None if one in asked else v for one, v in rows["learning_rate"].items()}}


def _slots(rule: Rule, shown: Formula, parameter: float) -> tuple[Slot, ...]:
    first = first_slots(rule, parameter)
    meanings = _meanings(type(first))
    return tuple(
        Slot(name, shown.signs[symbol].at("t"), meanings.get(name, ""), float(getattr(first, name).ravel()[0]))
        for name, symbol in shown.old.items()
    )


def _meanings(slots: Any) -> dict[str, str]:
    """What the docstring of a NamedTuple says of its fields: "m: running mean; v: running mean of the square"."""
    if not slots._fields:
        return {}
    parts = re.split(rf"\b({'|'.join(slots._fields)}):\s", inspect.getdoc(slots) or "")
    return {name: " ".join(text.split()).rstrip(";. ") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _prose(kind: type[Rule]) -> list[str]:
    """Paragraphs of the class's docstring, but for formulas, settings, shapes and stages, which are shown otherwise."""
    apart = re.compile(r"\s|\w+: |Any shape|Stages:")
    paragraphs = (inspect.getdoc(kind) or "").split("\n\n")
    prose = [" ".join(one.split()) for index, one in enumerate(paragraphs) if index == 0 or not apart.match(one)]
    return [re.sub(r":$", ".", re.sub(r"\s*With [^.]*:$", "", one)) for one in prose]
