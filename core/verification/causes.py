"""Why two implementations part, in words: what one would have to change to give what the other gave."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import Rule
from .formulas import Formula
from .implementations import Values, steps_of
from .judge import Difference
from .mutants import planted
from .rounded import Precision
from .trajectory import Trajectory

STEPS = 120
"""So many steps must be explained; later ones show nothing that these do not."""


Candidates = list[tuple[tuple[str, ...], Rule]]
"""Changed rules, each with what is changed, in words."""


class Cause(NamedTuple):
    """What explains a difference: in words, and the first value, in the order of computation, that it changes."""

    words: tuple[str, ...]
    stage: str


def cause(
    formula: Formula,
    expected: Rule,
    trajectory: Trajectory,
    difference: Difference,
    own: Formula,
    found: Rule | None = None,
) -> Cause | None:
    """What would make `expected` give what a trajectory shows; None where nothing tried here does.

    formula:    what `expected` computes.
    trajectory: from step 1, with the slots' names of `expected`.
    difference: the first between the trajectory and what `expected` gives from its states.
    own:        the formula by which the trajectory rounds.
    found:      a rule of core with the settings that the trajectory is known to have, if they are known. As few of
                them as will do are tried first, and have to explain the first difference; then the planted errors of
                `mutants`, each of which has to explain all that the trajectory shows.

    Raises InputError where a rule fails.
    """
    if difference.step == 0:
        numbers = (difference.found, difference.expected)
        one, other = next(pair for d in (6, 17) if len(set(pair := tuple(f"{n:.{d}g}" for n in numbers))) == 2)
        return Cause((f"slot {difference.value} starting at {one} instead of {other}",), difference.value)
    if found is not None:
        part = trajectory.steps(slice(difference.step - 1, difference.step))
        for group in _settings(expected, found):
            if why := _best(group, difference, (difference.value,), part, expected, _bounds(formula, own, part)):
                return why
    part = trajectory.steps(slice(STEPS))
    errors, names = _errors(expected, trajectory.g.dtype), ("delta", *formula.slots)
    return _best(errors, difference, names, part, expected, _bounds(formula, own, part))


def _best(
    candidates: Candidates,
    difference: Difference,
    names: Iterable[str],
    part: Trajectory,
    expected: Rule,
    bounds: Mapping[str, np.ndarray],
) -> Cause | None:
    """The candidate that comes nearest to the trajectory in these values, if within rounding.

    What it changes first must not come after the first difference, which it would not explain.
    """
    order = [*bounds, "x"]
    with np.errstate(all="ignore"):
        base = steps_of(expected, part)
        tried = [(_share(part, names, steps_of(rule, part), base, bounds), words, rule) for words, rule in candidates]
        for share, words, rule in sorted(tried, key=lambda one: one[0]):
            if share > 1:
                break
            stage = _first_changed(steps_of(rule, part), base, order)
            if stage is not None and order.index(stage) <= order.index(difference.value):
                return Cause(words, stage)
    return None


def _settings(expected: Rule, found: Rule) -> Iterator[Candidates]:
    """The expected rule with one of the other's settings, with two of them, and so on."""
    names = [f.name for f in fields(expected) if getattr(expected, f.name) != getattr(found, f.name, None)]
    for count in range(1, len(names) + 1 if type(expected) is type(found) else 0):
        candidates: Candidates = []
        for chosen in combinations(names, count):
            changed = {name: getattr(found, name) for name in chosen}
            words = tuple(_in_words(name, value, getattr(expected, name)) for name, value in changed.items())
            with suppress(InputError):  # such as an ε of 0 on an accumulator of 0
                candidates.append((words, replace(expected, **changed)))
        yield candidates


def _errors(expected: Rule, dtype: Any) -> Candidates:
    return [((mutant.name,), rule) for mutant, rule in planted(expected, dtype)]


def _share(
    part: Trajectory, names: Iterable[str], values: Values, base: Values, bounds: Mapping[str, np.ndarray]
) -> float:
    """How far the trajectory is from the values, in what rounding allows: that of `base`, larger as values are."""
    worst = 0.0
    for name in names:
        found, value = np.longdouble(part.after[name]), np.longdouble(values.get(name, values["delta"]))
        scale = np.maximum(1, np.nan_to_num(np.abs(value / base.get(name, base["delta"])), nan=1.0, posinf=1.0))
        same = (found == value) | (np.isnan(found) & np.isnan(value))
        shares = np.where(same, 0.0, np.nan_to_num(np.abs(found - value) / (bounds[name] * scale), nan=np.inf))
        worst = max(worst, float(np.max(shares)))
    return worst


def _first_changed(values: Values, base: Values, order: Iterable[str]) -> str | None:
    """The first value that is not the same to the bit: what a change does not touch is computed alike."""
    shared = (name for name in order if name in values and name in base)
    return next((name for name in shared if not np.array_equal(values[name], base[name], equal_nan=True)), None)


def _bounds(formula: Formula, own: Formula, part: Trajectory) -> dict[str, np.ndarray]:
    """What roundings of two formulas may add up to, by value, in the order of computation."""
    t, precision = part.t[:, np.newaxis], Precision.of(part.g.dtype)
    with np.errstate(all="ignore"):
        values, others = (f.values(t, part.g, part.before, precision) for f in (formula, own))
    return {name: value.error + others[name].error for name, value in values.items()}


SYMBOLS = {"epsilon": "ε", "learning_rate": "learning rate", "beta_1": "β1", "beta_2": "β2", "rho": "ρ",
           "initial_accumulator_value": "first accumulator"}  # fmt: skip

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
