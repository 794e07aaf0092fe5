"""The one small interface that other people's implementations stand behind."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError

Slots = Mapping[str, np.ndarray]


class Reference(ABC):
    """Another implementation of a rule, on `size` parameters of one dtype.

    rule:     "adam", "adagrad", "adadelta" or "sgd".
    settings: by our rules' names; what is left out is the library's own default.

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

    def __init__(self, rule: str, settings: Mapping[str, float], dtype: Any, size: int):
        self.rule, self.dtype, self.size = rule, np.dtype(dtype), size
        self.slot_names = self.slots[rule]
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
    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        """Step t (from 1) for gradients g, from these slots: the update ("delta") and the new slots, by our names."""


@contextmanager
def construction_named(name: str) -> Iterator[None]:
    """What a library does not accept becomes an InputError with the library's own words."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be built: {str(error).rstrip('.')}.") from error
