"""What became of each rule in each library and dtype, and why, in a word."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.verification import NARROW, REFERENCES
from core.verification.known import known

from .walks import GRADIENTS, LIBRARIES, OURS, Walk, of_library, of_rawstep

WIDE = "float32"
STILL = 10
"""A parameter that has not moved in the last tenth of the steps has stopped."""
SIGNS = {"beta_1": "β1", "beta_2": "β2", "rho": "ρ", "epsilon": "ε", "learning_rate": "α"}


@dataclass(frozen=True)
class Cell:
    """What became of a rule in a library, in a dtype, for a gradient.

    outcome: moves, until the last step; stops; not finite; lacks, where the library lacks the rule; refuses, where it
             does not take the dtype; missing, where it is not installed.
    step:    the last at which the parameter moved, 0 where none did; of what is not finite, the first that was not.
    way:     how far it went as a share of how far the same optimizer goes in float32; None where it did not end finite.
    why:     in a word: of what stopped, whether the update is below half a unit in the parameter's last place, or 0;
             else what is 0 or infinite there, and what the dtype makes of a setting.
    update:  what a step more would subtract, before it is rounded to the parameter's place.
    """

    rule: str
    library: str
    dtype: str
    gradient: float
    outcome: str
    step: int | None = None
    way: float | None = None
    why: str = ""
    update: float | None = None


def cells(rules: Sequence[str], steps: int, begin: Callable[[str], None]) -> Iterator[Cell]:
    """All of these rules, in rawstep and in every library; `begin` is called with the name of each piece of work, as
    often as `pieces` says."""
    begin(OURS)
    ours = {dtype: of_rawstep(rules, dtype, steps) for dtype in (WIDE, *NARROW)}
    for rule in rules:
        for dtype in NARROW:
            settings = known(rule, "paper", {}).formula.decided
            yield from _found(rule, OURS, dtype, ours[dtype][rule], ours[WIDE][rule], settings, WIDE)
        for library in LIBRARIES:
            begin(f"{rule} of {library}")
            yield from _of_library(rule, library, steps)


def pieces(rules: Sequence[str]) -> int:
    return 1 + len(rules) * len(LIBRARIES)


def _of_library(rule: str, library: str, steps: int) -> Iterator[Cell]:
    kind = REFERENCES[library]
    outcome, why = ("lacks", "") if not kind.has(rule) else ("missing", kind.missing() or "")
    if outcome == "lacks" or why:
        yield from (Cell(rule, library, dtype, g, outcome, why=why) for dtype in NARROW for g in GRADIENTS)
        return
    wide, settings = of_library(library, rule, WIDE, steps), known(rule, kind.dialect, {}).formula.decided
    for dtype in NARROW:
        try:
            walk = of_library(library, rule, dtype, steps)
        except Exception as error:  # a library may raise anything where it has no kernel
            why = str(error).split(" with these attrs")[0].splitlines()[0][:120]
            yield from (Cell(rule, library, dtype, g, "refuses", why=why) for g in GRADIENTS)
        else:
            yield from _found(rule, library, dtype, walk, wide, settings, dtype)


def _found(
    rule: str, library: str, dtype: str, walk: Walk, wide: Walk, settings: dict[str, Any], state: str
) -> Iterator[Cell]:
    """state: the dtype of slots, settings and of the parameter that moves."""
    steps = len(walk.x) - 1
    for place, gradient in enumerate(GRADIENTS):
        x, update = walk.x[:, place], float(walk.delta[place])
        start: Any = dict(rule=rule, library=library, dtype=dtype, gradient=gradient)
        if not np.isfinite(x).all():
            step = int(np.argmax(~np.isfinite(x)))
            yield Cell(**start, outcome="not finite", step=step, why=_facts(walk, place, settings, state))
            continue
        moved = np.flatnonzero(np.diff(x)) + 1
        step = int(moved[-1]) if len(moved) else 0
        far = wide.x[-1, place] - wide.x[0, place]
        way = float((x[-1] - x[0]) / far) if far else None
        stopped, why = step <= steps - max(1, steps // STILL), ""
        if stopped and update and np.isfinite(update):
            why = _too_small(abs(update) / _half_unit(x[-1], update, state), bool(walk.still[place]))
        elif stopped:
            why = "Δ = 0: " + (_facts(walk, place, settings, state) or "it rounds to 0")
        yield Cell(**start, outcome="stops" if stopped else "moves", step=step, way=way, why=why, update=update)


def _too_small(halves: float, still: bool) -> str:
    """Why a parameter stands still, with an update of this many halves of a unit in its last place."""
    if halves <= 1:
        return "½ ulp"
    if still:
        return "slots stand still"
    return "½ ulp, of each of its parts" if halves <= 2 else "unexplained"


def _half_unit(x: float, update: float, dtype: str) -> float:
    """Half the distance from x to the next number of the dtype where the update leads: what is no more is rounded
    away."""
    kind = np.dtype(dtype).type
    there = np.nextafter(kind(x), kind(-np.inf if update > 0 else np.inf))
    return abs(float(there) - x) / 2


def _facts(walk: Walk, place: int, settings: dict[str, Any], dtype: str) -> str:
    """What of the state is 0 or infinite, and what the dtype makes of settings."""
    kind, found = np.dtype(dtype).type, []
    for name, slot in walk.slots.items():
        if not np.isfinite(slot[place]):
            found.append(f"{name} = {'NaN' if np.isnan(slot[place]) else '∞'}")
        elif slot[place] == 0:
            found.append(f"{name} = 0")
    for name, value in settings.items():
        if isinstance(value, float) and value not in (0.0, 1.0) and float(kind(value)) in (0.0, 1.0):
            found.append(f"{SIGNS.get(name, name)} → {float(kind(value)):g}")
    return ", ".join(found)
