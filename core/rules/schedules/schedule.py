"""What every schedule is: numbers that are checked, compared, saved and written in one line."""

import numbers
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from ...errors import InputError
from ...xp import Array, floor, is_array
from ..settings import Interval, accepted, hints

Steps = Annotated[int, Interval(1, closed=True)]
"""A whole number of steps, at least 1."""
Step = Annotated[int, Interval(0, closed=True)]
"""A number of steps taken before."""


@dataclass(frozen=True)
class Schedule(ABC):
    """A number for every step, called with s, the number of steps taken before: the value of step s + 1.

    s is a number, a NumPy array or a tensor of a float dtype, or a symbol; the value has its shape and dtype. s is
    whole: between two steps, what restarts or falls in stairs may do so half a step early. A negative s is no step.

    Subclasses are frozen dataclasses of numbers, so that two of the same numbers are equal. `repr` returns Python, and
    `str` the text that `parse` reads.

    Raises InputError for a field that cannot be used.
    """

    FROM_THE_BEGINNING: ClassVar[tuple[str, ...]] = ()
    """The fields that say at which step of the run something happens; the other numbers of steps are lengths."""

    @abstractmethod
    def __call__(self, step: Array) -> Array:
        """The value of step s + 1."""

    def __post_init__(self) -> None:
        for one in fields(self):
            found = checked(f"{type(self).__name__}: {one.name}", getattr(self, one.name), hints(type(self))[one.name])
            object.__setattr__(self, one.name, found)

    def __str__(self) -> str:
        return f"{name_of(type(self))}:{','.join(self.items())}"

    def items(self) -> list[str]:
        """The text of the fields: the first by its value, the others by name, defaults left out."""
        first, *others = fields(self)
        found = [number_text(getattr(self, first.name))]
        for one in others:
            value, name = getattr(self, one.name), one.name.replace("_", "-")
            if one.default is MISSING or value != one.default:
                found.append(name if value is True else f"{name}={number_text(value)}")
        return found

    @classmethod
    def of_items(cls, items: Mapping[str, str]) -> Self:
        """The schedule of such a text: the texts of its items by name; "" names the first, and that of a flag is ""."""
        first, *others = fields(cls)
        names = {one.name.replace("_", "-"): one for one in others}
        if unknown := [name for name in items if name and name not in names]:
            there = f", but {', '.join(names)}" if names else ""
            raise InputError(f"it has no {unknown[0]!r}{there}", unknown[0], names)
        required = {"": first} | {name: one for name, one in names.items() if one.default is MISSING}
        for name, one in required.items():
            if name not in items:
                raise InputError(
                    f"it lacks {f'its first number, the {first.name}' if one is first else f'{name}=NUMBER'}"
                )
        values = {}
        for name, text in items.items():
            one = names.get(name, first)
            if (one.type is bool) != (text == ""):
                raise InputError(f"{name} takes no value" if text else f"{name} takes a number, as {name}=NUMBER")
            values[one.name] = text == "" or number_of(text, name or first.name)
        return cls(**values)

    def moved(self, steps: int) -> Self:
        """The same some steps later: what is counted from the beginning of the run."""
        found = {name: getattr(self, name) for name in self.FROM_THE_BEGINNING}
        later = {k: tuple(one + steps for one in v) if isinstance(v, tuple) else v + steps for k, v in found.items()}
        return replace(self, **later)


def whole_part(step: Array, steps: int) -> Array:
    """The whole part of step / steps for a whole step, half a step away from where rounding could change it: XLA
    multiplies by 1 / steps, and 49 · (1/49) is below 1."""
    return floor((step + 0.5) / steps)


def name_of(kind: type) -> str:
    """The name of a schedule in a text: "cosine-restarts" for CosineRestarts."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def number_text(value: float) -> str:
    """The shortest text that `float` reads as this number."""
    if isinstance(value, int):
        return str(value)
    return short if float(short := f"{value:g}") == value else repr(value)


def number_of(text: str, name: str) -> float:
    """The number that a text says; InputError where it says none."""
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name} must be a number, found {text!r}") from None


def must_rise(where: str, steps: tuple[int, ...]) -> None:
    """Raises InputError unless each of these steps comes after the one before."""
    if list(steps) != sorted(set(steps)):
        raise InputError(f"{where} must rise, found {', '.join(map(str, steps))}.")


def checked(where: str, value: Any, hint: Any) -> Any:
    """The value of a field: numbers as Python's, tuples of them, and symbols as they are."""
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple | list):
            raise InputError(f"{where} must be a tuple of numbers, found {value!r}.")
        return tuple(checked(f"{where}[{k}]", one, get_args(hint)[0]) for k, one in enumerate(value))
    if hint is bool or (is_array(value) and not hasattr(value, "dtype")):  # a symbol, which shows the formula
        return accepted(where, value, hint)
    if not any(isinstance(note, Interval) for note in getattr(hint, "__metadata__", ())):
        return value
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise InputError(f"{where} must be a number, found {value!r}.")
    return accepted(where, value, hint)
