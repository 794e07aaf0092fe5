"""The first divergence: two implementations on one stream, and the first value that rounding cannot explain."""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from .causes import Suspect, cause
from .graph import OfFormula
from .implementations import Implementation, OfRule, renamed
from .judge import judge, judge_first
from .streams import Streams


@dataclass(frozen=True)
class Divergence:
    """Where two implementations part.

    step:       counted from 1; 0 is the state before the first.
    coordinate: its name in the streams. gradient: the one of that step, None before the first.
    value:      the first value, in the order of computation, in which they part and which both show.
    stage:      the first that parts them in the formula: `value`, or one before it that they do not both show.
    found, expected: what the first and the second compute there, from the same state.
    units, bound:    their difference, and what rounding explains, in ε_machine·Σ|terms|.
    whose, cause:    what the implementation `whose` does differently, in words; none where no cause is known.
    """

    step: int
    coordinate: str
    gradient: float | None
    value: str
    stage: str
    found: float
    expected: float
    units: float
    bound: float
    whose: str
    cause: tuple[str, ...]


def diverge(a: Implementation, b: Implementation, streams: Streams) -> Divergence | None:
    """Where a and b part by more than rounding along the streams; None where they do not.

    One of them, a where both are known, runs its own way; the other takes every step from the first one's state, so
    that a difference is seen where it arises, not where it has added up. A rule of core is represented by its formula,
    exactly. They part where the bounds of what they compute are passed.

    Raises InputError for implementations that fail, that differ in their number of slots or are known to be two
    rules, and where neither is known.
    """
    runner, follower = (a, b) if b.known is not None else (b, a)
    if follower.known is None:
        raise InputError(f"One of {a.name} and {b.name} must be known here, to say what rounding may do.")
    if runner.known is not None and runner.known.name != follower.known.name:
        raise InputError(
            f"{a.name} and {b.name} must be one rule, found {runner.known.name} and {follower.known.name}."
        )
    g = streams.gradients
    for one in (a, b):
        if one.narrow_settings and g.dtype == np.float64:
            raise InputError(f"{one.name} keeps its settings in float32: compare it in float32.")
    formula = follower.rounding(follower.known.formula, g.dtype)
    # Someone's own may round β before it raises it to the power t, or not: half a unit a step.
    own = runner.rounding(runner.known.formula if runner.known else replace(formula, running=True), g.dtype)
    trajectory = renamed(runner.run(streams), formula.slots, runner.name)
    start = {name: before[0] for name, before in trajectory.before.items()}
    difference = judge_first(start, follower.first(g[0]))
    if difference is None:
        theirs = None if isinstance(follower, OfRule) else follower.follow(trajectory)
        difference = judge(formula, trajectory, theirs, own).first
    if difference is None:
        return None
    rule = runner.known.rule if runner.known else None
    expected = OfFormula(follower.name, formula)
    why = cause(Suspect(formula, expected, own, follower.known, rule), trajectory, difference)
    found, expected = difference.found, difference.expected
    return Divergence(
        step=difference.step,
        coordinate=streams.place(difference.coordinate),
        gradient=float(g[difference.step - 1, difference.coordinate]) if difference.step else None,
        value=difference.value,
        stage=why.stage if why and why.stage not in trajectory.after else difference.value,
        found=found if runner is a else expected,
        expected=expected if runner is a else found,
        units=difference.units,
        bound=difference.bound,
        whose=runner.name,
        cause=why.words if why else (),
    )
