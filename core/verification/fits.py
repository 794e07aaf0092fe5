"""Changes by one number that would make an implementation compute what a trajectory shows at one place."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..errors import InputError
from ..rules import Rule
from ..rules.settings import Interval, notes
from .errors import decayed, regularised, scaled
from .implementations import Implementation, OfRule
from .trajectory import Trajectory
from .words import symbol


class Candidate(NamedTuple):
    """A changed implementation, with what is changed, in words; whether that is another rounding and no more."""

    words: tuple[str, ...]
    implementation: Implementation
    rounding: bool = False


def all_values(implementation: Implementation, part: Trajectory) -> dict[str, Any]:
    """What it computes from each state, the update and the parameter both."""
    values = dict(implementation.follow(part))
    x = np.longdouble(part.x)
    if "delta" not in values:
        values["delta"] = x - values["x"]
    return {"x": x - values["delta"]} | values


class _Family(NamedTuple):
    """A change by one number: its name, the values to look between, the number that changes nothing, the change."""

    name: str
    values: np.ndarray
    usual: float
    of: Callable[[float], Implementation]

    def words(self, value: float) -> str:
        return (
            f"{self.name} = {value:.10g} instead of {self.usual:.10g}" if self.usual else f"{self.name} of {value:.10g}"
        )


SIZES = 10.0 ** np.arange(-16.0, 4.25, 0.25)
SHARES = np.concatenate([[0.0], 1 - 10.0 ** np.arange(-0.025, -7.0, -0.05)])


def _families(expected: Implementation) -> Iterator[_Family]:
    if isinstance(expected, OfRule):
        shares = {name for name, interval in notes(type(expected.rule), Interval).items() if interval.below == 1}
        for name, value in expected.settings.items():
            values = SHARES if name in shares else SIZES
            yield _Family(symbol(name), values, value, partial(_with, expected.rule, name))
    else:
        yield _Family("Δ times", SIZES, 1.0, lambda factor: scaled(expected, factor, ""))
    rate = expected.settings.get("learning_rate", 1.0)
    form = "α·λ·θ" if "learning_rate" in expected.settings else "λ·θ"
    yield _Family(f"weight decay, {form} in the update, λ", SIZES, 0.0, lambda v: decayed(expected, v * rate, ""))
    yield _Family("L2, λ·θ in the gradient, λ", SIZES, 0.0, lambda v: regularised(expected, v, ""))


def _with(rule: Rule, name: str, value: float) -> OfRule:
    return OfRule("", replace(rule, **{name: value}))


def fitted(expected: Implementation, part: Trajectory, value: str, row: int, column: int) -> Iterator[Candidate]:
    """Changes by one number that compute what the trajectory shows at its first difference; round numbers first."""
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
                return float(np.ravel(all_values(family.of(number), lone)[value])[0]) - target
            except InputError:  # a number that the rule refuses
                return math.nan

        grid = [(number, off(number)) for number in map(float, family.values)]
        for (low, at_low), (high, at_high) in pairwise(grid):
            if at_low * at_high <= 0:
                found: Any = brentq(off, low, high, xtol=1e-300, rtol=1e-14, disp=False)  # pyright: ignore[reportArgumentType]
                for number in _rounded(float(found)):
                    if f"{number:.10g}" != f"{family.usual:.10g}":
                        with suppress(InputError):
                            rounding = abs(number - family.usual) <= float(np.finfo(np.float32).eps) / 2 * family.usual
                            yield Candidate((family.words(number),), family.of(number), rounding)


def _rounded(number: float) -> list[float]:
    """The number in one to four digits, it or what it lacks to 1, and as it is; those that are near to it."""
    short = [float(f"{number:.{digits}e}") for digits in range(4)]
    if 0 <= number < 1:
        short += [round(1 - float(f"{1 - number:.{digits}e}"), 12) for digits in range(4)]
    near = [one for one in short if abs(one - number) <= 1e-2 * abs(number)]
    return list(dict.fromkeys([*near, number]))
