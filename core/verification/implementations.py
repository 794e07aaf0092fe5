"""Whatever computes a rule, seen alike: it runs along gradients, or takes single steps from another one's states."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from ..engine.checks import slots_of, step_of
from ..errors import InputError
from ..mistakes import mistakes_in
from ..rules import At, Chain, Rule, named, refilled
from .formulas import Formula
from .layout import Layout
from .streams import Streams
from .trajectory import Trajectory, Values, called, numpy_trajectory, trajectory_of

Returned = Literal["delta", "x"]
"""What a function returns: the update Δ, or the parameter after it, θ′."""


class Known(NamedTuple):
    """A rule of core by name, in one dialect and with certain settings, and the formula that it should compute."""

    name: str
    dialect: str
    rule: Rule
    formula: Formula


class Implementation(ABC):
    """One way of computing a rule.

    name:  as a person calls it, such as "adam:keras" (rawstep's Adam in the Keras dialect) or "keras:Adam".
    known: the rule of core that should compute the same, or None where that is not known.
    narrow_settings: it keeps its settings in float32, in every dtype.
    """

    name: str
    known: Known | None = None
    narrow_settings: bool = False

    @property
    def settings(self) -> dict[str, float]:
        """Those of its settings that are numbers, as far as they are known."""
        return {} if self.known is None else dict(self.known.formula.settings)

    @abstractmethod
    def first(self, like: np.ndarray) -> Values:
        """The slots before the first step, for parameters of the shape and dtype of `like` [coordinates]."""

    @abstractmethod
    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        """Its own way along the streams, from its own first slots or from `start`."""

    def by_tensor(self, streams: Streams, start: Values | None = None) -> Trajectory:
        """The same, of tensors in a layout and one step at a time."""
        return self.run(streams, start)

    @abstractmethod
    def follow(self, trajectory: Trajectory) -> Values:
        """One step from each state of a trajectory: the update or the parameter, new slots, and any stages it shows."""

    def rounding(self, statement: Any, dtype: Any) -> Any:
        """A statement, a formula mostly, as this implementation rounds in a dtype."""
        return statement


class OfRule(Implementation):
    """A rule of core, or one like it, in NumPy."""

    def __init__(self, name: str, rule: Rule, known: Known | None = None):
        self.name, self.known, self.rule = name, known, rule

    @property
    def settings(self) -> dict[str, float]:
        values = {field.name: getattr(self.rule, field.name) for field in fields(self.rule)}
        return {name: value for name, value in values.items() if isinstance(value, float)}

    def first(self, like: np.ndarray) -> Values:
        return {name: np.asarray(slot) for name, slot in named(slots_of(self.rule, like)).items()}

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        if isinstance(self.rule, Chain):  # which has masks, and norms of variables
            return self.by_tensor(streams, start)
        return numpy_trajectory(self.rule, streams, start)

    def by_tensor(self, streams: Streams, start: Values | None = None) -> Trajectory:
        layout, first = Layout.of(streams.kinds), start or self.first(streams.start)
        return run_along(self.name, self._stepping(layout), streams, first, streams.start, layout=layout)

    def follow(self, trajectory: Trajectory) -> Values:
        """All steps at once; those of a chain one by one."""
        if isinstance(self.rule, Chain):
            return steps_from(self._stepping(trajectory.layout or Layout.flat(trajectory.g.shape[1])), trajectory)
        g, t = trajectory.g, trajectory.t.astype(np.result_type(trajectory.g.dtype, np.float64))
        with np.errstate(all="ignore"):
            slots = slots_of(self.rule, trajectory.x[0])
            if more := [name for name in named(slots) if name not in trajectory.before]:
                raise InputError(f"{self.name} keeps {', '.join(more)} too, found {', '.join(trajectory.before)}.")
            slots = refilled(slots, trajectory.before)
            step = step_of(self.rule, g, slots, trajectory.x, At(t if t.ndim == 2 else t[:, np.newaxis]))
        return {"delta": step.delta, "x": step.x, **step.values}

    def _stepping(self, layout: Layout) -> "Stepping":
        """One step of all tensors, each by its own rule: stages are those that all have, scalars in all elements."""
        rules = {name: self.rule.for_variable(name, len(shape)) for name, shape in layout.shapes.items()}

        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
            gradients, parameters = layout.split(g), layout.split(x)
            of = {name: layout.split(slot) for name, slot in slots.items()}
            norm = np.sqrt(np.sum(np.square(g, dtype=np.result_type(g.dtype, np.float64))))
            at = At(np.result_type(g.dtype, np.float64).type(t), norm if self.rule.reads_norm else None)
            found = {}
            for name, gradient in gradients.items():
                empty = slots_of(rules[name], parameters[name])
                given = refilled(empty, {slot: of[slot][name] for slot in named(empty)})
                with np.errstate(all="ignore"):
                    one = step_of(rules[name], gradient, given, parameters[name], at)
                kept = {slot: part[name] for slot, part in of.items()}
                values = {**kept, "delta": one.delta, **one.values, "x": one.x}
                found[name] = {n: np.broadcast_to(np.asarray(v, g.dtype), gradient.shape) for n, v in values.items()}
            everywhere = [value for value in next(iter(found.values())) if all(value in one for one in found.values())]
            return {value: layout.joined({name: one[value] for name, one in found.items()}) for value in everywhere}

        return step


class OfFunction(Implementation):
    """A plain function of NumPy arrays, update(g, slots, t, x) → (Δ, new slots), with slots as dictionaries.

    slots:    the value of each before the first step.
    settings: the numbers that it uses, by our rules' names; those that it takes as keywords are passed to it.
    asked:    those that it may take as keywords too: its own default is used where it has one, else the number here.
    returns:  "x" where it returns the parameter afterwards in place of Δ.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        slots: Mapping[str, float],
        settings: Mapping[str, float] | None = None,
        returns: Returned = "delta",
        name: str | None = None,
        asked: Mapping[str, float] | None = None,
    ):
        self.name = name or getattr(function, "__name__", repr(function))
        if wrong := {"delta", "x"} & slots.keys():
            raise InputError(f"{self.name}: a slot cannot be called {min(wrong)}, as the update or the parameter is.")
        self._function, self._slots = function, slots
        self.returns: Returned = returns
        try:
            taken = inspect.signature(function).parameters
        except (TypeError, ValueError):  # a built-in function has no signature
            taken = {}
        numbers = {n: _default(self.name, taken[n], value) for n, value in (asked or {}).items() if n in taken}
        self._settings = {**numbers, **(settings or {})}
        self.takes = tuple(name for name in self._settings if name in taken)

    @property
    def settings(self) -> dict[str, float]:
        return self._settings

    def changed(self, settings: Mapping[str, float]) -> "OfFunction":
        """The same with other settings. They must be among those that it takes."""
        return type(self)(self._function, self._slots, {**self._settings, **settings}, self.returns, self.name)

    def first(self, like: np.ndarray) -> Values:
        return {name: np.full_like(like, value) for name, value in self._slots.items()}

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        layout = Layout.of(streams.kinds)
        begin = self.first(streams.gradients[0]) if start is None else called(start, tuple(self._slots), self.name)
        calls = layout.calls([layout.order(step) for step in range(len(streams.gradients))])
        return run_along(self.name, self._stepping(layout), streams, begin, streams.start, calls, layout)

    def follow(self, trajectory: Trajectory) -> Values:
        return steps_from(self._stepping(trajectory.layout or Layout.flat(trajectory.g.shape[1])), trajectory)

    def call(self, g: Any, slots: Mapping[str, Any], t: Any, x: Any) -> dict[str, Any]:
        """What it returns for arrays of any kind, by name. Raises InputError where that is not what it should be."""
        with mistakes_in(self._function, self.name):
            given = _Slots(self.name, slots)
            answer = self._function(g, given, t, x, **{name: self._settings[name] for name in self.takes})
        if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], Mapping)):
            what = "Δ" if self.returns == "delta" else "θ′"
            raise InputError(
                f"{self.name} must return ({what}, new slots as a dictionary), found {type(answer).__name__}."
            )
        if missing := [name for name in self._slots if name not in answer[1]]:
            raise InputError(f"{self.name} must return all slots, found none of the name {missing[0]}.")
        return {self.returns: answer[0], **{name: answer[1][name] for name in self._slots}}

    def _stepping(self, layout: Layout) -> Callable[..., dict[str, np.ndarray]]:
        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> dict[str, np.ndarray]:
            gradients, parameters = layout.split(g), layout.split(x)
            of = {name: layout.split(slot) for name, slot in slots.items()}
            found: dict[str, dict[str, np.ndarray]] = {one: {} for one in (self.returns, *self._slots)}
            for name in layout.order(t - 1):
                given = {slot: np.array(part[name]) for slot, part in of.items()}  # it may change them in place
                values = self.call(np.array(gradients[name]), given, t, np.array(parameters[name]))
                for one, value in values.items():
                    found[one][name] = self._checked(one, value, gradients[name])
            return {one: layout.joined(tensors) for one, tensors in found.items()}

        return step

    def _checked(self, name: str, value: Any, like: np.ndarray) -> np.ndarray:
        array = np.array(value)
        if array.shape != like.shape or array.dtype != like.dtype:
            raise InputError(
                f"{self.name}: {name} must be {like.dtype} {like.shape}, found {array.dtype} {array.shape}."
            )
        return array


class _Slots(dict[str, Any]):
    """The slots that a function is called with. Raises InputError for one that it reads and that is not there."""

    def __init__(self, owner: str, slots: Mapping[str, Any]):
        super().__init__(slots)
        self._owner = owner

    def __missing__(self, name: str) -> Any:
        raise InputError(
            f"{self._owner} reads the slot {name!r}, found {', '.join(self) or 'none'}: name its slots and their first "
            f"values, as in --slots {name}=0."
        )


def beside(trajectories: Sequence[Trajectory]) -> Trajectory:
    """Trajectories of the same steps as one, side by side; slots alone, not what came of them."""
    names = trajectories[0].before
    before = {name: np.hstack([trajectory.before[name] for trajectory in trajectories]) for name in names}
    g, x = (np.hstack([getattr(trajectory, of) for trajectory in trajectories]) for of in ("g", "x"))
    return Trajectory(trajectories[0].t, g, x, before, {})


def renamed(trajectory: Trajectory, slots: Sequence[str], owner: str) -> Trajectory:
    """The trajectory with its slots called `slots`: as they are where the names are the same, else in their order.

    Raises InputError where there are not as many.
    """
    back = called(dict.fromkeys(slots), tuple(trajectory.before), owner)  # pyright: ignore[reportArgumentType]
    names = dict(zip(back, slots, strict=True)) if set(back) != set(slots) else {}
    before = {names.get(name, name): value for name, value in trajectory.before.items()}
    after = {names.get(name, name): value for name, value in trajectory.after.items()}
    return replace(trajectory, before=before, after=after)


def _default(owner: str, parameter: inspect.Parameter, asked: float) -> float:
    """The number that a keyword has if it is not given, else the one that is asked for."""
    value = parameter.default.item() if hasattr(parameter.default, "item") else parameter.default
    if value is parameter.empty or value is None:
        return asked
    if not isinstance(value, int | float):
        raise InputError(f"{owner}: the default of {parameter.name} must be a number, found {value!r}.")
    return float(value)


Stepping = Callable[[int, np.ndarray, Values, np.ndarray], Values]
"""One step: its number, gradients, slots and parameters [coordinates] to "delta" or "x" and the new slots."""


def run_along(
    name: str,
    step: Stepping,
    streams: Streams,
    first: Values,
    begin: np.ndarray,
    calls: np.ndarray | None = None,
    layout: Layout | None = None,
) -> Trajectory:
    """Steps along the streams. Parameters that begin at 0 are put back there after each step: see `streams.STARTS`."""
    g, slots, x, found = streams.gradients, first, begin, []
    held, befores = begin == 0, []
    for t, row in enumerate(g, start=1):
        befores.append(x)
        with np.errstate(all="ignore"):
            one = step(t, row, slots, x)
            moved = one["x"] if "x" in one else x - one["delta"]
        found.append(one)
        slots, x = {slot: one[slot] for slot in first}, np.where(held, x.dtype.type(0), moved)
    after = {value: np.stack([step[value] for step in found]) for value in found[0]}
    return trajectory_of(name, g, np.stack(befores), first, after, calls, layout)


def steps_from(step: Stepping, trajectory: Trajectory) -> dict[str, np.ndarray]:
    with np.errstate(all="ignore"):
        found = [
            step(int(t), trajectory.g[row], {n: s[row] for n, s in trajectory.before.items()}, trajectory.x[row])
            for row, t in enumerate(trajectory.t)
        ]
    return {name: np.stack([step[name] for step in found]) for name in found[0]}
