"""How far a trajectory is from a formula, or from another implementation: step by step, and in the long run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, Self

import numpy as np

from .rounded import Precision, Rounded
from .statements import Statement
from .trajectory import Trajectory, Values

ILL_CONDITIONED = 1e4
"""Units of error that rounding may come to where terms cancel: beyond, a value is held to its bound alone."""

CHUNK = 500
"""Steps judged at a time: long double arrays of all of them would not fit into a cache."""


@dataclass(frozen=True)
class Difference:
    """One value of one step at one coordinate, and how far it is from what it should be.

    step:  counted from 1; 0 is the state before the first.
    units: the error in ε_machine·Σ|terms|. bound: what it may be, in the same units.
    """

    value: str
    step: int
    coordinate: int
    found: float
    expected: float
    units: float
    bound: float


@dataclass(frozen=True)
class Comparison:
    """What a comparison over many steps found.

    first:    the first value beyond its bound, in the order of steps and then of computation; None where all agree.
    worst:    where the error was largest in units, among values that flushing to 0 hardly touches and whose terms do
              not cancel (see ILL_CONDITIONED); the others are held to their bound alone, which allows for it.
    units:    the largest error of each value, in units, among the same.
    share:    the largest error of slots, stages and updates as a share of its bound.
    relative: the largest relative difference, among the same.
    flushed:  how many numbers below the smallest normal one were found to be 0.
    unsettled: how many differ where roundings alone decide: whether there is a number at all, so that any answer is
              right, or which of two far apart it is, as the sign of what is 0 to within its rounding; either is right.
    """

    first: Difference | None
    worst: Difference
    units: Mapping[str, float]
    share: float
    relative: float
    flushed: int
    unsettled: int = 0

    @property
    def agrees(self) -> bool:
        return self.first is None

    def __or__(self, other: Self) -> Self:
        """Both together."""
        firsts = [comparison.first for comparison in (self, other) if comparison.first is not None]
        return type(self)(
            min(firsts, key=lambda difference: difference.step, default=None),  # of equals, the one computed first
            max(self.worst, other.worst, key=lambda difference: difference.units),
            {
                name: max(self.units.get(name, 0.0), other.units.get(name, 0.0))
                for name in {**self.units, **other.units}
            },
            max(self.share, other.share),
            max(self.relative, other.relative),
            self.flushed + other.flushed,
            self.unsettled + other.unsettled,
        )


def judge(
    statement: Statement,
    trajectory: Trajectory,
    reference: Values | None = None,
    own: Statement | None = None,
    brief: bool = False,
) -> Comparison:
    """Compares every value of every step with the statement, taken from the trajectory's own state before that step.

    reference: what an implementation of the statement computes for the same steps from the same states; then that is
               what is expected, and both sides may round.
    own:       the formula that the trajectory itself follows, where that is another; its rounding is allowed then.
    brief:     only `first` is wanted: the figures do not tell apart what flushing to 0 has a part in, a third faster.

    The trajectory's slots must have the statement's names; of the other values those are compared that both have.
    """
    precision = Precision.of(trajectory.g.dtype)
    comparisons = []
    for start in range(0, len(trajectory.t), CHUNK):
        chosen = slice(start, start + CHUNK)
        part = trajectory.steps(chosen)
        theirs = None if reference is None else {name: value[chosen] for name, value in reference.items()}
        with np.errstate(all="ignore"):
            values = _judged(statement, precision, part, theirs, own or statement, brief)
            comparisons += [_compare(judged, part) for judged in values]
    return reduce(or_, comparisons)


def judge_first(found: Values, expected: Values) -> Difference | None:
    """The first slot, before any step, that is not what it should be to half a unit; None where all are."""
    for name, value in expected.items():
        wide, given = np.asarray(value, np.longdouble), np.asarray(found[name], np.longdouble)
        eps = np.finfo(value.dtype).eps
        same = (given == wide) | (np.isnan(given) & np.isnan(wide))
        with np.errstate(invalid="ignore"):
            errors = np.where(same, 0, np.abs(given - wide))
        if not np.all(same | (errors <= eps * np.abs(wide) / 2)):
            at = int(np.argmax(np.nan_to_num(errors, nan=np.inf)))
            units = float(errors[at] / (eps * max(abs(wide[at]), abs(given[at]))))  # of the larger: one may be 0
            return Difference(name, 0, at, float(given[at]), float(value[at]), units, 0.5)
    return None


def free_run(statement: Statement, g: np.ndarray, begin: np.ndarray, start: Values | None = None) -> dict[str, Rounded]:
    """Slots and parameter ("x") after each step, [steps, coordinates], of a statement left alone along gradients g.

    From parameters `begin` and the statement's first slots, or from `start`. Their errors are what every rounding of
    a run in g's dtype may have come to: each step's own, and what the steps before it passed on.
    """
    precision, runs = Precision.of(g.dtype), []
    slots = {name: precision.exact(value) for name, value in (start or statement.first(begin)).items()}
    x = precision.exact(begin)
    with np.errstate(all="ignore"):
        for t, row in enumerate(g, start=1):
            values = statement.values(t, row, slots, precision, x=x)
            x = values["x"] if "x" in values else x - values["delta"]
            slots = {name: values[name] for name in statement.slots}
            runs.append(slots | {"x": x})
    return {
        name: Rounded(
            np.stack([run[name].value for run in runs]), np.stack([run[name].error for run in runs]), precision
        )
        for name in runs[0]
    }


def largest_share(apart: Any, allowed: Any) -> float:
    """The largest |apart| as a share of what is allowed; what is not apart takes no share, even of 0."""
    with np.errstate(all="ignore"):
        return float(np.max(np.where(apart == 0, 0.0, np.abs(apart) / allowed)))


@dataclass(frozen=True)
class Drift:
    """How far a trajectory ran away from a formula's free run.

    first: the first slot or parameter beyond what rounding may have come to; None where there is none.
    share: the largest share of that which was taken at the last step.
    """

    first: Difference | None
    steps: int
    share: float


def judge_drift(run: Mapping[str, Rounded], trajectory: Trajectory, free: bool = True) -> Drift:
    """Compares what a trajectory from step 1 shows with `free_run`; units are ε_machine·|number|.

    free: the parameters moved as the updates said, and are compared too.
    """
    comparisons, share, steps = [], 0.0, len(trajectory.t)
    names = [name for name in run if name in trajectory.after and (free or name != "x")]
    with np.errstate(all="ignore"):
        for name in names:
            value = run[name]
            found, precision = value.precision.wide(trajectory.after[name]), value.precision
            expected, bound = value.value[:steps], value.error[:steps]
            unit = np.maximum(precision.unit * np.abs(expected), precision.tiny)
            comparisons.append(_compare(_Judged(name, found, expected, bound, unit, np.isfinite(bound)), trajectory))
            share = max(share, largest_share(found[-1] - expected[-1], bound[-1]))
    return Drift(reduce(or_, comparisons).first if comparisons else None, steps, share)


class _Judged(NamedTuple):
    """A value by name: what was found and what is expected, the error it may have, and the unit of error.

    counted: where that error is rounding's, not flushing's.
    """

    name: str
    found: np.ndarray
    expected: np.ndarray
    bound: np.ndarray
    unit: np.ndarray
    counted: np.ndarray


def _judged(
    statement: Statement,
    precision: Precision,
    trajectory: Trajectory,
    reference: Values | None,
    own: Statement,
    brief: bool,
) -> Iterator[_Judged]:
    """The values that can be compared, in the order of their computation."""
    t, g, slots, wide = trajectory.t[:, np.newaxis], trajectory.g, trajectory.before, precision.wide
    shown, unflushed = None if reference else trajectory.after, replace(precision, tiny=precision.wide(0))
    values = statement.values(t, g, slots, precision, shown, trajectory.x)
    rounding = values if brief or statement.estimated else statement.values(t, g, slots, unflushed, shown, trajectory.x)
    others = values if own == statement else own.values(t, g, slots, precision, shown, trajectory.x)
    terms = statement.terms(t, g, slots, precision, values, trajectory.x)
    terms["x"] = np.abs(wide(trajectory.x)) + terms["delta"]
    for of, found in ((precision, values), (unflushed, rounding), (precision, others)):
        if "x" not in found:
            found["x"] = of.exact(trajectory.x) - found["delta"]
    if reference is not None and "x" not in reference:
        reference = {**reference, "x": wide(trajectory.x) - wide(reference["delta"])}
    for name, value in values.items():
        if name in trajectory.after and (reference is None or name in reference):
            expected = value.value if reference is None else wide(reference[name])
            errors = value.error, others[name].error
            bound = np.maximum(*errors) if reference is None and not precision.judges_itself else np.add(*errors)
            unit = np.maximum(precision.unit * terms[name], precision.tiny)
            counted = (value.error <= 2 * rounding[name].error) & (bound <= ILL_CONDITIONED * unit)
            found = wide(trajectory.after[name])
            yield _Judged(name, *np.broadcast_arrays(found, expected, bound, unit, counted))


def _compare(judged: _Judged, trajectory: Trajectory) -> Comparison:
    name, found, expected, bound, unit, counted = judged
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))  # two infinities, or none, are no numbers apart
    error = np.where(same, 0, np.abs(found - expected))
    units = np.where(np.isnan(error), np.inf, error / unit)
    # Where roundings decide whether there is a number at all, as below a root near 0, any answer is right.
    settled = np.isfinite(bound)
    beyond = ~same & settled & (~(error <= bound) | (np.isfinite(expected) & ~np.isfinite(found)))
    small = np.abs(expected) < np.finfo(trajectory.g.dtype).tiny
    # Beside an update, the parameter says nothing: its one rounding comes to its bound in every run.
    counts = counted & ((name != "x") | ("delta" not in trajectory.after))
    relative = np.where(counts & ~small, error / np.abs(expected), 0.0)

    def at(row: Any, column: Any) -> Difference:
        place = (row, column)
        numbers = (found[place], expected[place], units[place], bound[place] / unit[place])
        return Difference(name, int(trajectory.t[row]), int(column), *map(float, numbers))

    first = None
    if np.any(rows := np.any(beyond, axis=1)):
        row = int(np.argmax(rows))
        first = at(row, np.argmax(np.where(beyond[row], units[row], -1.0)))
    worst = at(*np.unravel_index(np.argmax(np.where(counted, units, -1.0)), units.shape))
    flushed = int(np.sum((found == 0) & (expected != 0) & small))
    share = float(np.max(np.where(counts & (bound > 0), error / bound, 0.0)))
    apart = units > ILL_CONDITIONED
    unsettled = int(np.sum(~same & ~beyond & ~((found == 0) & small) & (~settled | (apart & (name != "x")))))
    return Comparison(first, worst, {name: worst.units}, share, float(np.max(relative)), flushed, unsettled)
