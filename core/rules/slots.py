"""What a rule remembers of a parameter: a NamedTuple of arrays of any shape, or of such NamedTuples.

A slot that a rule keeps with some settings alone is the empty tuple () without them.
"""

from collections.abc import Mapping
from typing import Any

from ..xp import Array
from .settings import notes


class Squared:
    """Marks a slot that holds squares: its root compares with gradients or updates."""


SQUARED = Squared()


def named(slots: Any) -> dict[str, Array]:
    """The arrays by name; "inner.m" is m in the slot inner."""
    return {name: array for name, array, _ in _walked(slots, "")}


def squares(slots: Any) -> set[str]:
    """The names of those that hold squares."""
    return {name for name, _, squared in _walked(slots, "") if squared}


def refilled(slots: Any, arrays: Mapping[str, Any], prefix: str = "") -> Any:
    """Slots of the same kind, with arrays by the names of `named`."""
    values = [
        refilled(value, arrays, f"{prefix}{name}.") if hasattr(value, "_asdict")
        else value if _is_absent(value) else arrays[f"{prefix}{name}"]
        for name, value in slots._asdict().items()
    ]  # fmt: skip
    return type(slots)(*values)


def _walked(slots: Any, prefix: str) -> list[tuple[str, Array, bool]]:
    squared, found = notes(type(slots), Squared), []
    for name, value in slots._asdict().items():
        if hasattr(value, "_asdict"):
            found += _walked(value, f"{prefix}{name}.")
        elif not _is_absent(value):
            found.append((f"{prefix}{name}", value, name in squared))
    return found


def _is_absent(value: Any) -> bool:
    return isinstance(value, tuple) and not value
