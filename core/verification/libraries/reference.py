"""The one small interface that other people's implementations stand behind."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np

from ...errors import InputError
from ...rules import RULES
from ..card import Spelling
from ..cards import CARDS
from ..layout import Layout

Slots = Mapping[str, np.ndarray]


class Reference(ABC):
    """Another implementation of a rule, on tensors of one dtype.

    rule:     by our name, one that the library has.
    settings: by our rules' names; what is left out is the library's own default.
    layout:   the tensors; gradients, slots and parameters go in and out as [coordinates].

    Subclasses say which package they need, which of our dialects they compute, how they are called, and what they call
    our settings in all rules alike; what they call a rule and its slots stands in the rule's card. `narrow_settings`:
    they keep settings in float32 even where they compute in float64; then they can be asked in float64 about such alone
    that float32 holds exactly, with their complements. `narrow_powers`: they keep β^t so, too.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    dialect: ClassVar[str]
    constructor: ClassVar[str]
    narrow_settings: ClassVar[bool] = False
    narrow_powers: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, rule: str, settings: Mapping[str, Any], dtype: Any, layout: Layout):
        self._begin(rule, dtype, layout)
        self.spelling = self.spelled(rule).where(settings)
        self.formula = CARDS[rule].formulas[self.dialect].given(settings)
        self.slot_names = {slot: self.spelling.slots[slot] for slot in self.formula.slots}
        with construction_named(f"{type(self).__name__} for {rule}"):
            self._build({**self.spelling.options, **self.by_their_names(rule, settings)})

    def _begin(self, rule: str, dtype: Any, layout: Layout) -> None:
        self.rule, self.dtype, self.layout = rule, np.dtype(dtype), layout
        self.slot_names: Mapping[str, str] = {}
        self._last_slots: Slots = {}
        self._last_step = 0

    @classmethod
    def has(cls, rule: str) -> bool:
        """Whether the library has one of our rules."""
        return cls.name in CARDS[rule].libraries

    @classmethod
    def spelled(cls, rule: str) -> Spelling:
        """What the library calls one of our rules. Raises InputError for one that it lacks."""
        if not cls.has(rule):
            there = [name for name in CARDS if cls.has(name)]
            raise InputError(f"{cls.name} has no {rule}; it has: {', '.join(there)}.", rule, there)
        return CARDS[rule].libraries[cls.name]

    @classmethod
    def has_rate(cls, rule: str) -> bool:
        """Whether the library has a learning rate of its own for the rule."""
        return "learning_rate" in RULES[rule].DIALECTS[cls.dialect].settings

    @classmethod
    def by_their_names(cls, rule: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as the library calls them, in one of our rules or in an optimizer of which no rule is known."""
        names = {**cls.settings, **(cls.spelled(rule).where(settings).settings if rule else {})}
        return {names.get(name, name): value for name, value in settings.items()}

    @classmethod
    def missing(cls) -> str | None:
        """The package that it needs and that is not installed, or None."""
        return None if find_spec(cls.package) else cls.package

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        """The Python that makes this optimizer with these settings, by its own names."""
        spelling = cls.spelled(rule).where(settings)
        options = {name: value for name, value in spelling.options.items() if value}
        named = [f"{name}={value!r}" for name, value in {**cls.by_their_names(rule, settings), **options}.items()]
        return cls.constructor.format(name=spelling.name, settings=", ".join(named))

    @abstractmethod
    def _build(self, settings: dict[str, Any]) -> None:
        """Makes the optimizer, with settings by its own names."""

    @abstractmethod
    def first(self) -> dict[str, np.ndarray]:
        """The slots before the first step, by our names. To be asked before any step is taken."""

    @abstractmethod
    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        """Step t (from 1) for gradients g, from these slots and parameters x.

        Returns the parameters afterwards ("x"), or the update ("delta"), and the new slots, by our names.
        """


class Library(Reference):
    """A reference that takes any optimizer of its library, whatever it computes, and shows all of its slots."""

    module: ClassVar[str]
    """Where the library has its optimizers: an attribute of the package, or "" for the package itself."""
    _rest: Iterable[str] = ()
    """What it keeps beside slots and counts of steps."""
    around: ClassVar[tuple[str, ...]] = ()
    """Options in `configuration` by which an optimizer does more than its rule."""

    @classmethod
    def named(cls, name: str) -> Any:
        """What the library itself has under a name. Raises AttributeError for an unknown one."""
        return getattr(import_module(f"{cls.package}.{cls.module}".rstrip(".")), name)

    @classmethod
    def holds(cls, subject: Any) -> bool:
        """Whether something is an optimizer of this library, or a class of them; imports nothing."""
        optimizers = getattr(sys.modules.get(cls.package), cls.module, None)  # who has made one has imported it
        base = getattr(optimizers, "Optimizer", None)
        return base is not None and issubclass(subject if isinstance(subject, type) else type(subject), base)

    @classmethod
    def class_of(cls, rule: str) -> type | None:
        """The library's class of one of our rules; None where it has functions for classes."""
        return cls.named(cls.spelled(rule).name)

    @classmethod
    @abstractmethod
    def configuration(cls, optimizer: Any) -> dict[str, Any]:
        """What an optimizer was made with, by the library's names."""

    @classmethod
    def made(cls, kind: Any, settings: Mapping[str, Any]) -> Any:
        """An optimizer of a class, with settings by the library's names."""
        return kind(**settings)

    @classmethod
    @abstractmethod
    def _copied(cls, kind: Any, configuration: Mapping[str, Any]) -> Any:
        """An optimizer of a class with a configuration."""

    @classmethod
    def copied(cls, optimizer: Any, changes: Mapping[str, Any], rule: str | None = None) -> Any:
        """An optimizer made as this one was, with some of its options changed, by the library's names.

        rule: one of our rules, of the library's own class of which it is to be.

        Raises InputError for one that cannot be made so.
        """
        kind = type(optimizer) if rule is None else cls.class_of(rule)
        with construction_named(f"A copy of {cls.described(optimizer)}"):
            copy = cls._copied(kind, {**cls.configuration(optimizer), **changes})
        given = {
            name: value for name, value in vars(optimizer).items() if not name.startswith("_") and _is_plain(value)
        }
        for name, value in given.items() if rule is None else ():
            if name not in (*changes, "built") and vars(copy).get(name) != value:
                raise InputError(f"A copy of {cls.described(optimizer)} has another {name}: it cannot be judged.")
        return copy

    @classmethod
    def rule_of(cls, optimizer: Any) -> str | None:
        """Our name of what an optimizer of the library itself computes; None for another class of optimizer."""
        configuration = cls.configuration(optimizer)
        for rule in filter(cls.has, CARDS):
            spelling = cls.spelled(rule)
            if (
                type(optimizer) is cls.class_of(rule)
                and all(configuration.get(name) == value for name, value in spelling.options.items())
                and all(configuration.get(name) for name in spelling.needs)
            ):
                return rule
        return None

    @classmethod
    def options_of(cls, optimizer: Any) -> dict[str, Any]:
        """By which an optimizer does more than its rule, as the library calls them."""
        configuration, rule = cls.configuration(optimizer), cls.rule_of(optimizer)
        own: set[str] = set()
        if rule is not None:
            formula = CARDS[rule].formulas[cls.dialect]
            spelling = cls.spelled(rule)
            own = {*cls.by_their_names(rule, formula.settings), *spelling.options, *spelling.idle}
        return {name: configuration[name] for name in cls.around if configuration.get(name) and name not in own}

    @classmethod
    def settings_of(cls, optimizer: Any) -> dict[str, Any]:
        """What an optimizer was made with, numbers and choices, by our settings' names."""
        configuration, rule = cls.configuration(optimizer), cls.rule_of(optimizer)
        rules = [one for one in CARDS if cls.has(one)] if rule is None else [rule]
        names = dict.fromkeys(name for one in rules for name in CARDS[one].formulas[cls.dialect].decided)
        theirs = cls.by_their_names(rule, {name: name for name in names})
        found = {ours: configuration.get(name) for name, ours in theirs.items()}
        held = {name: getattr(value, "item", lambda value=value: value)() for name, value in found.items()}
        return {
            name: value if isinstance(value, bool) else float(value)
            for name, value in held.items()
            if isinstance(value, bool | int | float)
        }

    @classmethod
    def of(cls, optimizer: Any, dtype: Any, layout: Layout) -> Self:
        """A copy of a user's own optimizer.

        Raises InputError for one that cannot be copied, and for one that keeps more than slots and counts of steps.
        """
        self = cls.__new__(cls)
        self._begin("", dtype, layout)
        with construction_named(f"A copy of {cls.described(optimizer)}"):
            self._hold(cls.copied(optimizer, {}))
        return self

    @classmethod
    def described(cls, optimizer: Any) -> str:
        return f"{cls.package}'s {type(optimizer).__name__}"

    def _continues(self, t: int, slots: Slots) -> bool:
        """Whether step t goes on from the last one, with all state as that left it.

        Raises InputError where it does not and there is state that is neither a slot nor a count of steps, which would
        stay that of another step.
        """
        if t == self._last_step + 1 and all(slots[name] is self._last_slots.get(name) for name in self.slot_names):
            return True
        if t > 1 and self._rest:
            kept = ", ".join(self._rest)
            raise InputError(f"{self.package}'s optimizer keeps {kept}, so its steps cannot be judged one by one.")
        return False

    def _went(self, t: int, slots: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The slots that step t left."""
        self._last_slots, self._last_step = slots, t
        return slots

    @abstractmethod
    def _hold(self, optimizer: Any) -> None:
        """Takes an optimizer, and finds its slots unless it is that of a rule of ours."""


def _is_plain(value: Any) -> bool:
    """Whether an attribute is a number, a text or a function: what a copy must have too."""
    return isinstance(value, bool | int | float | str) or callable(value)


@contextmanager
def construction_named(name: str) -> Iterator[None]:
    """What a library does not accept becomes an InputError with the library's own words."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # a library, or a user's class in it, may raise anything
        raise InputError(f"{name} cannot be built: {str(error).rstrip('.')}.") from error
