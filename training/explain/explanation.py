"""All that is to be said of a rule, before it is shown anywhere."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from core import RULES, Rule
from core.rules import named
from core.rules.settings import notes

from ..rule_choice import choose_rule, is_instance, lowered, rule_settings, typed
from .dialects import OtherForm, Rounding, default_rate, in_all_dialects, other_forms, rounding_only
from .formula import Formula, first_slots, formula
from .notation import Sign
from .worked import WorkedStep, worked

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


@dataclass(frozen=True)
class Explanation:
    """A rule in one dialect, explained.

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
    def title(self) -> str:
        return f"{type(self.rule).__name__}, {self.dialect}" if self.dialect else type(self.rule).__name__

    @property
    def paragraphs(self) -> list[str]:
        """The prose of the rule's docstring: what it is first, then its source, then who computes what."""
        return _prose(type(self.rule))

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the table of settings."""
        return tuple(self.settings["learning_rate"])

    def sources(self) -> dict[str, str]:
        """Where each dialect is written down, the one shown first."""
        dialects = type(self.rule).DIALECTS
        return {name: dialects[name].source for name in self.formulas if name in dialects}


def explain(
    name: str,
    dialect: str | None = None,
    settings: Mapping[str, str] | None = None,
    gradients: Sequence[float] = (0.5, -1.0),
    parameter: float = 1.0,
) -> Explanation:
    """Explains a rule in a dialect, the paper's unless another is named; see `choose_rule` for names.

    settings:  of the rule, that are not to be the dialect's own, as a person types them.
    gradients: of the worked steps, one a step, for one coordinate, which starts at `parameter`.

    Raises InputError for what is not there, cannot be, or does not run on symbols.
    """
    name = lowered(name)
    if dialect is None and name in RULES:
        dialect = next(iter(RULES[name].DIALECTS), None)
    usual = choose_rule(name, dialect, None if is_instance(name) else EXAMPLE_RATE)
    own_rate = usual.learning_rate if is_instance(name) else default_rate(type(usual), dialect)
    rates = {"learning_rate": own_rate} if own_rate else {}
    given = typed(type(usual), settings or {})
    usual, rule, rates = replace(usual, **rates), replace(usual, **rates | given), rates | given
    shown = formula(rule)
    here = dialect or "default"
    others = {one: other for one, other in in_all_dialects(type(rule), EXAMPLE_RATE).items() if one != dialect}
    formulas = {here: shown} | {one: formula(other) for one, other in others.items()}
    return Explanation(
        name,
        rule,
        dialect,
        "learning_rate" in rates,
        shown,
        formulas,
        _settings({**({HERE: rule} if given else {}), here: usual, **others}, "learning_rate" in given),
        notes(type(rule), str),
        other_forms(shown, {one: formulas[one] for one in others}),
        rounding_only(rule, {here: rule} | others),
        _slots(rule, shown, parameter),
        parameter,
        worked(rule, shown, gradients, parameter),
    )


def _settings(rules: Mapping[str, Rule], rate_given: bool) -> dict[str, dict[str, Any]]:
    """Every setting of rules by column, the first of which is shown; `rate_given`: the user gave it a learning rate."""
    kind, columns = type(next(iter(rules.values()))), {one: rule_settings(of) for one, of in rules.items()}
    rows = {field.name: {one: of[field.name] for one, of in columns.items()} for field in fields(kind)}
    dialects = [one if one in kind.DIALECTS else None for one in rules]
    if HERE in rules:  # where the rate is the dialect's, unless given
        dialects[0] = dialects[1]
    asked = {one for one, dialect in zip(rules, dialects, strict=True) if default_rate(kind, dialect) is None}
    asked -= {HERE} if rate_given else set()
    return rows | {"learning_rate": {one: None if one in asked else v for one, v in rows["learning_rate"].items()}}


def _slots(rule: Rule, shown: Formula, parameter: float) -> tuple[Slot, ...]:
    first = first_slots(rule, parameter)
    meanings = notes(type(first), str)
    return tuple(
        Slot(name, shown.signs[symbol].at("t"), meanings.get(name, ""), float(value.ravel()[0]))
        for (name, value), symbol in zip(named(first).items(), shown.old.values(), strict=True)
    )


def _prose(kind: type[Rule]) -> list[str]:
    """Paragraphs of the class's docstring except its formulas, which are indented and shown otherwise."""
    paragraphs = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    return [" ".join(one.split()) for one in paragraphs if not one.startswith(" ")]
