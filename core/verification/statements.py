"""What should come out of a step, and how far rounding may take it, where no formula of ours says so.

A formula (`formulas.Formula`) is one such statement. Another is a rule or a NumPy function, run on numbers that carry
their rounding errors (`rounded.Rounded`) in a wider dtype; a third a library's optimizer, of which only its answers
are known: what it moves by when its inputs move by a rounding stands for its error.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol

import numpy as np

from ..engine.checks import slots_of, step_of
from ..mistakes import mistakes_in
from ..rules import At, Rule, named, refilled
from .implementations import Implementation, OfFunction, OfRule
from .layout import Layout
from .optimizers import OfOptimizer
from .rounded import Precision, Rounded
from .trajectory import Trajectory, Values, check_names, filled

Numbers = Mapping[str, Any]
"""By name: arrays of the narrow dtype, or `Rounded`."""


class Statement(Protocol):
    """What should come out of a step.

    slots:     the names of the slots.
    estimated: whether its bounds are estimates.
    """

    estimated: ClassVar[bool]

    @property
    def slots(self) -> tuple[str, ...]: ...

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        """The slots before the first step, in the shape and dtype of `like`."""
        ...

    def values(
        self, t: Any, g: Any, slots: Numbers, precision: Precision, found: Numbers | None = None, x: Any = None
    ) -> dict[str, Rounded]:
        """All values of step t in the order of their computation, and what each may be off."""
        ...

    def terms(
        self, t: Any, g: np.ndarray, slots: Values, precision: Precision, values: Any, x: Any = None
    ) -> dict[str, np.ndarray]:
        """The scale of the rounding errors of those values."""
        ...


def widened(numbers: Any, precision: Precision) -> Any:
    return numbers if isinstance(numbers, Rounded) else precision.exact(numbers)


class _OfBounds:
    """A statement whose units of error are its bounds: it does not know the terms of its sums."""

    estimated: ClassVar[bool] = False

    def terms(
        self, t: Any, g: np.ndarray, slots: Values, precision: Precision, values: Mapping[str, Rounded], x: Any = None
    ) -> dict[str, np.ndarray]:
        return {name: value.error / precision.unit for name, value in values.items()}


class StatedByRule(_OfBounds):
    """A rule, run on numbers that carry their rounding errors."""

    def __init__(self, rule: Rule):
        self._rule, self._name = rule, type(rule).__name__
        self._like = slots_of(rule, np.zeros(1))
        self.slots = tuple(named(self._like))

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        return {name: filled(value, like) for name, value in named(slots_of(self._rule, like)).items()}

    def values(
        self, t: Any, g: Any, slots: Numbers, precision: Precision, found: Numbers | None = None, x: Any = None
    ) -> dict[str, Rounded]:
        of = refilled(self._like, {name: widened(slots[name], precision) for name in self.slots})
        said = "does not run on numbers that carry their rounding errors"
        at = At(precision.wide(t))
        step = step_of(self._rule, flushed(g, precision), of, widened(x, precision), at, said)
        check_names(self._name, step)
        return _all_rounded(self._name, step.values | {"delta": step.delta, "x": step.x}, precision)


class StatedByFunction(_OfBounds):
    """A NumPy function, run on numbers that carry their rounding errors.

    Called once for all steps where it bears that, else step by step.
    """

    def __init__(self, function: OfFunction):
        self._function = function
        self.slots = tuple(function.first(np.zeros(1)))

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        return dict(self._function.first(like))

    def values(
        self, t: Any, g: Any, slots: Numbers, precision: Precision, found: Numbers | None = None, x: Any = None
    ) -> dict[str, Rounded]:
        g, x = flushed(g, precision), widened(x, precision)
        of = {name: widened(slot, precision) for name, slot in slots.items()}
        if np.ndim(t) == 0:
            return self._stated(int(t), g, of, precision, x)
        try:
            return self._stated(precision.wide(t), g, of, precision, x)
        except Exception:  # such as an `if` on the number of the step
            rows = [
                self._stated(int(n), g[row], {s: v[row] for s, v in of.items()}, precision, x[row])
                for row, n in enumerate(np.ravel(t))
            ]
            return {
                name: Rounded(
                    np.stack([r[name].value for r in rows]), np.stack([r[name].error for r in rows]), precision
                )
                for name in rows[0]
            }

    def _stated(self, t: Any, g: Rounded, slots: Numbers, precision: Precision, x: Rounded) -> dict[str, Rounded]:
        values = self._function.call(g, dict(slots), t, x)
        values = _all_rounded(self._function.name, values, precision)
        moved = values.pop(self._function.returns)
        return values | {"delta": moved if self._function.returns == "delta" else x - moved}


JITTERS, MARGIN = 4, 8
"""How often a library is asked about inputs that a rounding has moved, and how many times their effect is allowed."""


class StatedByOptimizer(_OfBounds):
    """A library's optimizer: its answers in the judged dtype, and estimates of their errors.

    Its answers move with its inputs: the largest move under relative changes of ε_machine of all of them, eight
    times over, and eight units of the value itself are allowed.
    """

    estimated: ClassVar[bool] = True

    def __init__(self, optimizer: OfOptimizer):
        self._optimizer, self._reads_x, self._layout = optimizer, False, None
        self._shows_update = False
        self._answered: dict[bytes, dict[str, Rounded]] = {}
        self.slots = tuple(optimizer.first(np.zeros(2, np.float32)))

    def laid_out(self, layout: Layout) -> "StatedByOptimizer":
        """The same on tensors, whose norms it may take."""
        other = type(self)(self._optimizer)
        other._layout = layout
        return other

    def reads_x(self, part: Trajectory) -> bool:
        """Whether its updates depend on the parameters."""
        self._answers(part, Precision.of(part.g.dtype))
        return self._reads_x

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        return dict(self._optimizer.first(like))

    def values(
        self, t: Any, g: Any, slots: Numbers, precision: Precision, found: Numbers | None = None, x: Any = None
    ) -> dict[str, Rounded]:
        part = Trajectory(np.ravel(t), g, x, slots, {}, None, self._layout)
        key = b"".join(array.tobytes() for array in (part.t, g, x, *slots.values()))
        if key not in self._answered:  # planted errors are all judged from the same states
            self._answered = {key: self._stated(part, precision)}
        return dict(self._answered[key])

    def _stated(self, part: Trajectory, precision: Precision) -> dict[str, Rounded]:
        answer, moved = self._answers(part, precision), {}
        reads_x = self._reads_x
        for number in range(JITTERS):
            jittered = self._answers(_jittered(part, number), precision)
            for name, value in jittered.items():
                moved[name] = np.maximum(moved.get(name, 0), np.abs(value - answer[name]))
        unit, tiny = precision.unit, precision.tiny
        errors = {name: MARGIN * (moved[name] + unit * np.abs(value) + tiny) for name, value in answer.items()}
        if reads_x and not self._shows_update:  # the parameter is rounded where it decays, and where it moves
            errors["delta"] = errors["delta"] + 2 * unit * np.abs(precision.wide(part.x))
        return {name: Rounded(value, errors[name], precision) for name, value in answer.items()}

    def _answers(self, part: Trajectory, precision: Precision) -> dict[str, Any]:
        """The update and the slots; from parameters of 0, where an update shows to the last bit, if it is the same."""
        values = {name: precision.wide(value) for name, value in self._optimizer.follow(part).items()}
        if "x" in values:
            moved = precision.wide(part.x) - values.pop("x")
            at_zero = self._optimizer.follow(replace(part, x=np.zeros_like(part.x)))
            alone = -precision.wide(at_zero["x"])
            near = np.abs(moved - alone) <= precision.unit * (np.abs(part.x) + np.abs(alone))
            self._reads_x = not np.all(near)
            values["delta"] = moved if self._reads_x else alone
        elif not self._shows_update:  # asked for the first time
            at_zero = self._optimizer.follow(replace(part, x=np.zeros_like(part.x)))["delta"]
            self._reads_x = not np.array_equal(values["delta"], precision.wide(at_zero), equal_nan=True)
            self._shows_update = True
        return values


def _jittered(part: Trajectory, number: int) -> Trajectory:
    random = np.random.default_rng(number)
    eps = np.finfo(part.g.dtype).eps

    def moved(values: np.ndarray) -> np.ndarray:
        return values * (1 + eps * random.choice([-1, 1], values.shape).astype(values.dtype))

    before = {name: moved(slot) for name, slot in part.before.items()}
    return replace(part, g=moved(part.g), x=moved(part.x), before=before)


def _all_rounded(owner: str, values: Mapping[str, Any], precision: Precision) -> dict[str, Rounded]:
    """All as numbers that carry their rounding errors, constants too."""
    with mistakes_in(None, owner):
        return {name: value if isinstance(value, Rounded) else precision.exact(value) for name, value in values.items()}


def flushed(g: Any, precision: Precision) -> Rounded:
    """Gradients, of which one below the smallest normal number may be taken for 0."""
    if isinstance(g, Rounded):
        return g
    wide = precision.wide(g)
    return Rounded(wide, np.where(np.abs(g) < precision.tiny, np.abs(wide), 0), precision)


def stated_by(implementation: Implementation) -> Statement:
    """What an implementation says should come out."""
    if isinstance(implementation, OfRule):
        return StatedByRule(implementation.rule)
    if isinstance(implementation, OfFunction):
        return StatedByFunction(implementation)
    assert isinstance(implementation, OfOptimizer)
    return StatedByOptimizer(implementation)
