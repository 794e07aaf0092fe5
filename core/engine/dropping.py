"""Steps that are dropped: whether one is, and what it leaves."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from ..rules import Step


def all_finite(tensors: Iterable[Any]) -> tf.Tensor:
    """Whether all elements of all tensors are finite, a boolean scalar; of sparse ones, of all occurrences.

    Sums of columns are looked at first: on a CPU, XLA computes them as fast as it reads, and looks at each element
    ten times slower. They are not finite where an element is not, and where they overflow: then each is looked at.
    """
    values = [of.values if isinstance(of, tf.IndexedSlices) else of for of in tensors]

    def each() -> tf.Tensor:
        return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])

    if tf.executing_eagerly():
        return each()
    sums = tf.reduce_all([tf.reduce_all(tf.math.is_finite(_columns(value))) for value in values])
    _, holds = tf.while_loop(lambda known, _: ~known, lambda *_: (tf.constant(True), each()), (sums, sums))
    return holds


def done_where(holds: tf.Tensor, body: Callable[[], None]) -> None:
    """Does what assigns variables where it holds.

    A loop of one turn or none: XLA assigns in place in a loop, where it would copy what the branches of a condition
    leave as it is; and what it makes of the body has the bits of one that always is done.
    """
    if tf.executing_eagerly():
        if holds:
            body()
        return

    def turn(_: tf.Tensor) -> tf.Tensor:
        body()
        return tf.constant(False)

    tf.while_loop(lambda due: due, turn, (holds,))


def taken_where(holds: tf.Tensor, step: Step, slots: Any, x: tf.Tensor) -> Step:
    """The step where it holds; else one that leaves slots and parameter as they are, with the stages of what it was."""

    def either(after: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        return tf.where(holds, after, before)

    return step._replace(
        delta=either(step.delta, tf.zeros_like(x)),
        slots=tf.nest.map_structure(either, step.slots, slots),
        x=either(step.x, x),
    )


def _columns(value: tf.Tensor) -> tf.Tensor:
    """Sums of the elements that share a place along the last axis."""
    return tf.reduce_sum(value, axis=range(value.shape.rank - 1)) if value.shape.rank else value
