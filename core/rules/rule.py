"""What every update rule is: settings, slots, and one pure function of (gradient, slots, step, parameter)."""

import dataclasses
import inspect
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Self,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from ..errors import InputError
from ..xp import Array, cast_like, is_array


class Step(NamedTuple):
    """What one application of a rule returns.

    delta:  what to subtract from the parameter, in its shape.
    slots:  the new slots, a NamedTuple of the type that `Rule.slots` returned.
    stages: the named intermediate values of the formula, by name; XLA drops those that are not read.
    """

    delta: Array
    slots: Any
    stages: dict[str, Array]


class Dialect(NamedTuple):
    """One library's reading of a rule: where it is written down, and the settings that reproduce it.

    A library that asks its user for a learning rate has none in `settings`.
    """

    source: str
    settings: Mapping[str, Any]


class Interval(NamedTuple):
    """The open interval (above, below), or [above, below) where `closed`."""

    above: float
    below: float = math.inf
    closed: bool = False

    def holds(self, value: float) -> bool:
        return (self.above <= value if self.closed else self.above < value) and value < self.below

    def __str__(self) -> str:
        return f"{'[' if self.closed else '('}{self.above:g}, {'∞' if self.below == math.inf else f'{self.below:g}'})"


Rate = Annotated[float | Callable[[Array], Array], Interval(0.0, closed=True)]
"""A learning rate: a number, 0 in a warm-up's first step, or a schedule, a pure function of the number of steps taken
before."""
Decay = Annotated[float, Interval(0.0, 1.0, closed=True)]
"""The share of a running average that one step keeps: β or ρ, in [0, 1)."""
Positive = Annotated[float, Interval(0.0)]
"""A number above 0, such as an ε that alone keeps a zero gradient from giving 0/0."""
NonNegative = Annotated[float, Interval(0.0, closed=True)]
"""A number that may be 0."""
Precision = Literal["float64", "variable"]
"""Where a constant is computed before it takes the variable's dtype: in float64 (or wider), or in that dtype."""


@dataclass_transform(frozen_default=True)
@dataclasses.dataclass(frozen=True)
class Rule(ABC):
    """An update rule: θ ← θ − Δ, where Δ and the new slots are a pure function of the gradient.

    Every subclass is a frozen dataclass, decorated or not; its fields are the settings, `learning_rate` first. A field
    annotated with `Rate`, `Decay`, `Positive`, `NonNegative`, `bool` or a `Literal` is checked on construction. A
    setting of the parent that the class body assigns, `epsilon = 1e-3`, has that default and the parent's annotation.
    Numbers may also be tensors or arrays of the slots' dtype that broadcast against the parameter (over a leading axis
    of runs, say); those are taken as they are.
    """

    DIALECTS: ClassVar[Mapping[str, Dialect]] = {}

    learning_rate: Rate

    @abstractmethod
    def slots(self, x: Array) -> Any:
        """The slots before the first step, a NamedTuple of arrays, for a parameter x.

        SQUARES, where its class has it, names those that hold squares: their roots compare with gradients or updates.
        """

    @abstractmethod
    def update(self, g: Array, slots: Any, t: Array, x: Array) -> Step:
        """One step: gradient g, slots and parameter x of one dtype; t counts from 1, a float at least as wide."""

    def epsilon_outweighs(self, step: Step) -> Array | None:
        """Where, in what divides the gradient, ε is greater than what it is added to; None for a rule without an ε."""
        return None

    def diagnostics(self, step: Step) -> dict[str, Array]:
        """What shows this rule at work beside its scalar stages, by name: arrays, whose means a recorder keeps."""
        return {}

    def rate(self, t: Array, like: Array) -> Array:
        """The learning rate of step t in the dtype of `like`; a schedule is read at t − 1, as Keras counts."""
        rate = self.learning_rate
        return cast_like(rate(t - 1) if callable(rate) else rate, like)

    @classmethod
    def dialect(cls, name: str, **settings: Any) -> Self:
        """The rule as the library `name` computes it, with that library's defaults where `settings` has nothing.

        Raises InputError for a dialect or a setting that the rule lacks, and for a learning rate that has neither a
        default in the library nor a value from the caller.
        """
        if name not in cls.DIALECTS:
            known = ", ".join(cls.DIALECTS) or "none"
            raise InputError(f"{cls.__name__} has no dialect {name!r}; it has: {known}.", name, cls.DIALECTS)
        settings = {**cls.DIALECTS[name].settings, **settings}
        fields = [field.name for field in dataclasses.fields(cls)]
        for setting in settings:
            if setting not in fields:
                raise InputError(
                    f"{cls.__name__} has no setting {setting!r}; it has: {', '.join(fields)}.", setting, fields
                )
        if "learning_rate" not in settings:
            raise InputError(f"{cls.__name__} in the {name} dialect has no default learning rate: give learning_rate.")
        return cls(**settings)

    def __init_subclass__(cls, **options: Any) -> None:
        """Makes the class a dataclass: without that, Python ignores a setting that its body changes or adds.

        A class without a docstring would have its signature for one, from this dataclass or a decorator.
        """
        super().__init_subclass__(**options)
        if not cls.__doc__:
            parents = " and ".join(
                base.__name__ for base in cls.__bases__ if issubclass(base, Rule) and base is not Rule
            )
            cls.__doc__ = (
                f"{cls.__name__}, {f'made of {parents}' if parents else 'an update rule'}, without a docstring."
            )
        own = inspect.get_annotations(cls)
        inherited: dict[str, Any] = {}
        for base in reversed([base for base in cls.__bases__ if issubclass(base, Rule)]):
            inherited |= get_type_hints(base, include_extras=True)
        reassigned = {
            name: inherited[name]
            for name, field in cls.__dataclass_fields__.items()
            if name not in own and getattr(cls, name, dataclasses.MISSING) is not field.default
        }
        for name in reassigned:
            if isinstance(getattr(cls, name), property):
                raise InputError(f"{cls.__name__}: {name} is a setting and must be a value, found a property.")
        cls.__annotations__ = own | reassigned
        dataclasses.dataclass(frozen=True)(cls)
        del cls.__setattr__, cls.__delattr__  # a class that has them cannot be decorated once more; Rule's serve

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        for field in dataclasses.fields(self):
            where = f"{type(self).__name__}: {field.name}"
            object.__setattr__(self, field.name, _accepted(where, getattr(self, field.name), hints[field.name]))


def _refuse_change(rule: Rule, name: str, *_: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(rule).__name__}.{name} is a setting of a frozen rule: use replace.")


Rule.__setattr__ = Rule.__delattr__ = _refuse_change


def _accepted(where: str, value: Any, hint: Any) -> Any:
    """The value of a setting, a number as Python's float, or InputError where it is not what the annotation says."""
    if hint is bool and not isinstance(value, bool):
        raise InputError(f"{where} must be True or False, found {value!r}.")
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise InputError(f"{where} must be one of {', '.join(map(repr, get_args(hint)))}, found {value!r}.")
    interval = next((note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Interval)), None)
    if interval is None:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        if not interval.holds(float(value)):
            raise InputError(f"{where} must lie in {interval}, found {float(value):g}.")
        return float(value)
    if not is_array(value) and not (hint == Rate and callable(value)):
        raise InputError(f"{where} must be a number in {interval}, found {value!r}.")
    return value


def one_minus(beta: Array, x: Array, precision: Precision) -> Array:
    """1 − β in the dtype of x, subtracted as `precision` says.

    float32's 1 − 0.999 is 9.99987e-4: TF1 and its kernels compute it so, the others subtract in Python's float64.
    """
    return cast_like(1 - beta, x) if precision == "float64" else 1 - cast_like(beta, x)


def average(old: Array, new: Array, beta: Array, precision: Precision, incremental: bool = False) -> Array:
    """The running average β·old + (1 − β)·new, or the same in increments, old + (1 − β)·(new − old).

    The two round differently. Where β and 1 − β are rounded apart, as float32 rounds 0.999 and 0.001, their sum is
    not 1: the first form then settles 1e-5 off the mean, the second does not.
    """
    weight = one_minus(beta, new, precision)
    return old + weight * (new - old) if incremental else beta * old + weight * new


def one_minus_power(beta: Array, t: Array, x: Array, precision: Precision) -> Array:
    """1 − β^t, the bias correction, in the dtype of x; the power and the subtraction computed as `precision` says."""
    if precision == "variable":
        t = cast_like(t, x)
    return cast_like(1 - cast_like(beta, t) ** t, x)
