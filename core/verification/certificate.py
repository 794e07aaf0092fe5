"""The certificate: what is judged × reference × dtype × execution, each with its verdict and with what it covers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from operator import or_
from typing import Any

import numpy as np

from ..engine.executions import EXECUTIONS as MODES
from ..engine.executions import execution_mode
from ..errors import InputError
from ..rules import Rule
from ..seeds import generator
from .free_runs import free_together
from .implementations import Implementation, Known
from .layout import Layout
from .libraries import REFERENCES
from .optimizers import OfOptimizer
from .rounded import Precision
from .rows import Coverage, Row
from .statements import Statement
from .streams import NARROW, Streams
from .trajectory import Run, Trajectory, Values, compiled_trajectories
from .trial import Case, Expected, Judged, Trial

EXECUTIONS = tuple(MODES)
DTYPES = ("float32", "float64")
"""In which everything is judged unless others are asked for; rules in those of `NARROW` too, by their masters: slots,
updates and parameters are float32's, of gradients of the narrow dtype."""

MOST_STEPS: Mapping[str, int] = {"eager": 100, "graph": 1_000, "xla-step": 1_000, "xla-loop": 10_000}
"""How many steps an execution of a rule is followed for, at most."""

OTHER_STEPS = 1_000
"""How many steps whatever is no rule is followed for with other settings or from drawn slots, at most; with its own, as
many as are given."""


@dataclass(frozen=True)
class Claim:
    """What is to be judged: that an implementation computes what these references do.

    name:       of the implementation.
    expected:   what should come out with certain settings.
    subject:    for a set of settings, the implementation with it: a Rule, which is run in the executions of `Program`,
                or another `Implementation`, which is run as it is.
    cases:      what to judge it with.
    references: names of `REFERENCES`, `PAPER`, or the name of a statement of one's own.
    dialect:    of the formula, if any.
    own:        what is known of a user's own implementation; see `Trial`.
    narrow:     the implementation or the statement keeps its settings in float32.
    along:      the gradients that it is judged along in place of those it is given.
    """

    name: str
    expected: Callable[[Mapping[str, Any]], Expected]
    subject: Callable[[Mapping[str, Any]], Rule | Implementation]
    cases: tuple[Case, ...]
    references: tuple[str, ...]
    dialect: str = ""
    own: Known | None = None
    narrow: bool = False
    along: Callable[[Streams], Streams] = lambda streams: streams

    def rows(self, streams: Streams, executions: Sequence[str] = EXECUTIONS) -> Iterator[Row]:
        """Judges the subject in the streams' dtype; a row for each reference and execution.

        Raises InputError for a subject that fails or has another number of slots than expected, and for settings that a
        reference cannot be asked about in this dtype. In one of `NARROW` a rule alone can be judged.
        """
        streams, dtype = self.along(streams), streams.gradients.dtype
        if streams.narrow and not all(isinstance(self.subject(case.settings), Rule) for case in self.cases):
            raise InputError(f"{self.name} is no rule, and has no float32 masters to be judged by in {streams.narrow}.")
        if not executions:
            raise InputError(f"At least one execution is needed, of {', '.join(EXECUTIONS)}.")
        for execution in executions:
            execution_mode(execution)  # or InputError
        if not self.can_be_asked(dtype):
            raise InputError(
                f"{self.name} cannot be judged against {', '.join(self.references)} in {dtype.name}: one of them keeps "
                "its settings in float32, which does not hold them exactly."
            )
        missing = {name: REFERENCES[name].missing() if name in REFERENCES else None for name in self.references}
        trials = [] if all(missing.values()) else self._trials(streams, executions, missing)
        caught = cache(lambda: _caught(trials))  # the same against every reference
        for name in self.references:
            if missing[name]:
                for execution in executions:
                    yield Row(self.name, self.dialect, name, streams.dtype, execution, missing=missing[name])
            else:
                yield from self._judged(name, trials, streams.dtype, caught)

    def can_be_asked(self, dtype: Any) -> bool:
        """Whether the subject, and every reference, can be asked about some of the cases in this dtype."""
        wide = np.dtype(np.float32 if dtype in NARROW else dtype)
        cases = self._cases(wide)
        return bool(cases) and all(any(self._asks(name, case, wide) for case in cases) for name in self.references)

    def _cases(self, dtype: np.dtype) -> list[Case]:
        """Those in which the subject computes with its settings as they are."""
        return [case for case in self.cases if not self.narrow or dtype == np.float32 or self._held(case)]

    def _asks(self, reference: str, case: Case, dtype: np.dtype) -> bool:
        """Whether a reference itself can be asked about a case in this dtype."""
        if reference not in REFERENCES:
            return True
        narrow = REFERENCES[reference].narrow_settings and dtype != np.float32
        return not case.scheduled and (not narrow or self._held(case))

    def _held(self, case: Case) -> bool:
        """Whether float32 holds the settings, and what they lack to 1, exactly."""
        numbers = self.expected(case.settings).numbers
        if numbers is None or case.scheduled:
            return False
        return all(float(np.float32(part)) == part for number in numbers for part in (number, 1 - number))

    def _own_with(self, settings: Mapping[str, Any]) -> Known | None:
        """What is known of the implementation, with other settings where it takes them."""
        if self.own is None or settings == self.cases[0].settings:
            return self.own
        rule, formula = replace(self.own.rule, **settings), self.own.formula.given(settings)
        return self.own._replace(rule=rule, formula=formula)

    def _trials(self, streams: Streams, executions: Sequence[str], missing: Mapping[str, str | None]) -> list[Trial]:
        dtype, cases = streams.gradients.dtype, self._cases(streams.gradients.dtype)
        expected = [self.expected(case.settings) for case in cases]
        starts = [
            drawn_slots(one.statement, streams) if case.drawn else None
            for case, one in zip(cases, expected, strict=True)
        ]
        subjects = [self.subject(case.settings) for case in cases]
        runs: list[dict[str, Trajectory]] = [{} for _ in cases]
        if any(isinstance(one, Rule) for one in subjects):
            layout = Layout.of(streams.kinds)
            names = [f"case_{number}" for number in range(len(cases))]
            for number, execution in enumerate(executions):  # all cases in one program: a compilation is what costs
                together = {
                    name: Run(rule, number + turn, start)
                    for turn, (name, rule, start) in enumerate(zip(names, subjects, starts, strict=True))
                    if isinstance(rule, Rule)
                }
                for some in _programs(together):
                    found = compiled_trajectories(some, streams.first(MOST_STEPS[execution]), execution, layout)
                    for name, trajectory in found.items():
                        runs[names.index(name)][execution] = trajectory
        for case, run, subject, start in zip(cases, runs, subjects, starts, strict=True):
            if isinstance(subject, Implementation):
                run |= _as_it_is(subject, streams, start, own=case is self.cases[0])
        trials = [
            Trial(
                self.name,
                case,
                one,
                streams,
                run,
                self._own_with(case.settings),
                start,
                isinstance(subject, Rule),
                [name for name, lacks in missing.items() if not lacks and self._asks(name, case, dtype)],
            )
            for case, one, run, subject, start in zip(cases, expected, runs, subjects, starts, strict=True)
        ]
        free_together(trials)
        return trials

    def _judged(
        self, reference: str, trials: Sequence[Trial], dtype: str, caught: Callable[[], Mapping[str, bool]]
    ) -> Iterator[Row]:
        verdicts = [trial.judged(reference) for trial in trials]
        errors, unseen = caught().keys(), {error for error, seen in caught().items() if not seen}
        alike = unseen & frozenset().union(*(trial.roundings for trial in trials)) if self.own else frozenset()
        for execution in trials[0].runs:
            ran = [n for n, trial in enumerate(trials) if execution in trial.runs]
            parts = [verdicts[n][execution] for n in ran]
            wrong = next((part for part in parts if part.first is not None), parts[0])
            agrees = all(part.agrees for part in parts)
            drifts = [part.drift for part in parts if part.drift is not None]
            yield Row(
                self.name,
                self.dialect,
                reference,
                dtype,
                execution,
                coverage=_coverage([trials[n] for n in ran], parts, execution),
                comparison=reduce(or_, [part.comparison for part in parts]),
                first=wrong.first,
                why=wrong.why,
                rounding=tuple(dict.fromkeys(word for part in parts for word in part.rounding if agrees)),
                drift=max(drifts, key=lambda drift: (drift.first is not None, drift.share), default=None),
                planted=len(errors) - len(alike),
                missed=tuple(sorted(unseen - alike)),
                alike=tuple(sorted(alike)),
            )


def _programs(runs: Mapping[str, Run]) -> list[dict[str, Run]]:
    """What runs in one program: all, as a compilation is what costs, except a rule that reads the norm of all."""
    alone = [{name: run} for name, run in runs.items() if run.rule.reads_norm]
    together = {name: run for name, run in runs.items() if not run.rule.reads_norm}
    return [*([together] if together else []), *alone]


def _caught(trials: Sequence[Trial]) -> dict[str, bool]:
    """For each planted error, whether one of the trials sees it."""
    found: dict[str, bool] = {}
    for trial in trials:
        found |= trial.seen([name for name, seen in found.items() if seen])
    return found


def _as_it_is(subject: Implementation, streams: Streams, start: Values | None, own: bool) -> dict[str, Trajectory]:
    """What runs by itself: a Keras optimizer as a graph, and with its own settings eagerly too; all else in one way."""
    run = subject.run(streams if own else streams.first(OTHER_STEPS), start)
    eager = subject.eagerly() if isinstance(subject, OfOptimizer) else None
    if eager is None:
        return {"as it is": run}
    return {"graph": run, **({"eager": eager.run(streams.first(MOST_STEPS["eager"]), start)} if own else {})}


def drawn_slots(statement: Statement, streams: Streams) -> Values:
    """Slots that one step from 0 may leave, [coordinates]: small ones among them, whatever the first slots are."""
    like, random = streams.gradients[0], generator(streams.seed, "slots")
    g = (10 ** random.uniform(-8, 2, like.shape) * random.choice([-1.0, 1.0], like.shape)).astype(like.dtype)
    zeros = {name: np.zeros_like(like) for name in statement.slots}
    precision = Precision.of(like.dtype)
    t = np.array([[1]])
    rows = {name: slot[np.newaxis] for name, slot in zeros.items()}
    with np.errstate(all="ignore"):
        values = statement.values(t, g[np.newaxis], rows, precision, x=np.zeros_like(g)[np.newaxis])
    return {name: np.asarray(values[name].value[0]).astype(like.dtype) for name in statement.slots}


def _coverage(trials: Sequence[Trial], parts: Sequence[Judged], execution: str) -> Coverage:
    runs, shown = [trial.runs[execution] for trial in trials], [part for part in parts if part.asked is not None]
    sizes = np.abs(np.concatenate([run.g.ravel() for run in runs]))
    x = np.concatenate([run.x.ravel() for run in runs])
    x = x[np.isfinite(x)]
    return Coverage(
        shapes=tuple(Layout.of(trials[0].streams.kinds).shapes.values()),
        steps=max(part.steps for part in parts),
        asked=max((part.asked or 0 for part in shown), default=None),
        gradients=(float(np.min(sizes[sizes > 0], initial=np.max(sizes))), float(np.max(sizes))),
        zeros=bool(np.any(sizes == 0)),
        parameters=(float(np.min(x)), float(np.max(x))),
        settings=tuple(
            {name: str(value) if callable(value) else value for name, value in trial.case.settings.items()}
            for trial in trials
        ),
        drawn=any(trial.case.drawn for trial in trials),
        estimated=any(trial.estimated for trial in trials),
        kinds=trials[0].streams.kinds,
        unread=tuple(
            dict.fromkeys(
                name
                for run, part in zip(runs, parts, strict=True)
                for name in run.after
                if name not in {"x", "delta", *part.comparison.units}
            )
        ),
    )
