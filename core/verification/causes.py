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
from .implementations import Known, Values, steps_of
from .judge import Difference
from .mutants import planted
from .rounded import Precision
from .trajectory import Trajectory

STEPS = 120
"""So many steps must be explained; later ones show nothing that these do not."""


class Cause(NamedTuple):
    """What explains a difference: in words, and the first value, in the order of computation, that it changes."""

    words: tuple[str, ...]
    stage: str


def cause(
    formula: Formula, expected: Rule, trajectory: Trajectory, difference: Difference, found: Known | None = None
) -> Cause | None:
    """What would make `expected` give what a trajectory shows; None where nothing tried here does.

    formula:    what `expected` computes.
    trajectory: from step 1, with the slots' names of `expected`.
    difference: the first between the trajectory and what `expected` gives from its states.
    found:      the rule that the trajectory is known to follow, if it is. Then the settings in which the two differ
                are tried, as few as will do, and they have to explain the first difference alone; else the planted
                errors of `mutants`, each of which has to explain all that the trajectory shows.

    Raises InputError where a rule fails.
    """
    if difference.step == 0:
        words = f"{difference.value} starts at {difference.found:.9g}, and should start at {difference.expected:.9g}"
        return Cause((words,), difference.value)
    if found is None:
        part, names = trajectory.steps(slice(STEPS)), ("delta", *formula.slots)
        groups = [_errors(expected, trajectory.g.dtype)]
    else:
        part, names = trajectory.steps(slice(difference.step - 1, difference.step)), (difference.value,)
        groups = _settings(expected, found.rule)
    with np.errstate(all="ignore"):
        base, bounds = steps_of(expected, part), _bounds(formula, found.formula if found else formula, part)
        for group in groups:
            tried = [(_share(part, names, steps_of(rule, part), base, bounds), words, rule) for words, rule in group]
            share, words, rule = min(tried, key=lambda one: one[0], default=(np.inf, (), expected))
            if share <= 1:
                return Cause(words, _first_changed(steps_of(rule, part), base, bounds) or difference.value)
    return None


Candidates = list[tuple[tuple[str, ...], Rule]]
"""Changed rules, each with what is changed, in words."""


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


def _first_changed(values: Values, base: Values, bounds: Mapping[str, np.ndarray]) -> str | None:
    for name, bound in bounds.items():
        if name in values and not np.all(np.abs(np.longdouble(values[name]) - base[name]) <= bound):
            return name
    return None


def _bounds(formula: Formula, own: Formula, part: Trajectory) -> dict[str, np.ndarray]:
    """What roundings of two formulas may add up to, by value, in the order of computation."""
    t, precision = part.t[:, np.newaxis], Precision.of(part.g.dtype)
    values, others = (f.values(t, part.g, part.before, precision) for f in (formula, own))
    return {name: value.error + others[name].error for name, value in values.items()}


def _in_words(name: str, found: Any, expected: Any) -> str:
    forms = {
        "epsilon-hat": "ε̂ for ε: added to √v, before the bias correction",
        "algorithm-1": "ε for ε̂: added to √v̂, after the bias correction",
        "inside-root": "ε inside the root, for outside",
        "outside-root": "ε outside the root, for inside",
    }
    if name == "epsilon_form":
        return forms[found]
    if name == "complement_in":
        return f"1 − β subtracted in {_precision(found)}, for {_precision(expected)}"
    if name == "power_in":
        return f"β^t computed in {_precision(found)}, for {_precision(expected)}"
    if name == "incremental":
        return f"averages in increments: {found}, for {expected}"
    if name == "initial_accumulator_value":
        return f"first accumulator {found:g}, for {expected:g}"
    symbol = {"epsilon": "ε", "learning_rate": "learning rate", "beta_1": "β1", "beta_2": "β2", "rho": "ρ"}.get(name, name)
    if isinstance(found, float) and isinstance(expected, float):
        return f"{symbol} = {found:g}, for {'none' if name == 'epsilon' and expected == 0 else f'{expected:g}'}"
    return f"{symbol}: {found}, for {expected}"


def _precision(name: str) -> str:
    return "the variable's dtype" if name == "variable" else name
