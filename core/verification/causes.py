"""Why two implementations part, in words: what one would have to change to compute what the other computed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import Rule
from .cards import CARDS
from .errors import around, counting_calls
from .fits import Candidate, all_values, fitted
from .graph import OfFormula
from .implementations import Implementation, Known, OfRule
from .judge import Difference
from .rounded import Precision
from .statements import Statement
from .trajectory import Trajectory, Values
from .words import in_words

EXPLAINED_STEPS = 120
"""The first steps that must be explained; and a quarter as many from the first difference on."""


@dataclass(frozen=True)
class Cause:
    """What explains a difference: in words, and the first value, in the order of computation, that it changes.

    rounding: it is another rounding, and no more.
    """

    words: tuple[str, ...]
    stage: str
    rounding: bool = False


class Suspect(NamedTuple):
    """What is known of the two that part.

    statement: what should come out. expected: an implementation of it, of which changes are tried.
    own:       the formula by which the trajectory rounds.
    known:     the rule of core whose formula the statement is, if it is one.
    found:     a rule of core with the settings that the trajectory is known to have, if they are known.
    """

    statement: Statement
    expected: Implementation
    own: Statement
    known: Known | None = None
    found: Rule | None = None


def cause(suspect: Suspect, trajectory: Trajectory, difference: Difference) -> Cause | None:
    """What would make the expected implementation compute what a trajectory shows; None where nothing tried here does.

    trajectory: from step 1, with the slots' names of the statement.
    difference: the first between the trajectory and what is expected from its states.

    As few of the settings that are known to differ as will do are tried first, and have to explain the first
    difference; then planted errors and other values of a setting, each of which has to explain all of the first steps.
    Settings that differ too are named after the decisive ones.

    Raises InputError where a rule fails.
    """
    if difference.step == 0:
        numbers = (difference.found, difference.expected)
        pairs = [tuple(f"{n:.{digits}g}" for n in numbers) for digits in (6, 17)]
        one, other = next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
        return Cause((f"slot {difference.value} starting at {one} instead of {other}",), difference.value)
    statement, expected, own, known, found = suspect
    ours = None if known is None else OfRule(known.name, known.rule)
    if ours is not None and found is not None:
        rule = ours.rule
        part = trajectory.steps(slice(difference.step - 1, difference.step))
        for group in _settings(rule, found):
            if why := _best(group, difference, (difference.value,), part, ours, _bounds(statement, own, part)):
                others = [words for words in _all_settings(rule, found) if words not in why.words]
                return replace(why, words=(*why.words, *others))
    part = trajectory.steps(_explained(len(trajectory.t), difference.step - 1))
    moved = "delta" if "delta" in trajectory.after else "x"
    names, bounds = (moved, *statement.slots), _bounds(statement, own, part)
    found_error = _best(_errors(suspect, part), difference, names, part, expected, bounds)
    if found_error is not None and not found_error.rounding:
        return found_error
    row = int(np.argmax(part.t == difference.step))
    numbers = fitted(ours or expected, part, difference.value, row, difference.coordinate)
    number = _best(numbers, difference, names, part, ours or expected, bounds)
    return number if number is not None and not number.rounding else found_error or number


def _explained(steps: int, first: int) -> np.ndarray:
    """The positions of the steps that must be explained: the first ones, and those from the first difference on."""
    return np.union1d(
        np.arange(min(steps, EXPLAINED_STEPS)), np.arange(first, min(steps, first + EXPLAINED_STEPS // 4))
    )


def _best(
    candidates: Iterable[Candidate],
    difference: Difference,
    names: Iterable[str],
    part: Trajectory,
    expected: Implementation,
    bounds: Mapping[str, np.ndarray],
) -> Cause | None:
    """The candidate that comes nearest to the trajectory in these values, if within rounding.

    What it changes first must not come after the first difference, which it would not explain.
    """
    order = list(bounds)
    with np.errstate(all="ignore"):
        base, tried = all_values(expected, part), []
        for candidate in candidates:
            try:
                values = all_values(candidate.implementation, part)
            except InputError:  # such as a division by 0
                continue
            if (share := _share(part, names, values, base, bounds)) <= 1:
                tried.append((candidate.rounding, share, candidate.words, values))
        for rounding, _, words, values in sorted(tried, key=lambda one: one[:2]):
            stage = _first_changed(values, base, order)
            if stage is not None and order.index(stage) <= order.index(difference.value):
                return Cause(words, stage, rounding)
    return None


def _settings(expected: Rule, found: Rule) -> Iterator[list[Candidate]]:
    """The expected rule with one of the other's settings, with two of them, and so on."""
    names = _differing(expected, found)
    for count in range(1, len(names) + 1):
        candidates: list[Candidate] = []
        for chosen in combinations(names, count):
            changed = {name: getattr(found, name) for name in chosen}
            words = tuple(in_words(name, value, getattr(expected, name)) for name, value in changed.items())
            with suppress(InputError):  # such as an ε of 0 on an accumulator of 0
                rounding = all(_rounds(name) for name in chosen)
                candidates.append(Candidate(words, OfRule("", replace(expected, **changed)), rounding))
        yield candidates


def _differing(expected: Rule, found: Rule) -> list[str]:
    if type(expected) is not type(found):
        return []
    return [f.name for f in fields(expected) if getattr(expected, f.name) != getattr(found, f.name)]


def _all_settings(expected: Rule, found: Rule) -> list[str]:
    """In words, what differs by more than a rounding, beside precisions, which decide nothing by themselves."""
    words = []
    for name in _differing(expected, found):
        one, other = getattr(found, name), getattr(expected, name)
        rounding = isinstance(one, float) and isinstance(other, float) and np.float32(one) == np.float32(other)
        if not rounding and not _rounds(name):
            words.append(in_words(name, one, other))
    return words


def _rounds(name: str) -> bool:
    """Whether a setting decides about roundings alone."""
    return name.endswith("_in") or name == "incremental"


def _errors(suspect: Suspect, part: Trajectory) -> Iterator[Candidate]:
    expected, known = suspect.expected, suspect.known
    if known is not None:
        for mutant in CARDS[known.name].mutants(known.formula, known.dialect, part.g.dtype):
            yield Candidate((mutant.name,), mutant.wrong, mutant.rounding)
    for error in around(expected, suspect.statement.slots):
        yield Candidate((error.name,), error)
    # What runs all coordinates at once takes another step's number at each.
    if part.calls is not None and isinstance(expected, OfRule | OfFormula):
        error = counting_calls(expected)
        yield Candidate((error.name,), error)


def _share(
    part: Trajectory, names: Iterable[str], values: Mapping[str, Any], base: Values, bounds: Mapping[str, np.ndarray]
) -> float:
    """How far the trajectory is from the values, in what rounding allows: that of `base`, larger as values are."""
    worst, loss = 0.0, _loss(base, bounds)
    for name in names:
        found, value = np.longdouble(part.after[name]), np.longdouble(values.get(name, values["delta"]))
        scale = np.maximum(1, np.nan_to_num(np.abs(value / base.get(name, base["delta"])), nan=1.0, posinf=1.0))
        same = (found == value) | (np.isnan(found) & np.isnan(value))
        allowed = bounds[name] * scale + loss * np.abs(value)
        shares = np.where(same, 0.0, np.nan_to_num(np.abs(found - value) / allowed, nan=np.inf))
        worst = max(worst, float(np.max(shares)))
        if worst > 1:
            break
    return worst


def _loss(base: Values, bounds: Mapping[str, np.ndarray]) -> Any:
    """What a bias correction that stands elsewhere may bring along: the relative error of 1 − β^t."""
    return sum(bounds[name] / np.abs(base[name]) for name in bounds if name.startswith("correction") and name in base)


def _first_changed(values: Mapping[str, Any], base: Mapping[str, Any], order: Iterable[str]) -> str | None:
    """The first value that is not the same to the bit: what a change does not touch is computed alike."""
    shared = (name for name in order if name in values and name in base)
    return next((name for name in shared if not np.array_equal(values[name], base[name], equal_nan=True)), None)


def _bounds(statement: Statement, own: Statement, part: Trajectory) -> dict[str, np.ndarray]:
    """What roundings of two statements may add up to, by value, in the order of computation."""
    t, precision = part.t[:, np.newaxis], Precision.of(part.g.dtype)
    with np.errstate(all="ignore"):
        both = [of.values(t, part.g, part.before, precision, x=part.x) for of in (statement, own)]
        for values in both:
            values.setdefault("x", precision.exact(part.x) - values["delta"])
    return {name: value.error + both[1][name].error for name, value in both[0].items()}
