"""The certificate: rule × dialect × reference × dtype × execution, each with its verdict, and with what it can see."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, get_args

import numpy as np

from ..errors import InputError
from ..program import Execution
from ..rules import Rule
from .causes import Cause
from .implementations import Implementation, Known, known
from .judge import Comparison, Difference, Drift
from .references import REFERENCES
from .streams import Streams
from .trajectory import Trajectory, compiled_trajectories
from .trial import PAPER, Trial

EXECUTIONS: tuple[str, ...] = get_args(Execution)
DTYPES = ("float32", "float64")

STEPS: Mapping[str, int] = {"eager": 300, "graph": 1_000, "xla-step": 1_000, "xla-loop": 10_000}
"""How many steps an execution is followed for, at most."""


@dataclass(frozen=True)
class Row:
    """One line of the certificate.

    rule, dialect: what is judged, by name, and whose formula it is held to.
    settings:   the sets of settings that it was judged with, each as what differs from the dialect's own.
    steps:      how many were compared, each from the state before it.
    missing:    the package that the reference needs and that is not installed; then there is nothing else.
    comparison: every value of every step, over all sets of settings.
    first:      the first value beyond its bound, slots before the first step included.
    why:        its cause, if that is known.
    drift:      from the formula's free run, where the reference is the paper.
    planted, missed: how many errors these settings, gradients and bounds were tried on; the names of those not seen.
    """

    rule: str
    dialect: str
    reference: str
    dtype: str
    execution: str
    settings: tuple[Mapping[str, float], ...] = ()
    steps: int = 0
    missing: str | None = None
    comparison: Comparison | None = None
    first: Difference | None = None
    why: Cause | None = None
    drift: Drift | None = None
    planted: int = 0
    missed: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """certified, or the first that is wrong of: missing, differs, drifts, blind (an error would not be seen)."""
        if self.missing:
            return "missing"
        if self.first is not None:
            return "differs"
        if self.drift is not None and self.drift.first is not None:
            return "drifts"
        return "blind" if self.missed else "certified"


@dataclass(frozen=True)
class Claim:
    """What is to be judged: that an implementation computes a rule in a dialect, as these references do.

    name:       of the implementation.
    rule, dialect: of the formula.
    subject:    for a set of settings, the implementation with it: a Rule, which is run in the executions of `Program`,
                or another `Implementation`, which is run as it is.
    settings:   the sets of settings to judge it with.
    references: names of `REFERENCES`, or `PAPER`.
    own:        what is known of an implementation that is none of core's; see `Trial`.
    narrow:     the implementation itself keeps its settings in float32.
    """

    name: str
    rule: str
    dialect: str
    subject: Callable[[Mapping[str, float]], Rule | Implementation]
    settings: tuple[Mapping[str, float], ...]
    references: tuple[str, ...]
    own: Known | None = None
    narrow: bool = False

    def rows(self, streams: Streams, executions: Sequence[str] = EXECUTIONS) -> Iterator[Row]:
        """Judges the subject in the streams' dtype; a row for each reference and execution.

        Raises InputError for a subject that fails, gives what is no number, or has not the formula's number of slots,
        and for settings that a reference cannot be asked about in this dtype.
        """
        dtype = streams.gradients.dtype
        if not executions:
            raise InputError(f"At least one execution is needed, of {', '.join(EXECUTIONS)}.")
        for execution in executions:
            if execution not in EXECUTIONS:
                raise InputError(f"There is no execution {execution!r}; there are: {', '.join(EXECUTIONS)}.")
        if not self.can_be_asked(dtype):
            raise InputError(
                f"{', '.join(self.references)} keeps its settings in float32, which does not hold those of {self.name} "
                "exactly: judge it in float32 alone."
            )
        missing = {name: None if name == PAPER else REFERENCES[name].missing() for name in self.references}
        asked = {name: self._asked(name, dtype) for name in self.references if not missing[name]}
        sets = [settings for settings in self.settings if any(settings in some for some in asked.values())]
        trials = self._trials(sets, streams, executions) if sets else []
        for name in self.references:
            if missing[name]:
                for execution in executions:
                    yield Row(self.name, self.dialect, name, dtype.name, execution, missing=missing[name])
            else:
                yield from self._judged(name, [trial for trial in trials if trial.settings in asked[name]], dtype)

    def _own_with(self, settings: Mapping[str, float]) -> Known | None:
        """What is known of the implementation, with other settings where it takes them."""
        if self.own is None or settings == self.settings[0]:
            return self.own
        rule, formula = replace(self.own.rule, **settings), self.own.formula.given(settings)
        return self.own._replace(rule=rule, formula=formula)

    def can_be_asked(self, dtype: Any) -> bool:
        """Whether every reference can be asked about some of the settings in this dtype."""
        return all(self._asked(name, np.dtype(dtype)) for name in self.references)

    def _asked(self, reference: str, dtype: np.dtype) -> list[Mapping[str, float]]:
        """The sets of settings that the reference can be asked about in this dtype."""
        narrow = self.narrow or (reference != PAPER and REFERENCES[reference].narrow_settings)
        if not narrow or dtype == np.float32:
            return list(self.settings)
        return [settings for settings in self.settings if self._held_by_float32(settings)]

    def _held_by_float32(self, settings: Mapping[str, float]) -> bool:
        numbers = known(self.rule, self.dialect, settings).formula.settings.values()
        return all(float(np.float32(part)) == part for number in numbers for part in (number, 1 - number))

    def _trials(self, sets: Sequence[Mapping[str, float]], streams: Streams, executions: Sequence[str]) -> list[Trial]:
        subjects = [self.subject(settings) for settings in sets]
        names = ["own_settings", *(f"revealing_settings_{n}" for n in range(1, len(sets)))]
        rules = {name: one for name, one in zip(names, subjects, strict=True) if isinstance(one, Rule)}
        runs: list[dict[str, Trajectory]] = [{} for _ in sets]
        for execution in executions if rules else ():  # all sets in one program: a compilation is what costs
            found = compiled_trajectories(rules, streams.first(STEPS[execution]), execution)
            for run, trajectory in zip(runs, found.values(), strict=True):
                run[execution] = trajectory
        for run, subject in zip(runs, subjects, strict=True):
            if isinstance(subject, Implementation):
                run["as it is"] = subject.run(streams.first(STEPS["eager"]))
        return [
            Trial(self.name, settings, known(self.rule, self.dialect, settings), streams, run, self._own_with(settings))
            for settings, run in zip(sets, runs, strict=True)
        ]

    def _judged(self, reference: str, trials: Sequence[Trial], dtype: np.dtype) -> Iterator[Row]:
        verdicts, seen = [trial.judged(reference) for trial in trials], [trial.seen(reference) for trial in trials]
        errors = set().union(*seen)
        missed = tuple(sorted(error for error in errors if not any(caught.get(error) for caught in seen)))
        for execution in verdicts[0]:
            parts = [verdict[execution] for verdict in verdicts]
            wrong = next((part for part in parts if part.first is not None), parts[0])
            drifts = [part.drift for part in parts if part.drift is not None]
            yield Row(
                self.name,
                self.dialect,
                reference,
                dtype.name,
                execution,
                settings=tuple(trial.settings for trial in trials),
                steps=parts[0].steps,
                comparison=reduce(or_, [part.comparison for part in parts]),
                first=wrong.first,
                why=wrong.why,
                drift=max(drifts, key=lambda drift: (drift.first is not None, drift.share), default=None),
                planted=len(errors),
                missed=missed,
            )
