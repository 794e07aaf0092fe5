"""The array functions that an update rule may call.

A rule is written once and runs on NumPy arrays, on TensorFlow tensors, eagerly, in a graph or inside XLA, and on sympy
symbols, which show its formula: each function here calls the library that its arguments belong to. +, −, ·, /, ** and
comparisons are Python's own; `&`, `|` and `~` join conditions.

    abs(x), sign(x)           |x|; −1, 0 or 1
    sqrt(x), square(x)        √x, NaN where x < 0; x²
    exp(x), log(x)            eˣ; the natural logarithm, −∞ at 0 and NaN below
    cos(x)                    the cosine of x radians
    floor(x)                  the largest whole number that is not above x
    power(x, y)               xʸ, NaN for x < 0 where y is not whole
    minimum(x, y)             the smaller of two, and maximum(x, y) the greater
    clip(x, low, high)        x, and low or high where x is beyond them
    where(condition, x, y)    x where the condition holds, else y
    equal(x, y)               where x and y are equal: == compares two symbols as a whole
    sum(x, axis, keepdims)    Σx over one axis, several, or all
    mean(x, axis, keepdims)   their mean
    matmul(x, y)              the matrix product of the last two axes
    transpose(x)              the axes in reverse order
    zeros_like(x)             0, ones_like(x) 1 and full_like(x, value) one value, in the shape and dtype of x
    cast_like(value, x)       a value in the dtype of x
    is_array(x)               whether x is an array, a tensor or a symbol, not a Python number
    is_condition(x)           whether x is an array of booleans, or a relation of symbols

All but the last three return the shape of their arguments broadcast together (sums and products their own) in the dtype
of the first that is no Python number: float16, bfloat16, float32, float64, in NumPy long double too. Python numbers
take that dtype without a detour through another. Arguments of two dtypes are TensorFlow's error, and NumPy promotes
them. Both sides of `where` are computed everywhere: a NaN on the side not taken stays out of the result. A sign written
as g / abs(g) or g / sqrt(g * g) is NaN at 0; `sign` is not.

A symbol stands for one element. Sums, means, matrix products and transposes of symbols are shown by name.

An array type of one's own that NumPy's functions accept counts as NumPy's; it may bring a method `cast(value)` for
constants (core.verification.rounded does, whose numbers carry their rounding errors).
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = [
    "abs", "cast_like", "clip", "cos", "equal", "exp", "floor", "full_like", "is_array", "is_condition", "log",
    "matmul", "maximum", "mean", "minimum", "ones_like", "power", "sign", "sqrt", "square", "sum", "transpose", "where",
    "zeros_like",
]  # fmt: skip

Array = Any
"""A NumPy array, a TensorFlow tensor or a sympy expression, which stands for a scalar of no dtype."""

Axis = int | tuple[int, ...] | None


def _sympy_of(*values: Array) -> Any:
    """sympy where one of the values is its own; None elsewhere, and nothing is imported to find that out."""
    sympy: Any = sys.modules.get("sympy")
    return sympy if sympy is not None and any(isinstance(value, sympy.Basic) for value in values) else None


def _is_tensor(x: Any) -> bool:
    """Whether x is TensorFlow's; its own answer takes twenty times as long for what is NumPy's or Python's."""
    return not isinstance(x, np.ndarray | np.generic | float | int) and tf.is_tensor(x)


def is_array(x: Any) -> bool:
    """Whether x is an array, a tensor or a symbol, not a Python number."""
    return isinstance(x, np.ndarray) or _is_tensor(x) or _sympy_of(x) is not None


def is_condition(x: Any) -> bool:
    """Whether x is an array of booleans, as comparisons return, or a relation of symbols."""
    if sympy := _sympy_of(x):
        return isinstance(x, sympy.logic.boolalg.Boolean) and not isinstance(x, sympy.Symbol)
    return isinstance(x, bool) or getattr(x, "dtype", None) in (tf.bool, np.bool_)


def _called(
    of_tensorflow: Callable[..., Any], of_numpy: Callable[..., Any], of_sympy: str, *values: Array, **options: Any
) -> Array:
    """The function of the library that the values belong to, on values of one dtype."""
    if sympy := _sympy_of(*values):
        return getattr(sympy, of_sympy)(*map(sympy.sympify, values), **_unevaluated(sympy, of_sympy))
    values = _of_one_dtype(values)
    return (of_tensorflow if any(map(_is_tensor, values)) else of_numpy)(*values, **options)


def _unevaluated(sympy: Any, name: str) -> dict[str, bool]:
    """Min and Max alone do not ask whether sympy evaluates."""
    return {"evaluate": sympy.core.parameters.global_parameters.evaluate} if name in ("Min", "Max") else {}


def _of_one_dtype(values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Python's numbers in the dtype of the first value that is none."""
    like = next((value for value in values if type(value) not in (int, float)), None)
    return values if like is None else tuple(cast_like(v, like) if type(v) in (int, float) else v for v in values)


def _by_name(name: str, *values: Array) -> Any:
    """A function of symbols that says no more than its name; None where no value is a symbol."""
    sympy = _sympy_of(*values)
    return sympy and sympy.Function(name, real=True)(*map(sympy.sympify, values))


def abs(x: Array) -> Array:
    """|x|, elementwise."""
    return _called(tf.abs, np.absolute, "Abs", x)


def sign(x: Array) -> Array:
    """−1 below 0, 0 at 0, 1 above, elementwise."""
    return _called(tf.sign, np.sign, "sign", x)


def sqrt(x: Array) -> Array:
    """√x, elementwise; NaN where x < 0."""
    return _called(tf.sqrt, np.sqrt, "sqrt", x)


def square(x: Array) -> Array:
    """x², elementwise."""
    return x * x


def exp(x: Array) -> Array:
    """eˣ, elementwise."""
    return _called(tf.exp, np.exp, "exp", x)


def log(x: Array) -> Array:
    """The natural logarithm, elementwise; −∞ at 0, NaN where x < 0."""
    return _called(tf.math.log, np.log, "log", x)


def cos(x: Array) -> Array:
    """The cosine of x radians, elementwise."""
    return _called(tf.cos, np.cos, "cos", x)


def floor(x: Array) -> Array:
    """The largest whole number that is not above x, elementwise, in the dtype of x."""
    return _called(tf.floor, np.floor, "floor", x)


def power(x: Array, y: Array) -> Array:
    """xʸ, elementwise; NaN for x < 0 where y is not whole."""
    return _called(tf.pow, np.power, "Pow", x, y)


def minimum(x: Array, y: Array) -> Array:
    """The smaller of x and y, elementwise."""
    return _called(tf.minimum, np.minimum, "Min", x, y)


def maximum(x: Array, y: Array) -> Array:
    """The greater of x and y, elementwise."""
    return _called(tf.maximum, np.maximum, "Max", x, y)


def clip(x: Array, low: Array, high: Array) -> Array:
    """x, and low or high where x is beyond them, elementwise."""
    return minimum(maximum(x, low), high)


def equal(x: Array, y: Array) -> Array:
    """Where x and y are equal: a condition for `where`. (Of two symbols, == would ask whether they are one.)"""
    return _called(tf.equal, np.equal, "Eq", x, y)


def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds and y elsewhere; both are computed everywhere."""
    if isinstance(condition, bool) and _sympy_of(x, y):
        raise TypeError(
            "the condition of `where` is Python's True or False: write equal(x, y) for x == y, and a Python `if` for "
            "a setting"
        )
    if sympy := _sympy_of(condition):
        return sympy.Piecewise((x, condition), (y, True))
    x, y = _of_one_dtype((x, y))
    return (tf if any(map(_is_tensor, (condition, x, y))) else np).where(condition, x, y)


def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Σx over one axis, several, or all (None); axes that are summed over stay with length 1 where `keepdims`."""
    return _over_axes(tf.reduce_sum, np.sum, "sum", x, axis, keepdims)


def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean over one axis, several, or all (None); averaged axes stay with length 1 where `keepdims`."""
    return _over_axes(tf.reduce_mean, np.mean, "mean", x, axis, keepdims)


def _over_axes(
    of_tensorflow: Callable[..., Any], of_numpy: Callable[..., Any], name: str, x: Array, axis: Axis, keepdims: bool
) -> Array:
    if shown := _by_name(name, x, *([] if axis is None else [axis] if isinstance(axis, int) else axis)):
        return shown
    found = (of_tensorflow if _is_tensor(x) else of_numpy)(x, axis=axis, keepdims=keepdims)
    return found if _is_tensor(x) else cast_like(found, x)


def matmul(x: Array, y: Array) -> Array:
    """The matrix product of the last two axes: [..., n, k] and [..., k, m] to [..., n, m]."""
    if shown := _by_name("matmul", x, y):
        return shown
    if _is_tensor(x) or _is_tensor(y):
        return tf.matmul(x, y)
    product = np.matmul(x, y)
    return cast_like(product, x) if x.dtype == y.dtype else product  # of bfloat16, NumPy's is float32


def transpose(x: Array) -> Array:
    """The axes in reverse order: of a matrix, its transpose."""
    return _by_name("transpose", x) or (tf if _is_tensor(x) else np).transpose(x)


def zeros_like(x: Array) -> Array:
    """Zeros of the shape and dtype of x."""
    if sympy := _sympy_of(x):
        return sympy.Integer(0)
    return (tf if _is_tensor(x) else np).zeros_like(x)


def ones_like(x: Array) -> Array:
    """Ones of the shape and dtype of x."""
    return full_like(x, 1.0)


def full_like(x: Array, value: float) -> Array:
    """An array of the shape and dtype of x, filled with one value."""
    return zeros_like(x) + cast_like(value, x)


def cast_like(value: Array, x: Array) -> Array:
    """`value` in the dtype of x (float64 where x is a Python number or an integer); a symbol has none, and stays.

    A Python float goes to that dtype directly: `tf.cast(0.9, tf.float64)` would pass through float32.
    """
    if sympy := _sympy_of(value, x):
        return sympy.sympify(value)
    if _is_tensor(x):
        return tf.cast(value, x.dtype) if _is_tensor(value) else tf.convert_to_tensor(value, x.dtype)
    if hasattr(x, "cast"):
        return x.cast(value)
    dtype = getattr(x, "dtype", np.dtype(np.float64))
    return np.asarray(value, np.float64 if dtype.kind in "biu" else dtype)


OF_NUMPY: Mapping[Callable[..., Any], Callable[..., Array]] = {
    np.absolute: abs, np.cos: cos, np.equal: equal, np.exp: exp, np.floor: floor, np.log: log, np.matmul: matmul,
    np.maximum: maximum, np.mean: mean, np.minimum: minimum, np.power: power, np.sign: sign, np.sqrt: sqrt,
    np.square: square, np.sum: sum, np.transpose: transpose, np.where: where, np.zeros_like: zeros_like,
}  # fmt: skip
"""For an array type whose own arrays are tensors: what stands for each of NumPy's functions."""
