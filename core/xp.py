"""The array functions that an update rule may call.

A rule is written once and runs on NumPy arrays (float32, float64, long double) and on TensorFlow tensors,
eagerly, in a graph or inside XLA. Each function here looks at its argument and calls the library it belongs to.
"""

from typing import Any

import numpy as np
import tensorflow as tf

Array = Any
"""A NumPy array or a TensorFlow tensor."""


def _library(x: Array) -> Any:
    return tf if tf.is_tensor(x) else np


def is_array(x: Any) -> bool:
    """Whether x is an array or tensor, not a Python number."""
    return isinstance(x, np.ndarray) or tf.is_tensor(x)


def sqrt(x: Array) -> Array:
    """√x, elementwise."""
    return _library(x).sqrt(x)


def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds and y elsewhere; both are computed everywhere."""
    return _library(condition).where(condition, x, y)


def zeros_like(x: Array) -> Array:
    """Zeros of the shape and dtype of x."""
    return _library(x).zeros_like(x)


def full_like(x: Array, value: float) -> Array:
    """An array of the shape and dtype of x, filled with one value."""
    return zeros_like(x) + cast_like(value, x)


def cast_like(value: Array, x: Array) -> Array:
    """`value` in the dtype of x (float64 where x is a Python number or an integer).

    A Python float goes to that dtype directly: `tf.cast(0.9, tf.float64)` would pass through float32.
    """
    if tf.is_tensor(x):
        return tf.cast(value, x.dtype) if tf.is_tensor(value) else tf.convert_to_tensor(value, x.dtype)
    dtype = getattr(x, "dtype", np.dtype(np.float64))
    return np.asarray(value, dtype if np.issubdtype(dtype, np.floating) else np.float64)
