"""What proves a rule, in one place: its formulas, who else computes it under which names, and what would be wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .formulas import Formula
from .mutants import Errors, Mutant, planted


@dataclass(frozen=True)
class Spelling:
    """How a library calls a rule.

    name:     of its class, function or kernel.
    slots:    where it keeps our slots, those that only some settings bring too; "-trace" with the other sign.
    settings: what it calls our settings, beside those that it calls alike in all rules.
    options:  what selects this rule where the name has several.
    needs:    settings without which it is another rule.
    with_:    another spelling where a setting holds: TensorFlow has a kernel of its own for a centred RMSprop.
    idle:     options that change nothing in this rule.
    unused:   what a kernel keeps even where we have no such slot.
    narrowed: the formula with constants that it keeps in float32 in every dtype (`rounded.narrowly`), if there are any.
    surprise: in words, where it computes something else than it says, with the smallest input that shows it.
    """

    name: str
    slots: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    with_: Mapping[str, "Spelling"] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    narrowed: Callable[..., dict[str, Any]] | None = None
    surprise: str = ""

    def where(self, settings: Mapping[str, Any]) -> "Spelling":
        """The spelling for these settings."""
        return next((other for name, other in self.with_.items() if settings.get(name)), self)


@dataclass(frozen=True)
class Plan:
    """A target's settings as far as they follow from a source's.

    why:  how they follow where that is not plain, or why no constants do.
    free: the setting of which no constant does.
    at:   with its value at step t that does, and that in words.
    """

    settings: dict[str, Any]
    why: str | None = None
    free: str | None = None
    at: tuple[str, Callable[[int], float]] | None = None


@dataclass(frozen=True)
class Card:
    """All that proves a rule.

    formulas:  by dialect, the paper's first, each written from its source.
    libraries: by the names of `libraries.REFERENCES`, those that have the rule, and how they call it.
    revealing: settings beside a library's own, chosen to show what those hide. The first set is dyadic, so that it
               means the same to a library that keeps settings in float32.
    scheduled: what else is set where the learning rate follows a schedule.
    wrong:     by library that has a rule of this name which computes something else: what it does, with the smallest
               input that shows it. No rule of ours is bent to it, so it counts as lacking.
    errors:    the rule's own, by formula, beside those that are planted in each.
    translate: from the formula of one dialect and its settings to the settings of another's, where they do not carry
               over as they are.
    """

    formulas: Mapping[str, Formula]
    libraries: Mapping[str, Spelling]
    revealing: tuple[Mapping[str, Any], ...]
    scheduled: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[Callable[..., Any], Errors] = field(default_factory=dict)
    translate: Callable[[Formula, Formula], Plan] | None = None

    def surprise(self, library: str) -> str:
        """Where a library computes something else than it says, in words; "" where nobody knows of it."""
        spelled = self.libraries.get(library)
        return spelled.surprise if spelled else self.wrong.get(library, "")

    def revealed(self, dialect: str) -> list[dict[str, Any]]:
        """The revealing settings, without what a dialect lacks."""
        decided = self.formulas[dialect].decided
        return [{n: value for n, value in settings.items() if n in decided} for settings in self.revealing]

    def mutants(self, formula: Formula, dialect: str, dtype: Any) -> list[Mutant]:
        """The formula of a dialect with one error each."""
        return planted(formula, self.formulas[dialect], self.errors.get(formula.compute, {}), np.dtype(dtype))
