"""The array functions that an update rule may call.

A rule is written once and runs on NumPy arrays (float32, float64, long double), on TensorFlow tensors, eagerly, in a
graph or inside XLA, and on sympy symbols, which show its formula. Each function here looks at its argument and calls
the library it belongs to. An array type of one's own that NumPy's functions accept is taken for NumPy's; it may bring
a method `cast(value)` for constants (core.verification.rounded does, whose numbers carry their rounding errors).
"""

import sys
from typing import Any

import numpy as np
import tensorflow as tf

Array = Any
"""A NumPy array, a TensorFlow tensor or a sympy expression, which stands for a scalar of no dtype."""


def _sympy_of(*values: Array) -> Any:
    """sympy where one of the values is its own; None elsewhere, and nothing is imported to find that out."""
    sympy: Any = sys.modules.get("sympy")
    return sympy if sympy is not None and any(isinstance(value, sympy.Basic) for value in values) else None


def _is_tensor(x: Any) -> bool:
    """Whether x is TensorFlow's; its own answer takes twenty times as long for what is NumPy's or Python's."""
    return not isinstance(x, np.ndarray | np.generic | float | int) and tf.is_tensor(x)


def _library(x: Array) -> Any:
    return tf if _is_tensor(x) else _sympy_of(x) or np


def is_array(x: Any) -> bool:
    """Whether x is an array, a tensor or a symbol, not a Python number."""
    return isinstance(x, np.ndarray) or _is_tensor(x) or _sympy_of(x) is not None


def sqrt(x: Array) -> Array:
    """√x, elementwise."""
    return _library(x).sqrt(x)


def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds and y elsewhere; both are computed everywhere."""
    if sympy := _sympy_of(condition):
        return sympy.Piecewise((x, condition), (y, True))
    return _library(condition).where(condition, x, y)


def zeros_like(x: Array) -> Array:
    """Zeros of the shape and dtype of x."""
    if sympy := _sympy_of(x):
        return sympy.Integer(0)
    return _library(x).zeros_like(x)


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
    return np.asarray(value, dtype if np.issubdtype(dtype, np.floating) else np.float64)
