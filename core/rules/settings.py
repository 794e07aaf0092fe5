"""The settings of a rule: what each may be, what it says of itself, and its value at a step."""

import dataclasses
import functools
import math
import numbers
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from ..errors import InputError
from ..xp import Array, cast_like, is_array

Number = Any
"""A number, a schedule (one of `core.schedules`, or a pure function of the number of steps taken before), or an array
with a value for each run, which broadcasts against the first axes of a parameter. In `Rule.update`, a number, or an
array of the parameter's dtype, to which arrays and values of schedules are rounded first: 1 − β of such a β is
subtracted there."""


class Interval(NamedTuple):
    """The open interval (above, below), or [above, below) where `closed`."""

    above: float
    below: float = math.inf
    closed: bool = False

    def holds(self, value: float) -> bool:
        return (self.above <= value if self.closed else self.above < value) and value < self.below

    def __str__(self) -> str:
        return f"{'[' if self.closed else '('}{self.above:g}, {'∞' if self.below == math.inf else f'{self.below:g}'})"


class Letter(NamedTuple):
    """The Greek letter that a source has for a setting."""

    sign: str


Rate = Annotated[Number, Interval(0.0, closed=True)]
"""A learning rate: 0 in a warm-up's first step."""
Decay = Annotated[Number, Interval(0.0, 1.0, closed=True)]
"""The share of a running average that one step keeps: β or ρ, in [0, 1)."""
Positive = Annotated[Number, Interval(0.0)]
"""A number above 0, such as an ε that alone keeps a zero gradient from giving 0/0."""
NonNegative = Annotated[Number, Interval(0.0, closed=True)]
"""A number that may be 0."""
Precision = Literal["float64", "variable"]
"""Where a constant is computed before it takes the variable's dtype: in float64 (or wider), or in that dtype."""
ComplementIn = Annotated[Precision, "where 1 − β is subtracted: the variable's dtype in TF1, float64 elsewhere"]
PowerIn = Annotated[Precision, "where 1 − β^t is computed: float64 in PyTorch, the variable's dtype elsewhere"]


@functools.cache
def hints(kind: type) -> Mapping[str, Any]:
    """The annotations of a class by name, inherited ones too, with what they are annotated with."""
    return get_type_hints(kind, include_extras=True)


def notes(kind: type, of: type) -> dict[str, Any]:
    """What a class of settings or slots says of its fields, by name: str for the meanings, Letter for the letters."""
    found = {name: getattr(hint, "__metadata__", ()) for name, hint in hints(kind).items()}
    return {name: note for name, said in found.items() for note in said if isinstance(note, of)}


def accepted(where: str, value: Any, hint: Any) -> Any:
    """The value of a setting, a number as Python's float, or InputError where it is not what the annotation says."""
    form = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if form is bool and not isinstance(value, bool):
        raise InputError(f"{where} must be True or False, found {value!r}.")
    if get_origin(form) is Literal and value not in get_args(form):
        raise InputError(f"{where} must be one of {', '.join(map(repr, get_args(form)))}, found {value!r}.")
    interval = next((note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Interval)), None)
    if interval is None:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if form is int and not (number.is_integer() and interval.holds(number)):
            raise InputError(f"{where} must be a whole number in {interval}, found {number:g}.")
        if not interval.holds(number):
            raise InputError(f"{where} must lie in {interval}, found {number:g}.")
        return int(number) if form is int else number
    least, most = getattr(value, "min", None), getattr(value, "max", None)
    if least is not None and most is not None:  # NumPy's: a tensor may have no numbers yet
        for number in (float(least()), float(most())):
            if not interval.holds(number):
                raise InputError(f"{where} must lie in {interval}, found {number:g} in an array.")
    elif (
        dataclasses.is_dataclass(value) and not isinstance(value, type) and callable(value)
    ):  # a schedule that is data: of its first step
        first: Any = value(0.0)
        if isinstance(first, numbers.Real) and not interval.holds(float(first)):
            raise InputError(f"{where} must lie in {interval}, found {float(first):g} in the first step of {value}.")
    elif not is_array(value) and not callable(value):
        raise InputError(f"{where} must be a number in {interval}, found {value!r}.")
    return value


def resolved(settings: Mapping[str, Any], kind: type, t: Array, x: Array) -> dict[str, Array]:
    """The settings that are no plain numbers, as they are in step t, by name: arrays that broadcast against x.

    A schedule is read at t − 1, as Keras counts, and its value takes the dtype of x, as arrays do.
    """
    found = {}
    for name in notes(kind, Interval):
        value = settings[name]
        if callable(value):
            value = value(t - 1)
        elif not is_array(value):
            continue
        value = cast_like(value, x)
        rank, of = (len(getattr(one, "shape", ())) for one in (value, x))
        found[name] = value[(..., *[None] * (of - rank))] if 0 < rank < of else value
    return found
