"""A rule's formula, found by running the rule itself on sympy symbols."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Symbol, evaluate, sympify, true

from core import At, Rule
from core.engine.checks import slots_of
from core.mistakes import mistakes_in
from core.rules import Letter, named, refilled
from core.rules.part import Part
from core.rules.settings import Interval, notes

from .lines import SAID, Equation, Lines, Section
from .names import Names, slot_notes
from .notation import Sign
from .tidying import computed, readable
from .walk import leaves, setting_name, walked, with_parts

__all__ = ["Equation", "Formula", "Section", "first_slots", "formula"]

SCHEDULES = "schedules"
"""The name of the section of settings that follow the step."""


@dataclass(frozen=True)
class Formula:
    """The equations of one step, in an order in which they can be computed.

    The last two of a rule by itself are Δ and θ ← θ − Δ, or θ and Δ of one that returns the parameter.

    sections:   the equations, by part.
    signs:      how each symbol is written.
    settings:   the symbols of the numbers by name, "clip_by_norm.limit" in a piece; one that is 0 has none, and is left
                out.
    numbers:    their values, by the same names.
    scheduled:  the symbols of the settings that follow the step, by name.
    given:      the symbols of gradient, step and parameter before the step: "gradient", "t", "parameter"; and "norm_g"
                where the norm of all gradients is read.
    old:        the symbols of the slots before the step, by name.
    of_t_alone: the names of values that the step's number and the settings decide.
    unused:     the names of stages that nothing but stages is computed from.
    """

    sections: tuple[Section, ...]
    signs: Mapping[Symbol, Sign]
    settings: Mapping[str, Symbol]
    numbers: Mapping[str, float]
    scheduled: Mapping[str, Symbol]
    given: Mapping[str, Symbol]
    old: Mapping[str, Symbol]
    of_t_alone: frozenset[str]
    unused: frozenset[str]

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Those of all sections."""
        return tuple(one for section in self.sections for one in section.equations)


def formula(rule: Rule) -> Formula:
    """The formula of a rule, or a chain, with its settings of form; its numbers are symbols.

    Raises InputError for a rule that does not run on symbols, and for groups of variables.
    """
    names, parts = Names(), {}
    settings: dict[str, Symbol] = {}
    numbers: dict[str, float] = {}
    schedules: dict[str, tuple[Part, Callable[[Any], Any]]] = {}
    for path, part in leaves(rule):
        own = {name: setting_name(path, part, name) for name in vars(part)}
        plain = {name: of for name, of in vars(part).items() if isinstance(of, float) and of}
        follow = {name: of for name, of in vars(part).items() if callable(of) and name in notes(type(part), Interval)}
        symbols = {name: names.of_setting(part, name, "t" if name in follow else "") for name in {**plain, **follow}}
        parts[path] = replace(part, **symbols)
        settings |= {own[name]: symbols[name] for name in symbols}
        numbers |= {own[name]: value for name, value in plain.items()}
        schedules |= {own[name]: (part, of) for name, of in follow.items()}
    scheduled = {name: settings.pop(name) for name in schedules}
    given = {"gradient": names.of("gradient", "t"), "t": names.add(Sign("t", "t")),
             "parameter": names.of("parameter", "t-1")}  # fmt: skip
    after = names.of("parameter", "t")
    if rule.reads_norm:
        given["norm_g"] = names.of("norm_g", "t")
    first = first_slots(rule, 0.0)
    own_letters = slot_notes(first, Letter)
    old = {slot: names.of(slot.rpartition(".")[2], "t-1", own_letters.get(slot)) for slot in named(first)}
    lines = Lines(names, old, {given["t"], *settings.values(), *scheduled.values()})
    at = At(given["t"], given.get("norm_g"))
    with evaluate(False):  # which keeps every operation as the rule wrote it
        for name, (part, of) in schedules.items():
            with mistakes_in(part, said=SAID):
                value = sympify(of(before := given["t"] - 1)).xreplace({before >= 0: true})
            lines.add(SCHEDULES, Equation("setting", name, scheduled[name], readable(computed(value))))
        symbolic = with_parts(rule, parts)
        walked(symbolic, given["gradient"], refilled(first, old), given["parameter"], at, lines.of_turn, SAID)
        sections = lines.finished(given["parameter"], after)
    found = [one for section in sections for one in section.equations]
    return Formula(sections, names.signs, settings, numbers, scheduled, given, old, frozenset(lines.of_t_alone),
                   _unused(found))  # fmt: skip


def _unused(equations: Iterable[Equation]) -> frozenset[str]:
    """The names of stages that neither Δ nor a slot is computed from."""
    used: set[Any] = set()
    for one in reversed(list(equations)):
        if one.kind != "stage" or one.symbol in used:
            used |= one.expression.free_symbols
    return frozenset(one.name for one in equations if one.kind == "stage" and one.symbol not in used)


def first_slots(rule: Rule, parameter: float) -> Any:
    """The slots before the first step, for one coordinate, in float64. Raises InputError where they are none."""
    slots = slots_of(rule, np.array([[parameter]]))
    with mistakes_in(rule, method="slots"):
        return refilled(slots, {name: np.asarray(value, np.float64) for name, value in named(slots).items()})
