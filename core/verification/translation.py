"""Translation: settings of one library that do what another's do, or the plain word that there are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import At, Rule
from .card import Plan
from .cards import CARDS, FORMULAS
from .implementations import Known
from .judge import free_run, largest_share
from .known import known
from .libraries import REFERENCES, Reference
from .optimizers import OfLibrary
from .streams import Streams
from .trial import LIBRARY_STEPS
from .words import symbol

GRID = np.logspace(-24, 0, 241)
"""The constants that are tried where no constant is right: ten to a decade."""


class Schedule(NamedTuple):
    """A setting that has to change with the step: its name, the formula in words, and the value at step t."""

    name: str
    words: str
    at: Callable[[int], float]


class Run(NamedTuple):
    """Source and target, both run from the same parameters, and how far apart they ended.

    what:     what the target was.
    steps:    how many.
    distance: ‖θ − θ'‖ / ‖θ − θ_0‖ at the last step, θ being the source's.
    share:    the largest part of what rounding allows that they were apart, at any step and coordinate; None where
              they are not claimed to agree.
    """

    what: str
    steps: int
    distance: float
    share: float | None = None


@dataclass(frozen=True)
class Translation:
    """The settings of a target dialect that reproduce those of a source, or come closest.

    settings: all of the target's, by our rules' names. call: the same as Python, None where the target is the paper.
    exact:    whether they reproduce the source to rounding, and whether the runs agree that they do.
    why:      how ε was carried over where that is not plain, or why no constant will do.
    schedule: what would have to change with the step, where that would do.
    runs:     what was run to see it.
    """

    rule: str
    source: str
    target: str
    settings: Mapping[str, float]
    call: str | None
    exact: bool
    why: str | None
    schedule: Schedule | None
    runs: tuple[Run, ...]

    @property
    def holds(self) -> bool:
        """Whether every run that should agree to rounding did."""
        return all(run.share is None or run.share <= 1 for run in self.runs)


def translate(rule: str, source: str, target: str, settings: Mapping[str, float], streams: Streams) -> Translation:
    """The target dialect's settings that reproduce the source dialect's with `settings`, seen by running both.

    streams: gradients in float64. Both formulas run along them in long double, and the two libraries, where they are
             installed, in float32 along the first 300 steps.

    Raises InputError for a rule, dialect or setting that is not there, and for a schedule.
    """
    if moving := [name for name, value in settings.items() if callable(value)]:
        raise InputError(f"{moving[0]} must be a number to be translated, found the schedule {settings[moving[0]]}.")
    origin = known(rule, source, settings)
    if target not in FORMULAS[rule]:
        raise InputError(
            f"{rule} has no dialect {target!r}; it has: {', '.join(FORMULAS[rule])}.", target, FORMULAS[rule]
        )
    plan = _plan(rule, origin, target)
    goal, runs, schedule = known(rule, target, plan.settings), [], None
    if plan.free is None:
        runs.append(_agreeing("both formulas, in float64", origin, goal, streams))
    else:
        steps, end = len(streams.gradients), _ends(lambda t: origin.rule, streams)
        carried = _ends(lambda t: goal.rule, streams)
        runs.append(
            Run(
                f"{plan.free} = {_constant(goal, plan.free):g}, carried over",
                steps,
                _distance(carried, end, streams.start),
            )
        )
        best, distance = _closest(goal, plan.free, end, streams)
        goal = known(rule, target, {**plan.settings, plan.free: best})
        runs.append(Run(f"{plan.free} = {best:g}, the closest constant", steps, distance))
        if plan.at is not None:
            words, at = plan.at
            schedule = Schedule(plan.free, words, at)
            scheduled = _ends(lambda t: replace(goal.rule, **{schedule.name: at(t)}), streams)
            run = free_run(origin.formula, streams.gradients, streams.start)["x"]
            share = largest_share(scheduled - run.value[-1], 2 * run.error[-1])
            runs.append(Run(words, steps, _distance(scheduled, end, streams.start), share))
    libraries = [_library(rule, dialect) for dialect in (source, target)]
    if all(libraries):
        runs.append(_libraries(rule, origin, goal, libraries, streams, exact=plan.free is None))  # pyright: ignore
    for run in runs:
        if not np.isfinite(run.distance) or not np.isfinite(run.share or 0.0):
            raise InputError(f"With these settings {run.what} has no finite figures, or the parameters do not move.")
    numbers = goal.formula.decided
    call = libraries[1] and libraries[1].call(rule, numbers)
    return Translation(rule, source, target, numbers, call, plan.free is None, plan.why, schedule, tuple(runs))


def _plan(rule: str, origin: Known, target: str) -> Plan:
    """The target's settings as far as they follow from the source's."""
    own, theirs = origin.formula, FORMULAS[rule][target]
    if (translate := CARDS[rule].translate) is not None:
        return translate(own, theirs)
    lacked = [n for n, value in own.decided.items() if n not in theirs.decided and value]
    settings = {name: value for name, value in own.settings.items() if name in theirs.settings}
    return Plan(settings, f"the other has no {', '.join(map(symbol, lacked))}" if lacked else None)


def _constant(goal: Known, name: str) -> float:
    return float(goal.formula.settings[name])


def _library(rule: str, dialect: str) -> type[Reference] | None:
    """The library of a dialect that has a constructor and is installed."""
    there = (kind for name, kind in REFERENCES.items() if kind.has(rule) and name != "tf1-kernel")
    kinds = [kind for kind in there if kind.dialect == dialect]
    return kinds[0] if kinds and not kinds[0].missing() else None


def _ends(rule_at: Callable[[int], Rule], streams: Streams, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Where parameters end, in float64, by the rule of each step; several runs beside each other in `shape`."""
    x = np.broadcast_to(streams.start, (*shape, streams.gradients.shape[1]))
    slots = rule_at(1).first(x)
    with np.errstate(all="ignore"):
        for t, g in enumerate(streams.gradients, start=1):
            step = rule_at(t).step(np.broadcast_to(g, x.shape), slots, x, At(np.float64(t)))
            slots, x = step.slots, step.x
    return x


def _closest(goal: Known, name: str, end: np.ndarray, streams: Streams) -> tuple[float, float]:
    """The constant that ends closest, and how far from it: of the grid, or the one that is carried over."""
    constants = np.append([float(f"{constant:.3g}") for constant in GRID], _constant(goal, name))
    together = replace(goal.rule, **{name: constants[:, np.newaxis]})  # all of them run beside each other
    distances = [_distance(one, end, streams.start) for one in _ends(lambda t: together, streams, constants.shape)]
    best = int(np.argmin(np.nan_to_num(distances, nan=np.inf)))
    return float(constants[best]), float(distances[best])


def _distance(one: np.ndarray, other: np.ndarray, begin: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(one - other) / np.linalg.norm(other - begin))


def _agreeing(what: str, origin: Known, goal: Known, streams: Streams) -> Run:
    """Two formulas beside each other; they agree where their free runs part by less than rounding allows each."""
    a, b = (free_run(one.formula, streams.gradients, streams.start)["x"] for one in (origin, goal))
    share = largest_share(a.value - b.value, a.error + b.error)
    return Run(what, len(streams.gradients), _distance(b.value[-1], a.value[-1], streams.start), share)


def _libraries(
    rule: str, origin: Known, goal: Known, kinds: list[type[Reference]], streams: Streams, exact: bool
) -> Run:
    """The two libraries themselves, in float32; what rounding allows is that of both formulas' free runs."""
    start = streams.held_by("float32").first(LIBRARY_STEPS)
    sums, allowed = [], np.zeros(1)
    for one, kind in zip((origin, goal), kinds, strict=True):
        run = OfLibrary(kind.__name__, kind, rule, one.formula.settings).run(start)
        deltas = run.after["delta"] if "delta" in run.after else run.x - run.after["x"]
        sums.append(np.cumsum(np.float64(deltas), axis=0))
        allowed = allowed + free_run(one.formula, start.gradients, start.start)["x"].error
    share = largest_share(sums[0] - sums[1], allowed) if exact else None
    what = " and ".join(kind.constructor.split("(")[0].format(name=kind.spelled(rule).name) for kind in kinds)
    return Run(f"{what}, in float32", LIBRARY_STEPS, _distance(-sums[1][-1], -sums[0][-1], np.zeros(1)), share)
