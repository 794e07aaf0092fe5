"""One set of settings put to the test: what was found of an implementation, and which planted errors would be seen."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from .causes import Cause, cause
from .implementations import Known, OfLibrary, OfRule, beside, renamed
from .judge import Comparison, Difference, Drift, free_run, judge, judge_drift, judge_first
from .mutants import planted
from .references import REFERENCES
from .rounded import Rounded
from .streams import Streams
from .trajectory import Trajectory

PAPER = "paper"
"""The reference that is no library: the formula in a wider dtype, which shows every stage."""

MUTANT_STEPS = 120
"""So many steps a planted error is followed for; all are seen within them, or not at all."""

LIBRARY_STEPS = 300
"""So many first steps a library is asked about, and every 40th after them: each costs a call."""


class Judged(NamedTuple):
    """A trajectory against one reference.

    steps: how many were compared, each from the trajectory's own state.
    first: the first value beyond its bound, slots before the first step included; why: its cause, if it is known.
    drift: from the formula's free run, where the reference is the paper.
    """

    steps: int
    comparison: Comparison
    first: Difference | None
    why: Cause | None
    drift: Drift | None


class Trial:
    """Trajectories of one implementation, by execution, with one set of settings.

    settings: what differs from the dialect's own. known: the rule and the formula with them.
    own:      the implementation's rule and formula, as far as they are known, where it is none of core's in this
              dialect; its rounding is allowed, and its settings explain differences.

    Raises InputError for trajectories with another number of slots than the formula has, or with what is no number.
    """

    def __init__(
        self,
        name: str,
        settings: Mapping[str, float],
        known: Known,
        streams: Streams,
        runs: Mapping[str, Trajectory],
        own: Known | None = None,
    ):
        self.name, self.settings = name, settings
        self._known, self._formula, self._streams = known, known.formula, streams
        self._own, self._found = (own.formula, own.rule) if own else (known.formula, None)
        self._runs = {execution: self._accepted(run) for execution, run in runs.items()}

    def judged(self, reference: str) -> dict[str, Judged]:
        """Every execution against `PAPER` or one of `REFERENCES`."""
        found = {}
        for execution, (steps, first, comparison) in self._against(reference, self._runs).items():
            run = self._runs[execution]
            why = cause(self._formula, self._known.rule, run, first, self._own, self._found) if first else None
            drift = judge_drift(self._free_run, run) if reference == PAPER else None
            found[execution] = Judged(steps, comparison, first, why, drift)
        return found

    def seen(self, reference: str) -> dict[str, bool]:
        """For each error planted in the rule, whether the same comparison sees it.

        The errors run in NumPy, in the trial's dtype: what a comparison can see depends on settings, gradients,
        dtype and bounds, and not on the execution.
        """
        return {
            name: first is not None or not comparison.agrees
            for name, (_, first, comparison) in self._against(reference, self._errors).items()
        }

    @cached_property
    def _errors(self) -> dict[str, Trajectory]:
        start = self._streams.first(MUTANT_STEPS)
        errors = planted(self._known.rule, start.gradients.dtype)
        return {mutant.name: OfRule(mutant.name, rule).run(start) for mutant, rule in errors}

    @cached_property
    def _free_run(self) -> Mapping[str, Rounded]:
        longest = max(len(run.t) for run in self._runs.values())
        formula = replace(self._formula, running=self._formula.running or self._own.running)
        return free_run(formula, self._streams.gradients[:longest])

    def _against(
        self, reference: str, runs: Mapping[str, Trajectory]
    ) -> dict[str, tuple[int, Difference | None, Comparison]]:
        """By name: the steps compared, the first difference, and the comparison of all steps."""
        like = self._streams.gradients[0]
        if reference == PAPER:
            start = self._formula.first(like)
            compared = {name: (run, judge(self._formula, run, own=self._own)) for name, run in runs.items()}
        else:
            library = OfLibrary(reference, REFERENCES[reference], self._known.name, self.settings)
            start, formula, own = (
                library.first(like),
                *(library.rounding(f, like.dtype) for f in (self._formula, self._own)),
            )
            parts = {name: run.steps(_asked(len(run.t))) for name, run in runs.items()}
            answers = _followed(library, parts)
            compared = {name: (run, judge(formula, run, answers[name], own)) for name, run in parts.items()}
        found = {}
        for name, (run, comparison) in compared.items():
            first = judge_first({slot: before[0] for slot, before in run.before.items()}, start)
            found[name] = (len(run.t), first or comparison.first, comparison)
        return found

    def _accepted(self, run: Trajectory) -> Trajectory:
        run = renamed(run, self._formula.slots, self.name, self._known.name)
        wrong = {name: ~np.isfinite(run.after[name]) for name in (*self._formula.slots, "delta")}
        if any(map(np.any, wrong.values())):
            name = min(wrong, key=lambda name: (not np.any(wrong[name]), int(np.argmax(np.any(wrong[name], axis=1)))))
            row, column = np.argwhere(wrong[name])[0]
            raise InputError(
                f"{self.name} gave {run.after[name][row, column]} for {name} at step {row + 1}, "
                f"{self._streams.place(int(column))}, where the gradient is {run.g[row, column]:g}."
            )
        return run


def _asked(steps: int) -> np.ndarray:
    """The positions of the steps that a library is asked about."""
    return np.concatenate([np.arange(min(steps, LIBRARY_STEPS)), np.arange(LIBRARY_STEPS + 39, steps, 40)])


def _followed(library: OfLibrary, runs: Mapping[str, Trajectory]) -> dict[str, dict[str, np.ndarray]]:
    """What a library gives from every state of several trajectories; those of as many steps side by side, in one."""
    answers, coordinates = {}, next(iter(runs.values())).g.shape[1] if runs else 0
    for steps in {len(run.t) for run in runs.values()}:
        together = [name for name, run in runs.items() if len(run.t) == steps]
        values = library.follow(beside([runs[name] for name in together]))
        for number, name in enumerate(together):
            mine = slice(number * coordinates, (number + 1) * coordinates)
            answers[name] = {value: array[:, mine] for value, array in values.items()}
    return answers
