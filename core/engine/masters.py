"""Variables of a narrow dtype: what their rules compute in, and the wide parameter that each is rounded from."""

from typing import Any

import tensorflow as tf


def slot_dtype(variable: tf.Variable) -> tf.DType:
    """The dtype of a variable's slots and of its updates: float32 for narrower variables, else its own."""
    return variable.dtype if variable.dtype.size >= tf.float32.size else tf.float32


def parameter(variable: Any, master: Any) -> tf.Tensor:
    """θ in the slots' dtype: a wide variable itself; of a narrow one the master, where the variable is still what was
    rounded from it."""
    if master is None:
        return tf.convert_to_tensor(variable)
    here, wide = tf.convert_to_tensor(variable), tf.convert_to_tensor(master)
    return tf.where(tf.cast(wide, here.dtype) == here, wide, tf.cast(here, wide.dtype))
