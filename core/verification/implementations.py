"""Whatever computes a rule, seen alike: it runs along gradients, or takes single steps from another one's states."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import RULES, Rule
from .formulas import FORMULAS, Formula
from .references import REFERENCES, Keras, Reference, keras_rule, keras_settings
from .streams import Streams
from .trajectory import START, Trajectory, failures_named, numpy_trajectory, trajectory_of

Values = dict[str, np.ndarray]


class Known(NamedTuple):
    """A rule of core by name, in one dialect and with certain settings, and the formula that it should compute."""

    name: str
    dialect: str
    rule: Rule
    formula: Formula


def known(rule: str, dialect: str, settings: Mapping[str, float]) -> Known:
    """A rule of core and its formula; at the learning rate that the formula chooses where neither has another.

    Raises InputError for a rule, dialect or setting that is not there.
    """
    if rule not in RULES:
        raise InputError(f"There is no rule {rule!r}; there are: {', '.join(RULES)}.")
    if dialect not in FORMULAS[rule]:
        raise InputError(f"{rule} has no dialect {dialect!r}; it has: {', '.join(FORMULAS[rule])}.")
    formula, kind = FORMULAS[rule][dialect].given(settings), RULES[rule]
    if "learning_rate" not in {**kind.DIALECTS[dialect].settings, **settings}:
        settings = {**settings, "learning_rate": formula.settings["learning_rate"]}
    return Known(rule, dialect, kind.dialect(dialect, **settings), formula)


class Implementation(ABC):
    """One way of computing a rule.

    name:  as a person calls it, such as "adam:keras" (rawstep's Adam in the Keras dialect) or "keras:Adam".
    known: the rule of core that should compute the same, or None where that is not known.
    narrow_settings: it keeps its settings in float32, in every dtype.
    """

    name: str
    known: Known | None
    narrow_settings: bool = False

    @property
    def settings(self) -> dict[str, float]:
        """Those of its settings that are numbers, as far as they are known."""
        return {} if self.known is None else dict(self.known.formula.settings)

    @abstractmethod
    def first(self, like: np.ndarray) -> Values:
        """The slots before the first step, for parameters of the shape and dtype of `like` [coordinates]."""

    @abstractmethod
    def run(self, streams: Streams) -> Trajectory:
        """Its own way along the streams."""

    @abstractmethod
    def follow(self, trajectory: Trajectory) -> Values:
        """One step from each state of a trajectory: updates and new slots, and its stages where it shows them."""

    def rounding(self, formula: Formula, dtype: Any) -> Formula:
        """The formula as this implementation rounds it in a dtype."""
        return formula


class OfRule(Implementation):
    """A rule of core, or one like it, in NumPy."""

    def __init__(self, name: str, rule: Rule, known: Known | None = None):
        self.name, self.known, self._rule = name, known, rule

    @property
    def settings(self) -> dict[str, float]:
        values = {field.name: getattr(self._rule, field.name) for field in fields(self._rule)}
        return {name: value for name, value in values.items() if isinstance(value, float)}

    def first(self, like: np.ndarray) -> Values:
        with failures_named(self.name):
            return {name: np.asarray(slot) for name, slot in self._rule.slots(like)._asdict().items()}

    def run(self, streams: Streams) -> Trajectory:
        return numpy_trajectory(self._rule, streams)

    def follow(self, trajectory: Trajectory) -> Values:
        return steps_of(self._rule, trajectory)


class OfLibrary(Implementation):
    """A library's own optimizer; `settings` are by our rules' names, and what is not in them the library's default.

    Raises InputError for a setting that the rule has not.
    """

    def __init__(self, name: str, kind: type[Reference], rule: str, settings: Mapping[str, float]):
        self.name, self._kind, self._rule = name, kind, rule
        self.narrow_settings = kind.narrow_settings
        self.known = known(rule, kind.dialect, settings)
        asked = "learning_rate" not in RULES[rule].DIALECTS[kind.dialect].settings
        rate = {"learning_rate": self.known.formula.settings["learning_rate"]} if asked else {}
        absent = self.known.formula.absent
        self._settings = {n: value for n, value in {**rate, **settings}.items() if n not in absent}

    def _made(self, like: np.ndarray) -> Reference:
        return self._kind(self._rule, self._settings, like.dtype, like.size)

    def first(self, like: np.ndarray) -> Values:
        return self._made(like).first()

    def run(self, streams: Streams) -> Trajectory:
        return _run(self._made(streams.gradients[0]), streams)

    def follow(self, trajectory: Trajectory) -> Values:
        return _follow(self._made(trajectory.g[0]), trajectory)

    def rounding(self, formula: Formula, dtype: Any) -> Formula:
        narrow = self._kind.narrow_powers and dtype == np.float64
        return replace(formula, power_in="float32") if narrow else formula


class OfKeras(OfLibrary):
    """Somebody's own Keras optimizer: Adam, Adagrad, Adadelta or plain SGD. Raises InputError for another."""

    def __init__(self, optimizer: Any, name: str | None = None):
        rule = keras_rule(optimizer)
        name = name or f"keras.optimizers.{type(optimizer).__name__}"
        super().__init__(name, Keras, rule, keras_settings(optimizer))
        self._optimizer = optimizer

    def _made(self, like: np.ndarray) -> Reference:
        return Keras.of(self._optimizer, like.dtype, like.size)


class OfFunction(Implementation):
    """A plain function of NumPy arrays, update(g, slots, t, x) → (Δ, new slots), with slots as dictionaries.

    slots: the value of each before the first step.
    """

    known = None

    def __init__(self, function: Callable[..., Any], slots: Mapping[str, float]):
        self.name, self._function, self._slots = getattr(function, "__name__", repr(function)), function, slots

    def first(self, like: np.ndarray) -> Values:
        return {name: np.full_like(like, value) for name, value in self._slots.items()}

    def run(self, streams: Streams) -> Trajectory:
        return _run(self, streams)

    def follow(self, trajectory: Trajectory) -> Values:
        return _follow(self, trajectory)

    def step(self, t: int, g: np.ndarray, slots: Mapping[str, np.ndarray]) -> Values:
        with failures_named(self.name):
            copies = {name: slot.copy() for name, slot in slots.items()}  # a function may change them in place
            answer = self._function(g.copy(), copies, t, np.full_like(g, START))
        if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], Mapping)):
            raise InputError(f"{self.name} must return (Δ, new slots as a dictionary), found {type(answer).__name__}.")
        values = {"delta": answer[0], **answer[1]}
        for name in ("delta", *self._slots):
            value = np.asarray(values.get(name))
            if value.shape != g.shape or value.dtype != g.dtype:
                found = f"{value.dtype} {value.shape}"
                raise InputError(f"{self.name}: {name} must be {g.dtype} {g.shape}, found {found}.")
        return {name: np.array(values[name]) for name in ("delta", *self._slots)}


def steps_of(rule: Rule, trajectory: Trajectory) -> Values:
    """What a rule gives from each state of a trajectory, all steps at once, in NumPy."""
    g = trajectory.g
    x = np.full_like(g, START) if trajectory.x is None else trajectory.x
    t = trajectory.t[:, np.newaxis].astype(np.result_type(g.dtype, np.float64))
    with failures_named(type(rule).__name__), np.errstate(all="ignore"):
        kind = type(rule.slots(x[0]))
        slots = kind(**{name: trajectory.before[name] for name in kind._fields})
        step = rule.update(g, slots, t, x)
    return dict(delta=step.delta, **step.slots._asdict(), **step.stages)


def beside(trajectories: Sequence[Trajectory]) -> Trajectory:
    """Trajectories of the same steps as one, side by side; slots alone, not what came of them."""
    names = trajectories[0].before
    before = {name: np.hstack([trajectory.before[name] for trajectory in trajectories]) for name in names}
    return Trajectory(trajectories[0].t, np.hstack([trajectory.g for trajectory in trajectories]), before, {})


def renamed(trajectory: Trajectory, slots: Sequence[str], owner: str, expected: str) -> Trajectory:
    """The trajectory with its slots called `slots`: as they are where the names are the same, else in their order.

    Raises InputError where there are not as many.
    """
    names = list(trajectory.before)
    if set(names) == set(slots):
        return trajectory
    if len(names) != len(slots):
        found, wanted = ", ".join(names) or "none", ", ".join(slots)
        raise InputError(f"{owner} must have the slots of {expected}, {wanted}; found {found}.")
    called = dict(zip(names, slots, strict=True))
    before = {called[name]: value for name, value in trajectory.before.items()}
    after = {called.get(name, name): value for name, value in trajectory.after.items()}
    return replace(trajectory, before=before, after=after)


def _run(stepping: Any, streams: Streams) -> Trajectory:
    g, found = streams.gradients, []
    first = slots = stepping.first() if isinstance(stepping, Reference) else stepping.first(g[0])
    for t, row in enumerate(g, start=1):
        found.append(stepping.step(t, row, slots))
        slots = {name: found[-1][name] for name in slots}
    after = {name: np.stack([step[name] for step in found]) for name in found[0]}
    return trajectory_of(getattr(stepping, "name", type(stepping).__name__), g, first, after)


def _follow(stepping: Any, trajectory: Trajectory) -> Values:
    found = [
        stepping.step(int(t), trajectory.g[row], {name: slot[row] for name, slot in trajectory.before.items()})
        for row, t in enumerate(trajectory.t)
    ]
    return {name: np.stack([step[name] for step in found]) for name in found[0]}


def named(name: str, settings: Mapping[str, float]) -> Implementation:
    """ "adam:keras", rawstep's Adam in the Keras dialect, or "keras:adam", Keras's own; with some settings.

    Raises InputError for a name that is neither, a setting that the rule has not, and a library that is not installed.
    """
    first, _, second = name.partition(":")
    second = second.lower()
    if first in RULES:
        one = known(first, second or "paper", settings)
        return OfRule(name, one.rule, one)
    if first not in REFERENCES:
        known_names = ", ".join((*RULES, *REFERENCES))
        raise InputError(f"There is no {name!r}; give rule:dialect or library:rule, from {known_names}.")
    if second not in RULES:
        raise InputError(f"{name!r} must name a rule of {first}: {', '.join(RULES)}.")
    if missing := REFERENCES[first].missing():
        raise InputError(f"{first} is not installed: pip install {missing}.")
    return OfLibrary(name, REFERENCES[first], second, settings)
