"""The one small interface that other people's implementations stand behind."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np

from ...errors import InputError
from ..layout import Layout

Slots = Mapping[str, np.ndarray]


class Reference(ABC):
    """Another implementation of a rule, on tensors of one dtype.

    rule:     "adam", "adagrad", "adadelta" or "sgd".
    settings: by our rules' names; what is left out is the library's own default.
    layout:   the tensors; gradients, slots and parameters go in and out as [coordinates].

    Subclasses say which package they need, which of our dialects they compute, how they are called, and how they call
    our rules, settings and slots. `narrow_settings`: they keep settings in float32 even where they compute in float64;
    then they can be asked in float64 about such alone that float32 holds exactly, with their complements.
    `narrow_powers`: they keep β^t so, too.
    """

    package: ClassVar[str]
    dialect: ClassVar[str]
    constructor: ClassVar[str]
    narrow_settings: ClassVar[bool] = False
    narrow_powers: ClassVar[bool] = False
    names: ClassVar[Mapping[str, str]] = {"sgd": "SGD"}
    settings: ClassVar[Mapping[str, str]]
    slots: ClassVar[Mapping[str, Mapping[str, str]]]

    def __init__(self, rule: str, settings: Mapping[str, float], dtype: Any, layout: Layout):
        self.rule, self.dtype, self.layout = rule, np.dtype(dtype), layout
        self.size = sum(map(np.size, layout.places.values()))
        self.slot_names: Mapping[str, str] = self.slots[rule]
        with construction_named(f"{type(self).__name__} for {rule}"):
            self._build({self.settings.get(name, name): value for name, value in settings.items()})

    @classmethod
    def missing(cls) -> str | None:
        """The package that it needs and that is not installed, or None."""
        return None if find_spec(cls.package) else cls.package

    @classmethod
    def spelled(cls, rule: str) -> str:
        """What the library's classes call the rule."""
        return cls.names.get(rule, rule.capitalize())

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        """The Python that makes this optimizer with these settings, by its own names."""
        named = [f"{cls.settings.get(name, name)}={value!r}" for name, value in settings.items()]
        return cls.constructor.format(rule=rule, Rule=cls.spelled(rule), settings=", ".join(named))

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

    own: ClassVar[Mapping[str, str]]
    """From our settings' names to those in `configuration`, where they differ."""
    around: ClassVar[tuple[str, ...]]
    """Options in `configuration` by which an optimizer does more than its rule."""

    @classmethod
    @abstractmethod
    def holds(cls, subject: Any) -> bool:
        """Whether something is an optimizer of this library, or a class of them; imports nothing."""

    @classmethod
    @abstractmethod
    def named(cls, name: str) -> Any:
        """What the library itself has under a name. Raises AttributeError where it has nothing."""

    @classmethod
    @abstractmethod
    def configuration(cls, optimizer: Any) -> dict[str, Any]:
        """What an optimizer was made with, by the library's names."""

    @classmethod
    def rule_of(cls, optimizer: Any) -> str | None:
        """Our name of what an optimizer of the library itself computes, with nothing around it; None for another."""
        configuration = cls.configuration(optimizer)
        if any(configuration.get(name) for name in cls.around) or "learning_rate" not in cls.settings_of(optimizer):
            return None
        return next((rule for rule in cls.slots if type(optimizer) is cls._class_of(rule)), None)

    @classmethod
    @abstractmethod
    def _class_of(cls, rule: str) -> type | None:
        """The library's class of one of our rules."""

    @classmethod
    def settings_of(cls, optimizer: Any) -> dict[str, float]:
        """The numbers that an optimizer was made with, by our settings' names."""
        configuration = cls.configuration(optimizer)
        names = ("learning_rate", "beta_1", "beta_2", "rho", "epsilon", "initial_accumulator_value")
        found = {name: configuration.get(cls.own.get(name, name)) for name in names}
        held = {name: getattr(value, "item", lambda value=value: value)() for name, value in found.items()}
        return {name: float(value) for name, value in held.items() if isinstance(value, int | float)}

    @classmethod
    def of(cls, optimizer: Any, dtype: Any, layout: Layout) -> Self:
        """A copy of somebody's own optimizer. Raises InputError for one that cannot be copied."""
        self = cls.__new__(cls)
        self.rule, self.dtype, self.layout = "", np.dtype(dtype), layout
        self.size = sum(map(np.size, layout.places.values()))
        with construction_named(f"A copy of {cls.described(optimizer)}"):
            self._hold(cls.copied(optimizer, {}))
        return self

    @classmethod
    @abstractmethod
    def copied(cls, optimizer: Any, changes: Mapping[str, Any], rule: str | None = None) -> Any:
        """An optimizer made as this one was, with some of its options changed, by the library's names.

        rule: one of our rules, of the library's own class of which it is to be.
        """

    @classmethod
    @abstractmethod
    def made(cls, kind: Any, settings: Mapping[str, Any]) -> Any:
        """An optimizer of a class, with settings by the library's names."""

    @classmethod
    def described(cls, optimizer: Any) -> str:
        return f"{type(optimizer).__module__.partition('.')[0]}'s {type(optimizer).__name__}"

    @abstractmethod
    def _hold(self, optimizer: Any) -> None:
        """Takes an optimizer, and finds its slots unless `slot_names` is set already."""


@contextmanager
def construction_named(name: str) -> Iterator[None]:
    """What a library does not accept becomes an InputError with the library's own words."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # a library, or somebody's class in it, may raise anything
        raise InputError(f"{name} cannot be built: {str(error).rstrip('.')}.") from error
