"""Gradients of looked-up rows: what a rule receives for a tf.IndexedSlices, and what becomes of its step."""

from collections.abc import Callable
from typing import Any, Literal

import tensorflow as tf

from ..errors import InputError
from ..rules import At, Rule, Step, named, refilled
from ..xp import OF_NUMPY

Sparse = Literal["sum", "lazy", "occurrences"]
"""How a gradient counts that is sparse, as tf.gather and embeddings return it, where a row may occur several times.

sum:         as the dense gradient that it stands for: the occurrences of a row are added up, and rows that do not occur
             have the gradient 0, so that their slots decay and Adam moves them on.
lazy:        as the sum, for the rows that occur; parameter and slots of all others stay as they are (TF1's LazyAdam,
             PyTorch's SparseAdam). It is computed of all rows, whatever the execution: a choice of meaning, not speed.
occurrences: as Keras's own optimizers count it: like the sum, but a product of gradients is taken of each occurrence
             and then added up, so that a row that occurs twice adds g₁² + g₂² to v, not (g₁ + g₂)².
"""


class Occurrences:
    """A gradient whose rows stand apart, once for each time that they occur, under the arithmetic of a rule.

    Products and quotients with a number, with such another, and with a dense array of the full shape are taken by
    occurrence, as Keras's ops take them of tf.IndexedSlices (keras/src/backend/tensorflow/sparse.py); sums,
    differences and NumPy's functions, of the dense gradient.

    values: [occurrences, …]. indices: [occurrences], of the rows. rows: how many rows the dense gradient has.
    """

    def __init__(self, values: tf.Tensor, indices: tf.Tensor, rows: Any):
        self.values, self.indices, self.rows = values, indices, rows

    @property
    def dense(self) -> tf.Tensor:
        """[rows, …], the sum of each row's occurrences."""
        return tf.math.unsorted_segment_sum(self.values, self.indices, self.rows)

    @property
    def dtype(self) -> tf.DType:
        return self.values.dtype

    def cast(self, value: Any) -> tf.Tensor:
        """`value` in this gradient's dtype; see `xp.cast_like`."""
        return tf.cast(value, self.dtype) if tf.is_tensor(value) else tf.convert_to_tensor(value, self.dtype)

    def __array_function__(self, function: Callable[..., Any], _: Any, arguments: Any, options: Any) -> tf.Tensor:
        return OF_NUMPY[function](*map(dense, arguments), **options)

    def __array_ufunc__(self, function: Any, _: str, *arguments: Any, **options: Any) -> tf.Tensor:
        return OF_NUMPY[function](*map(dense, arguments), **options)

    def __mul__(self, other: Any) -> "Occurrences":
        return self._with(self.values * self._beside(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Occurrences":
        return self._with(self.values / self._beside(other))

    def __pow__(self, exponent: Any) -> "Occurrences":
        return self._with(self.values**exponent)

    def __neg__(self) -> "Occurrences":
        return self._with(-self.values)

    def __add__(self, other: Any) -> tf.Tensor:
        return self.dense + dense(other)

    def __sub__(self, other: Any) -> tf.Tensor:
        return self.dense - dense(other)

    def __radd__(self, other: Any) -> tf.Tensor:
        return other + self.dense

    def __rsub__(self, other: Any) -> tf.Tensor:
        return other - self.dense

    def _with(self, values: tf.Tensor) -> "Occurrences":
        return Occurrences(values, self.indices, self.rows)

    def _beside(self, other: Any) -> Any:
        """What stands beside each occurrence in a product with `other`."""
        if isinstance(other, Occurrences):
            return other.values
        return tf.gather(other, self.indices) if len(getattr(other, "shape", ())) else other


def summed(gradient: Any, variable: tf.Variable) -> tf.Tensor:
    """A variable's gradient as a tensor of its shape: of tf.IndexedSlices, the sum of each row's occurrences."""
    if isinstance(gradient, tf.IndexedSlices):
        return Occurrences(gradient.values, gradient.indices, variable.shape[0]).dense
    return gradient


def dense(value: Any) -> Any:
    """The dense gradient, where occurrences are given; all else as it is."""
    return value.dense if isinstance(value, Occurrences) else value


def updated(rule: Rule, g: Any, slots: Any, x: tf.Tensor, at: At, sparse: Sparse) -> Step:
    """What `rule.update` returns for a gradient that is a tensor or Occurrences, which count as `sparse` says.

    Raises InputError for a rule that does more with Occurrences than arithmetic, where each is to count.
    """
    rule = rule.resolved(at.t, x)
    if not isinstance(g, Occurrences):
        return rule.update(g, slots, x, at)
    if sparse != "occurrences":
        step = rule.update(g.dense, slots, x, at)
        return _of_rows(g, step, slots, x) if sparse == "lazy" else step
    try:
        step = rule.update(g, slots, x, at)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{type(rule).__name__} takes more than arithmetic of a gradient, so occurrences of a row cannot count by "
            f"themselves: use sparse='sum' or sparse='lazy'."
        ) from error
    slots = refilled(step.slots, {name: dense(value) for name, value in named(step.slots).items()})
    return Step(dense(step.delta), slots, {name: dense(value) for name, value in step.stages.items()}, dense(step.x))


def _of_rows(g: Occurrences, step: Step, slots: Any, x: tf.Tensor) -> Step:
    """A step of which only the rows that occur are taken."""
    there = tf.scatter_nd(g.indices[:, tf.newaxis], tf.ones_like(g.indices), [g.rows]) > 0
    there = tf.reshape(there, [g.rows] + [1] * (len(x.shape) - 1))
    old = named(slots)
    taken = {
        name: tf.where(there, new, old[name]) if new.shape == x.shape else new
        for name, new in named(step.slots).items()
    }
    delta = None if step.delta is None else tf.where(there, step.delta, tf.zeros_like(x))
    after = None if step.x is None else tf.where(there, step.x, x)
    return Step(delta, refilled(slots, taken), step.stages, after)
