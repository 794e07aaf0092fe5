"""Numbers that know how far a computation in a narrower dtype may be from them: running error analysis.

Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition (SIAM 2002), section 3.3. A formula written for
NumPy arrays runs on these unchanged, and its bound is then computed from the formula itself: every operation passes
on what its operands may be off, and adds what its own rounding may add.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np

from ..errors import InputError

FLUSHED = 64
"""How many times the smallest normal number may come of operations that flush to 0, generously."""


@dataclass(frozen=True)
class Precision:
    """A dtype that is judged, and the wider one that judges it.

    unit: ε_machine, the distance from 1 to the next number; a rounding errs by half of it at most.
    tiny: the smallest normal number; TensorFlow flushes what is smaller to 0.
    """

    dtype: Any
    wide: Any
    unit: Any
    tiny: Any

    @classmethod
    def of(cls, dtype: Any) -> Self:
        """Float64 judges float32; long double judges float64, and itself.

        Raises InputError for another dtype, and for float64 where long double is no wider.
        """
        kind = np.dtype(dtype)
        if kind not in (np.float32, np.float64, np.longdouble):
            raise InputError(f"The dtype must be float32 or float64, found {kind.name}.")
        limits = np.finfo(kind)
        if kind == np.float64 and np.finfo(np.longdouble).eps == limits.eps:
            raise InputError("float64 cannot be judged here: this machine's long double is no wider than float64.")
        wide = np.float64 if kind == np.float32 else np.longdouble
        return cls(kind.type, wide, wide(limits.eps), wide(limits.tiny))

    @property
    def judges_itself(self) -> bool:
        """Whether what is expected is rounded as what is found is."""
        return self.wide is self.dtype

    def exact(self, value: Any) -> "Rounded":
        """Numbers of the judged dtype, as they are."""
        return Rounded(self.wide(value), np.zeros(np.shape(value), self.wide), self)


class Rounded:
    """What a computation should give, in the wide dtype, and how far the same one in the narrow dtype may be off.

    A plain number or array that meets one is a constant, rounded to the narrow dtype. A sum's rounding is charged to
    the magnitudes of its terms, not of their sum, so that it covers the terms in any order. Comparisons look at the
    values alone. All elementwise functions of core.xp and their NumPy names are here. Any other function raises
    TypeError, sums, means and products of matrices too: elements are judged one by one, all steps at once.
    """

    def __init__(self, value: Any, error: Any, precision: Precision):
        self.value, self.error, self.precision = value, error, precision

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def dtype(self) -> np.dtype:
        """The wide one."""
        return np.dtype(self.precision.wide)

    def __getitem__(self, chosen: Any) -> "Rounded":
        return Rounded(self.value[chosen], self.error[chosen], self.precision)

    def astype(self, dtype: Any) -> "Rounded":
        """Itself: whoever asks means the dtype that is judged."""
        return self

    def copy(self) -> "Rounded":
        return self

    def cast(self, value: Any) -> "Rounded":
        """A constant as the narrow dtype holds it: exactly, or to half a unit."""
        if isinstance(value, Rounded):
            return value
        wide = self.precision.wide(value)
        held = self.precision.wide(np.asarray(value).astype(self.precision.dtype)) == wide
        return Rounded(wide, np.where(held, 0, self.precision.unit / 2 * np.abs(wide)), self.precision)

    def _operation(self, value: Any, error: Any, magnitude: Any = None) -> "Rounded":
        """The result of one operation: half a unit of its magnitude, and what flushing to 0 may take.

        Sums and products of zeros are exact in every dtype.
        """
        size = error + (np.abs(value) if magnitude is None else magnitude)
        rounding = self.precision.unit / 2 * size + self.precision.tiny * (size != 0)
        return Rounded(value, error + rounding, self.precision)

    def _constant(self, other: Any) -> "Rounded":
        if isinstance(other, Rounded):
            return other
        return Rounded(other, self.precision.unit / 2 * np.abs(other), self.precision)

    def __add__(self, other: Any) -> "Rounded":
        other = self._constant(other)
        magnitude = np.abs(self.value) + np.abs(other.value)
        return self._operation(self.value + other.value, self.error + other.error, magnitude)

    def __neg__(self) -> "Rounded":
        return Rounded(-self.value, self.error, self.precision)

    def __sub__(self, other: Any) -> "Rounded":
        return self + -self._constant(other)

    def __mul__(self, other: Any) -> "Rounded":
        other = self._constant(other)
        error = np.abs(self.value) * other.error + np.abs(other.value) * self.error + self.error * other.error
        return self._operation(self.value * other.value, error)

    def __truediv__(self, other: Any) -> "Rounded":
        other = self._constant(other)
        size, divisor = np.abs(self.value), np.abs(other.value)
        least = np.maximum(divisor - other.error, 0)
        error = (self.error * divisor + size * other.error) / (divisor * least)
        return self._operation(self.value / other.value, error)

    def __pow__(self, exponent: Any) -> "Rounded":
        """A square is one product, a power of ½ a root; another is exp(exponent·ln self), or a product of factors."""
        if not isinstance(exponent, Rounded) and np.ndim(exponent) == 0 and exponent in (0.5, 2):
            return self * self if exponent == 2 else self.sqrt()
        exponent = self._constant(exponent)
        value, times = self.value**exponent.value, np.abs(exponent.value)
        logarithm = np.abs(np.log(np.maximum(np.abs(self.value), self.precision.tiny)))
        off = (
            times * np.abs(self.value) ** (exponent.value - 1) * self.error + np.abs(value) * logarithm * exponent.error
        )
        return self._operation(value, off + self.precision.unit * (1 + times * (1 + logarithm)) * np.abs(value))

    def exp(self) -> "Rounded":
        value = np.exp(self.value)
        return self._operation(value, value * np.expm1(self.error) + self.precision.unit * value)

    def log(self) -> "Rounded":
        value, least = np.log(self.value), np.maximum(self.value - self.error, self.precision.tiny)
        return self._operation(value, self.error / least + self.precision.unit * np.abs(value))

    def cos(self) -> "Rounded":
        """Its slope is the sine, and bends by 1 at most."""
        value, slope = np.cos(self.value), np.abs(np.sin(self.value))
        return self._operation(value, self.error * (slope + self.error / 2) + self.precision.unit * np.abs(value))

    def floor(self) -> "Rounded":
        """Exact, except where rounding may carry the number over a whole one."""
        low, value, high = (np.floor(self.value + off) for off in (-self.error, 0, self.error))
        return Rounded(value, np.maximum(high - value, value - low), self.precision)

    def __abs__(self) -> "Rounded":
        return Rounded(np.abs(self.value), self.error, self.precision)

    def sign(self) -> "Rounded":
        """Exact, except where rounding may carry the number to 0 or beyond."""
        sign = np.sign(self.value)
        unsure = (np.abs(self.value) <= self.error) & (self.error > 0)
        return Rounded(sign, np.where(unsure, 1 + np.abs(sign), 0), self.precision)

    def _chosen(self, other: Any, choose: Callable[[Any, Any], Any]) -> "Rounded":
        """One of two numbers: off by what the one that is further off may be."""
        other = self._constant(other)
        return Rounded(choose(self.value, other.value), np.maximum(self.error, other.error), self.precision)

    def maximum(self, other: Any) -> "Rounded":
        return self._chosen(other, np.maximum)

    def minimum(self, other: Any) -> "Rounded":
        return self._chosen(other, np.minimum)

    def sqrt(self) -> "Rounded":
        """Anything, NaN too, where roundings may have carried the number below 0, further than flushing to 0 can."""
        root, least = np.sqrt(self.value), self.value - self.error
        below = np.maximum(root + np.sqrt(np.maximum(least, 0)), self.precision.tiny)
        error = np.where(least > 0, self.error / below, np.sqrt(self.value + self.error))
        return self._operation(root, np.where(least < -FLUSHED * self.precision.tiny, np.inf, error))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> "Rounded":
        return self._constant(other) + -self

    def __rtruediv__(self, other: Any) -> "Rounded":
        return self._constant(other) / self

    def __rpow__(self, other: Any) -> "Rounded":
        return self._constant(other) ** self

    def __lt__(self, other: Any) -> Any:
        return self.value < _value(other)

    def __le__(self, other: Any) -> Any:
        return self.value <= _value(other)

    def __gt__(self, other: Any) -> Any:
        return self.value > _value(other)

    def __ge__(self, other: Any) -> Any:
        return self.value >= _value(other)

    def __eq__(self, other: Any) -> Any:
        return self.value == _value(other)

    def __ne__(self, other: Any) -> Any:
        return self.value != _value(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as NumPy's arrays, which compare alike

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> "Rounded":
        """So that np.sqrt(x) works, and an array on the left of an operator leaves it to this class."""
        if method != "__call__" or options or ufunc not in _OPERATORS:
            raise _no_function(ufunc)
        return _OPERATORS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """So that np.where, np.zeros_like and the like, which are no ufuncs, take these numbers."""
        if function not in _FUNCTIONS:
            raise _no_function(function)
        return _FUNCTIONS[function](*arguments, **options)


def _no_function(function: Callable[..., Any]) -> TypeError:
    name = function.__name__
    if name in ("sum", "mean", "matmul", "transpose", "dot", "einsum", "linalg.norm"):
        return TypeError(
            f"{name} combines elements, and a formula is judged element by element: judge by an optimizer of a "
            "library instead, such as keras:Lamb"
        )
    known = ", ".join(sorted(known.__name__ for known in {**_OPERATORS, **_FUNCTIONS}))
    return TypeError(f"{name} is not among the functions whose rounding errors are known: {known}")


def _value(number: Any) -> Any:
    return number.value if isinstance(number, Rounded) else number


def _where(condition: Any, x: Any, y: Any) -> Rounded:
    some = x if isinstance(x, Rounded) else y
    x, y = some._constant(x), some._constant(y)
    condition = _value(condition)
    return Rounded(np.where(condition, x.value, y.value), np.where(condition, x.error, y.error), some.precision)


def _full_like(x: Rounded, value: Any, **_: Any) -> Rounded:
    return x.precision.exact(np.zeros(x.shape)) + x.cast(value)


_OPERATORS = {
    np.sqrt: Rounded.sqrt,
    np.exp: Rounded.exp,
    np.log: Rounded.log,
    np.cos: Rounded.cos,
    np.floor: Rounded.floor,
    np.absolute: Rounded.__abs__,
    np.sign: Rounded.sign,
    np.negative: Rounded.__neg__,
    np.square: lambda a: a * a,
    np.add: lambda a, b: b + a,
    np.subtract: lambda a, b: -b + a,
    np.multiply: lambda a, b: b * a,
    np.divide: lambda a, b: b.__rtruediv__(a) if isinstance(b, Rounded) else a / b,
    np.power: lambda a, b: b.__rpow__(a) if isinstance(b, Rounded) else a**b,
    np.maximum: lambda a, b: b.maximum(a) if isinstance(b, Rounded) else a.maximum(b),
    np.minimum: lambda a, b: b.minimum(a) if isinstance(b, Rounded) else a.minimum(b),
    **{
        ufunc: lambda a, b, ufunc=ufunc: ufunc(_value(a), _value(b))
        for ufunc in (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
    },
}

_FUNCTIONS = {
    np.where: _where,
    np.clip: lambda x, low, high, **_: x.maximum(low).minimum(high),
    np.zeros_like: lambda x, *_, **__: _full_like(x, 0.0),
    np.ones_like: lambda x, *_, **__: _full_like(x, 1.0),
    np.full_like: _full_like,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
}


def narrowly(value: float, like: Any) -> Any:
    """A constant that an implementation keeps in float32, whatever the dtype of its arrays."""
    if not isinstance(like, Rounded):
        return value
    precision = like.precision
    unit = precision.wide(np.finfo(np.float32).eps)
    return Rounded(precision.wide(value), unit / 2 * precision.wide(abs(value)), precision)


def either(operands: tuple[Any, ...], *orders: Callable[..., Any]) -> Any:
    """One value that implementations compute in several orders of operations: the first order's.

    What its operands may be off, it passes on as that order does; to this comes the rounding of the order that rounds
    most. (An operand that stands twice in an order would otherwise have its error counted twice.)
    """
    first = orders[0](*operands)
    if not isinstance(first, Rounded):
        return first
    sure = tuple(o.precision.exact(o.value) if isinstance(o, Rounded) else o for o in operands)
    roundings = [order(*sure).error for order in orders]
    return Rounded(first.value, first.error + reduce(np.maximum, roundings) - roundings[0], first.precision)
