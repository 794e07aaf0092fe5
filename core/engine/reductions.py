"""Many numbers to few, in forms that XLA compiles well for a processor: sums, order statistics, histograms."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..costs import at_least_float32
from .private import barrier, in_xla

COLUMNS, FOLDS = 256, 4
SQUARES = 64
"""What `sum_of_squares` adds up in one pass."""
HALF_OCTAVES = 512
"""What `half_octaves` counts in: the bins of all float32 magnitudes."""
DIGIT = 8
"""Bits that `order_statistics` finds at a time."""


def half_octave_edges() -> np.ndarray:
    """The lower edges of the bins of `half_octaves`, and ∞: float32 [HALF_OCTAVES], 0 and then 2^k and 1.5·2^k.

    The last bins, of ∞ and NaN, have no edge above.
    """
    return (np.arange(HALF_OCTAVES, dtype=np.int32) << 22).view(np.float32)


def column_sums(x: tf.Tensor, compiled: bool) -> tf.Tensor:
    """Sums of x that together are that of all its elements, [COLUMNS], of its dtype; booleans count as float32.

    compiled: whether XLA compiles it. XLA's CPU compiler adds up a tensor element after element, so that each addition
    waits for the one before, unless it is a sum over rows that stands by itself. Such a one is made here: the tensor is
    folded, which adds whole rows as well, and a barrier keeps the fold out of the loop that sums it.
    """
    flat: Any = tf.reshape(x if x.dtype.is_floating else tf.cast(x, tf.float32), [-1])
    rows = flat.shape[0] // (FOLDS * COLUMNS)
    if rows < FOLDS:
        padded = tf.pad(flat, [[0, -flat.shape[0] % COLUMNS]])
        return _sum(tf.unstack(tf.reshape(padded, [-1, COLUMNS])))
    folded, rest = tf.split(flat, [rows * FOLDS * COLUMNS, -1])
    table: Any = _sum(tf.unstack(tf.reshape(folded, [FOLDS, rows, COLUMNS])))
    if compiled:
        (table,) = barrier(table)
    sums = tf.reduce_sum(table, axis=0)
    return sums + column_sums(rest, compiled) if rest.shape[0] else sums


def _sum(tensors: Sequence[tf.Tensor]) -> Any:
    return sum(tensors[1:], tensors[0])


def sum_of_squares(x: tf.Tensor) -> tf.Tensor:
    """Σx² over all elements, in float64, a scalar; squares and sums are computed in it.

    XLA's CPU compiler would write all squares to memory, twice as wide as float32 is, and add them up afterwards, one
    after another. Where it compiles, the loop that reads x adds up some of them, so that few sums are left to be added.
    """
    flat: Any = tf.reshape(x, [-1])
    places = (flat.shape[0] or 0) // SQUARES  # None where a shape is not known before it runs
    if not places or not in_xla():
        return tf.reduce_sum(_squared(flat))
    folded, rest = tf.split(flat, [SQUARES * places, -1])
    squares = _in_pairs([_squared(part) for part in tf.unstack(tf.reshape(folded, [SQUARES, places]))])
    return tf.reduce_sum(squares) + tf.reduce_sum(_squared(rest))


def global_norm(gradients: Iterable[Any]) -> tf.Tensor:
    """√Σg² over all elements of all gradients, in float64; of sparse ones, over the dense ones they stand for."""
    return tf.sqrt(tf.add_n([sum_of_squares(tf.convert_to_tensor(at_least_float32(g))) for g in gradients]))


def _squared(x: tf.Tensor) -> Any:
    wide: Any = tf.cast(x, tf.float64)
    return wide * wide


def _in_pairs(tensors: Sequence[Any]) -> Any:
    """The sum of a power of two of tensors, by halves: additions of one level do not wait for each other."""
    half = len(tensors) // 2
    return tensors[0] if not half else _in_pairs(tensors[:half]) + _in_pairs(tensors[half:])


def half_octaves(x: tf.Tensor) -> tf.Tensor:
    """How many magnitudes of x, rounded to float32, lie in each half octave, int32 [HALF_OCTAVES].

    The bins are those of `half_octave_edges`: an octave is halved in the middle, at 1.5·2^k, which its bits tell.
    """
    bins = tf.bitwise.right_shift(_bits(x), 22)
    return tf.math.unsorted_segment_sum(tf.ones_like(bins), bins, HALF_OCTAVES)


def order_statistics(x: tf.Tensor, counted: tf.Tensor, shares: Sequence[float]) -> tf.Tensor:
    """The smallest magnitudes that at least these shares of x do not exceed, float32 [shares]; NaN where none counts.

    That is NumPy's quantile by the method "inverted_cdf", an element of |x|, x being rounded to float32; ∞ and NaN are
    the greatest. Nothing is sorted: the bits of a magnitude are in its order, so that its digits are found one after
    another, the highest first, by counting how often each occurs behind the digits found so far (radix selection).

    counted: booleans in the shape of x, which elements count.
    """
    bits, among = _bits(x), tf.reshape(counted, [-1])
    number = tf.reduce_sum(tf.cast(among, tf.int32))
    exact = tf.cast(tf.math.ceil(tf.constant(shares, tf.float64) * tf.cast(number, tf.float64)), tf.int32)
    places = tf.range(len(shares))

    def digit(low: tf.Tensor, ranks: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """The digit at bit `low` of each number, which is the ranks-th of those that begin with what is found of it."""
        digits = tf.bitwise.right_shift(bits, low)
        begins = tf.bitwise.right_shift(digits, DIGIT)
        # Where several numbers begin alike, the first one's row has the counts.
        row = tf.reduce_min(tf.where(begins[:, None] == found, places, len(shares)), axis=1)
        own = tf.reduce_min(tf.where(found[:, None] == found, places, len(shares)), axis=1)
        cell = row * 2**DIGIT + tf.bitwise.bitwise_and(digits, 2**DIGIT - 1)
        cell = tf.where(among & (row < len(shares)), cell, -1)
        counts = tf.math.unsorted_segment_sum(tf.ones_like(cell), cell, len(shares) * 2**DIGIT)
        up_to = tf.gather(tf.cumsum(tf.reshape(counts, [len(shares), 2**DIGIT]), axis=1), own)
        before = up_to < ranks[:, None]
        ranks -= tf.reduce_max(tf.where(before, up_to, 0), axis=1)
        return low - DIGIT, ranks, found * 2**DIGIT + tf.reduce_sum(tf.cast(before, tf.int32), axis=1)

    begun = tf.constant(32 - DIGIT), tf.maximum(exact, 1), tf.zeros_like(exact)
    _, _, found = tf.while_loop(lambda low, *_: low >= 0, digit, begun)
    return tf.where(number > 0, tf.bitcast(found, tf.float32), np.nan)


def _bits(x: tf.Tensor) -> tf.Tensor:
    return tf.bitcast(tf.abs(tf.reshape(tf.cast(x, tf.float32), [-1])), tf.int32)
