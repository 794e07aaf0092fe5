"""Libraries' optimizers as implementations: one of our rules by name, or any that a user has made."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..mistakes import described, mistakes_in
from ..rules import RULES
from ..rules import named as named_slots
from .formulas import Formula
from .implementations import Implementation, OfRule, Stepping, run_along, steps_from
from .known import known
from .layout import Layout
from .libraries import LIBRARIES, REFERENCES, Keras, Library, Reference
from .streams import Streams
from .trajectory import Trajectory, Values, called


class OfLibrary(Implementation):
    """A library's own optimizer; `settings` are by our rules' names, and what is not in them the library's default.

    Asked from parameters of 0, so that it shows the update to the last bit.

    Raises InputError for a setting that the rule lacks.
    """

    def __init__(self, name: str, kind: type[Reference], rule: str, settings: Mapping[str, float]):
        self.name, self._kind, self._rule = name, kind, rule
        self.narrow_settings = kind.narrow_settings
        self.known = known(rule, kind.dialect, settings)
        decided = self.known.formula.decided
        needed = kind.spelled(rule).needs if kind.has_rate(rule) else ("learning_rate", *kind.spelled(rule).needs)
        usual = {name: decided[name] for name in needed}
        self._settings = {n: value for n, value in {**usual, **settings}.items() if n in decided}

    @property
    def every_step(self) -> bool:
        """Whether it can be asked about all steps at once: nothing in it depends on their number."""
        return self.known is not None and not self.known.formula.counts

    @property
    def keeps_numbers(self) -> bool:
        """Whether a slot is one number for all coordinates, so that no two runs can be side by side in it."""
        assert self.known is not None, "a library of the table computes a rule of ours"
        return any(np.ndim(slot) == 0 for slot in named_slots(self.known.rule.first(np.zeros(2))).values())

    def made(self, like: np.ndarray) -> Reference:
        """The library's optimizer itself, for one vector of the shape and dtype of `like`."""
        return self._kind(self._rule, self._settings, like.dtype, Layout.flat(like.size))

    def first(self, like: np.ndarray) -> Values:
        return self.made(like).first()

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        made = self.made(streams.gradients[0])
        return run_along(self.name, self._stepping(made), streams, start or made.first(), streams.start)

    def follow(self, trajectory: Trajectory) -> Values:
        rows, columns = trajectory.g.shape
        if self.every_step:
            made = self.made(trajectory.g.ravel())
            slots = {name: slot.ravel() for name, slot in trajectory.before.items()}
            found = self._stepping(made)(1, trajectory.g.ravel(), slots, trajectory.x.ravel())
            return {name: value.reshape(rows, columns) for name, value in found.items()}
        return steps_from(self._stepping(self.made(trajectory.g[0])), trajectory)

    def _stepping(self, made: Reference) -> Stepping:
        assert self.known is not None, "a library of the table computes a rule of ours"
        return made.step if self.known.formula.reads_x else _at_zero(made)

    def rounding(self, statement: Formula, dtype: Any) -> Formula:
        if dtype != np.float64:
            return statement
        spelled = self._kind.spelled(self._rule).where(statement.settings)
        formula = replace(statement, compute=spelled.narrowed or statement.compute)
        return replace(formula, power_in="float32") if self._kind.narrow_powers else formula


class OfOptimizer(Implementation):
    """A user's own optimizer of a library, whatever it computes, on tensors of a layout.

    optimizer: a Keras or PyTorch optimizer, or an Optax transformation.
    eager: operation by operation, where the library has both.
    settings: the numbers that it was made with, where it does not show them.

    Raises InputError where it is none of these.
    """

    def __init__(
        self,
        optimizer: Any,
        name: str | None = None,
        eager: bool = False,
        settings: Mapping[str, float] | None = None,
    ):
        kind = library_of(optimizer)
        if kind is None:
            raise InputError(f"An optimizer must be one of {', '.join(LIBRARIES)}, found {described(optimizer)}.")
        self.optimizer, self.kind, self._eager = optimizer, kind, eager
        self.name = name or kind.described(optimizer)
        self.narrow_settings = kind.narrow_settings
        self._said = dict(settings or {})
        self._kept: dict[tuple[np.dtype, tuple[bytes, ...]], Reference] = {}
        rule = kind.rule_of(optimizer)
        if rule is not None and not self.options and "learning_rate" in self.settings:
            self.known = known(rule, kind.dialect, self.settings)

    @property
    def settings(self) -> dict[str, float]:
        return self.kind.settings_of(self.optimizer) | self._said

    @property
    def options(self) -> dict[str, Any]:
        """By which it does more than its rule."""
        return self.kind.options_of(self.optimizer)

    def changed(self, settings: Mapping[str, float]) -> "OfOptimizer":
        """The same with other settings, by our rules' names."""
        changes = self.kind.by_their_names(self.kind.rule_of(self.optimizer), settings)
        return type(self)(self.kind.copied(self.optimizer, changes), self.name, self._eager)

    def eagerly(self) -> "OfOptimizer | None":
        """The same operation by operation, where the library has both."""
        return type(self)(self.optimizer, self.name, eager=True) if issubclass(self.kind, Keras) else None

    def _made(self, dtype: Any, layout: Layout) -> Reference:
        kind = type(self.kind.__name__, (self.kind,), {"compiled": False}) if self._eager else self.kind
        with mistakes_in(self.optimizer, self.name):
            return kind.of(self.optimizer, dtype, layout)

    def first(self, like: np.ndarray) -> Values:
        return self._made(like.dtype, Layout.flat(like.size)).first()

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        made = self._made(streams.gradients.dtype, Layout.of(streams.kinds))
        begin = made.first() if start is None else called(start, tuple(made.first()), self.name)
        with mistakes_in(self.optimizer, self.name):
            return run_along(self.name, made.step, streams, begin, streams.start, layout=Layout.of(streams.kinds))

    def follow(self, trajectory: Trajectory) -> Values:
        layout = trajectory.layout or Layout.flat(trajectory.g.shape[1])
        key = trajectory.g.dtype, tuple(places.tobytes() for places in layout.places.values())
        if key not in self._kept:  # making one may take long, and each step sets its whole state
            self._kept[key] = self._made(trajectory.g.dtype, layout)
        with mistakes_in(self.optimizer, self.name):
            return steps_from(self._kept[key].step, trajectory)


def library_of(subject: Any) -> type[Library] | None:
    """The library whose optimizer, or class of optimizers, something is; None where it is none."""
    return next((kind for kind in LIBRARIES.values() if kind.holds(subject)), None)


def _at_zero(made: Reference) -> Stepping:
    """Steps of a rule that ignores the parameter, from parameters of 0: the update to the last bit."""

    def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
        found = made.step(t, g, slots, np.zeros_like(g))
        return found if "delta" in found else {"delta": -found.pop("x"), **found}

    return step


def named(name: str, settings: Mapping[str, Any]) -> Implementation:
    """ "adam:keras", rawstep's Adam in the Keras dialect, or "keras:adam", Keras's own; with some settings.

    Raises InputError for a name that is neither, a setting that the rule lacks, and a library that lacks the rule or is
    not installed.
    """
    first, _, second = name.partition(":")
    second = second.lower()
    if first in RULES:
        one = known(first, second or "paper", settings)
        return OfRule(name, one.rule, one)
    if first not in REFERENCES:
        known_names = ", ".join((*RULES, *REFERENCES))
        raise InputError(f"There is no {name!r}; give rule:dialect or library:rule, from {known_names}.")
    there = [rule for rule in RULES if REFERENCES[first].has(rule)]
    if second not in there:
        raise InputError(f"{name!r} must name a rule of {first}: {', '.join(there)}.")
    if missing := REFERENCES[first].missing():
        raise InputError(f"{first} is not installed: pip install {missing}.")
    return OfLibrary(name, REFERENCES[first], second, settings)
