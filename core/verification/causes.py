"""Why two implementations part, in words: what one would have to change to give what the other gave."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..errors import InputError
from ..rules import Rule
from .errors import around, counting_calls, decayed, regularised, scaled
from .implementations import Implementation, OfRule
from .judge import Difference
from .mutants import planted
from .rounded import Precision
from .statements import Statement
from .trajectory import Trajectory, Values

STEPS = 120
"""So many first steps must be explained, and a quarter as many from the first difference on."""

Candidate = tuple[tuple[str, ...], Implementation]
"""A changed implementation, with what is changed, in words."""


@dataclass(frozen=True)
class Cause:
    """What explains a difference: in words, and the first value, in the order of computation, that it changes."""

    words: tuple[str, ...]
    stage: str


class Suspect(NamedTuple):
    """What is known of the two that part.

    statement: what should come out. expected: an implementation of it, of which changes are tried.
    own:       the formula by which the trajectory rounds.
    found:     a rule of core with the settings that the trajectory is known to have, if they are known.
    """

    statement: Statement
    expected: Implementation
    own: Statement
    found: Rule | None = None


def cause(suspect: Suspect, trajectory: Trajectory, difference: Difference) -> Cause | None:
    """What would make the expected implementation give what a trajectory shows; None where nothing tried here does.

    trajectory: from step 1, with the slots' names of the statement.
    difference: the first between the trajectory and what is expected from its states.

    As few of the settings that are known to differ as will do are tried first, and have to explain the first
    difference; then planted errors and other values of a setting, each of which has to explain all of the first steps.
    Settings that differ too are named after the decisive ones.

    Raises InputError where a rule fails.
    """
    if difference.step == 0:
        numbers = (difference.found, difference.expected)
        one, other = next(pair for d in (6, 17) if len(set(pair := tuple(f"{n:.{d}g}" for n in numbers))) == 2)
        return Cause((f"slot {difference.value} starting at {one} instead of {other}",), difference.value)
    statement, expected, own, found = suspect
    rule = expected.rule if isinstance(expected, OfRule) else None
    if rule is not None and found is not None:
        part = trajectory.steps(slice(difference.step - 1, difference.step))
        for group in _settings(rule, found):
            if why := _best(group, difference, (difference.value,), part, expected, _bounds(statement, own, part)):
                others = [words for words in _all_settings(rule, found) if words not in why.words]
                return replace(why, words=(*why.words, *others))
    part = trajectory.steps(_explained(len(trajectory.t), difference.step - 1))
    moved = "delta" if "delta" in trajectory.after else "x"
    names, bounds = (moved, *statement.slots), _bounds(statement, own, part)
    if why := _best(_errors(suspect, part), difference, names, part, expected, bounds):
        return why
    row = int(np.argmax(part.t == difference.step))
    fitted = _fitted(expected, part, difference.value, row, difference.coordinate)
    return _best(fitted, difference, names, part, expected, bounds)


def _explained(steps: int, first: int) -> np.ndarray:
    """The positions of the steps that must be explained: the first ones, and those from the first difference on."""
    return np.union1d(np.arange(min(steps, STEPS)), np.arange(first, min(steps, first + STEPS // 4)))


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
        base, tried = _values(expected, part), []
        for words, candidate in candidates:
            values = _values(candidate, part)
            if (share := _share(part, names, values, base, bounds)) <= 1:
                tried.append((share, words, values))
        for _, words, values in sorted(tried, key=lambda one: one[0]):
            stage = _first_changed(values, base, order)
            if stage is not None and order.index(stage) <= order.index(difference.value):
                return Cause(words, stage)
    return None


def _values(implementation: Implementation, part: Trajectory) -> dict[str, Any]:
    """What it gives from each state, the update and the parameter both."""
    values = dict(implementation.follow(part))
    x = np.longdouble(part.x)
    if "delta" not in values:
        values["delta"] = x - values["x"]
    return values | {"x": x - values["delta"]}


def _settings(expected: Rule, found: Rule) -> Iterator[list[Candidate]]:
    """The expected rule with one of the other's settings, with two of them, and so on."""
    names = _differing(expected, found)
    for count in range(1, len(names) + 1):
        candidates: list[Candidate] = []
        for chosen in combinations(names, count):
            changed = {name: getattr(found, name) for name in chosen}
            words = tuple(_in_words(name, value, getattr(expected, name)) for name, value in changed.items())
            with suppress(InputError):  # such as an ε of 0 on an accumulator of 0
                candidates.append((words, OfRule("", replace(expected, **changed))))
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
        if not rounding and not name.endswith("_in") and name != "incremental":
            words.append(_in_words(name, one, other))
    return words


def _errors(suspect: Suspect, part: Trajectory) -> Iterator[Candidate]:
    expected = suspect.expected
    if isinstance(expected, OfRule):
        for mutant, rule in planted(expected.rule, part.g.dtype):
            yield (mutant.name,), OfRule(mutant.name, rule)
    for error in around(expected, suspect.statement.slots):
        yield (error.name,), error
    if part.calls is not None and isinstance(expected, OfRule):  # which takes another step's number at each coordinate
        error = counting_calls(expected)
        yield (error.name,), error


class _Family(NamedTuple):
    """A change by one number: its name, the values to look between, the number that changes nothing, the change."""

    name: str
    values: np.ndarray
    usual: float
    of: Callable[[float], Implementation]

    def words(self, value: float) -> str:
        return f"{self.name} = {value:g} instead of {self.usual:g}" if self.usual else f"{self.name} of {value:g}"


SIZES = 10.0 ** np.arange(-16.0, 4.25, 0.25)
SHARES = np.concatenate([[0.0], 1 - 10.0 ** np.arange(-0.025, -7.0, -0.05)])


def _families(expected: Implementation) -> Iterator[_Family]:
    if isinstance(expected, OfRule):
        for name, value in expected.settings.items():
            if name != "initial_accumulator_value":
                values = SHARES if name in ("beta_1", "beta_2", "rho") else SIZES
                yield _Family(SYMBOLS.get(name, name), values, value, partial(_with, expected.rule, name))
    else:
        yield _Family("Δ times", SIZES, 1.0, lambda factor: scaled(expected, factor, ""))
    rate = expected.settings.get("learning_rate", 1.0)
    form = "α·λ·θ" if "learning_rate" in expected.settings else "λ·θ"
    yield _Family(f"weight decay, {form} in the update, λ", SIZES, 0.0, lambda v: decayed(expected, v * rate, ""))
    yield _Family("L2, λ·θ in the gradient, λ", SIZES, 0.0, lambda v: regularised(expected, v, ""))


def _with(rule: Rule, name: str, value: float) -> OfRule:
    return OfRule("", replace(rule, **{name: value}))


def _fitted(expected: Implementation, part: Trajectory, value: str, row: int, column: int) -> Iterator[Candidate]:
    """Changes by one number that give what the trajectory shows at its first difference; round numbers first."""
    one = part.steps(slice(row, row + 1))

    def alone(array: np.ndarray) -> np.ndarray:
        return np.asarray(array[:, [column]], np.float64)

    before, after = (
        {name: alone(array) for name, array in of.items() if array.shape[1] > 1} for of in (one.before, one.after)
    )
    if value not in after:
        return
    lone = Trajectory(one.t, alone(one.g), alone(one.x), before, after)
    target = float(after[value][0, 0])
    for family in _families(expected):

        def off(number: float, family: _Family = family) -> float:
            try:
                return float(np.ravel(_values(family.of(number), lone)[value])[0]) - target
            except InputError:  # a number that the rule refuses
                return math.nan

        grid = [(number, off(number)) for number in map(float, family.values)]
        for (low, at_low), (high, at_high) in pairwise(grid):
            if at_low * at_high <= 0:
                found: Any = brentq(off, low, high, xtol=1e-300, rtol=1e-14)  # pyright: ignore[reportArgumentType]
                for number in _rounded(float(found)):
                    with suppress(InputError):
                        yield (family.words(number),), family.of(number)


def _rounded(number: float) -> list[float]:
    """The number in one to four digits, it or what it lacks to 1, and as it is; those that are near to it."""
    short = [float(f"{number:.{digits}e}") for digits in range(4)]
    if 0 <= number < 1:
        short += [round(1 - float(f"{1 - number:.{digits}e}"), 12) for digits in range(4)]
    near = [one for one in short if abs(one - number) <= 1e-2 * abs(number)]
    return list(dict.fromkeys([*near, number]))


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
            values["x"] = precision.exact(part.x) - values["delta"]
    return {name: value.error + both[1][name].error for name, value in both[0].items()}


SYMBOLS = {"epsilon": "ε", "learning_rate": "learning rate", "beta_1": "β1", "beta_2": "β2", "rho": "ρ",
           "epsilon_root": "ε inside the root", "initial_accumulator_value": "first accumulator"}  # fmt: skip

FORMS = {
    "epsilon-hat": "ε̂ for ε: added to √v, before the bias correction",
    "algorithm-1": "ε for ε̂: added to √v̂, after the bias correction",
    "inside-root": "ε inside the root instead of outside",
    "outside-root": "ε outside the root instead of inside",
}


def _in_words(name: str, found: Any, expected: Any) -> str:
    if name == "epsilon_form":
        return FORMS[found]
    if name in ("complement_in", "power_in"):
        what = "1 − β subtracted" if name == "complement_in" else "β^t computed"
        one, other = ("the variable's dtype" if place == "variable" else place for place in (found, expected))
        return f"{what} in {one} instead of {other}"
    if isinstance(found, float) and isinstance(expected, float):
        if name == "epsilon" and 0 in (found, expected):
            return f"ε = {found:g} where there is none" if found else f"no ε instead of {expected:g}"
        return f"{SYMBOLS.get(name, name)} = {found:g} instead of {expected:g}"
    return f"{SYMBOLS.get(name, name)}: {found} instead of {expected}"
