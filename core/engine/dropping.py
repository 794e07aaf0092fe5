"""Steps that are dropped: whether one is, and what it leaves."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ..rules import Step


def all_finite(gradients: Iterable[Any]) -> tf.Tensor:
    """Whether all elements of all gradients are finite, a boolean scalar; of sparse ones, of all occurrences."""
    values = (of.values if isinstance(of, tf.IndexedSlices) else of for of in gradients)
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])


def taken_where(holds: tf.Tensor, step: Step, slots: Any, x: tf.Tensor) -> Step:
    """The step where it holds; else one that leaves slots and parameter as they are, with the stages of what it was."""

    def either(after: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        return tf.where(holds, after, before)

    return step._replace(
        delta=either(step.delta, tf.zeros_like(x)),
        slots=tf.nest.map_structure(either, step.slots, slots),
        x=either(step.x, x),
    )
