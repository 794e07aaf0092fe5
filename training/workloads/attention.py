"""What decoders are made of, as plain functions of tensors [examples, places, width]."""

from typing import Any

import numpy as np
import tensorflow as tf

from core import at_least_float32

EPSILON = 1e-5
"""Added to a variance; PyTorch's own."""


def sinusoids(places: int, width: int) -> np.ndarray:
    """Vaswani et al. 2017, section 3.5: sine at even numbers, cosine at odd ones, [places, width]."""
    number = np.arange(width)
    angles = np.arange(places)[:, np.newaxis] / 10_000 ** ((number - number % 2) / width)
    return np.where(number % 2, np.cos(angles), np.sin(angles))


def times(x: tf.Tensor, matrix: Any) -> tf.Tensor:
    """x [examples, places, inputs] by a matrix, as one product: tf.matmul makes one of each example."""
    return tf.tensordot(x, matrix, 1)


def attention(queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, heads: int) -> tf.Tensor:
    """Each query's mean of values, weighted by the softmax of queries·keys/√size, head by head; [n, places, width].

    The queries are of the last places of the keys, and see their own and those before.
    """
    asking: Any = queries.shape
    seen: Any = keys.shape
    (places, width), known = asking[1:], seen[1]
    size = width // heads
    queries, keys, values = (tf.reshape(x, [-1, x.shape[1], heads, size]) for x in (queries, keys, values))
    scores = tf.einsum("nqhs,nkhs->nhqk", queries, keys) / np.sqrt(size)
    later = np.triu(np.ones((places, known), bool), known - places + 1)
    scores = tf.where(later, tf.constant(-np.inf, scores.dtype), scores)
    return tf.reshape(tf.einsum("nhqk,nkhs->nqhs", tf.nn.softmax(scores), values), [-1, places, width])


def normalised(x: tf.Tensor, gain: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """Along the last axis to mean 0 and variance 1, then times gain plus shift (Ba, Kiros & Hinton 2016).

    Of a narrower x, mean and variance are computed in float32, as Keras does.
    """
    wide = at_least_float32(x)
    centred = wide - tf.reduce_mean(wide, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    return tf.cast(centred * tf.math.rsqrt(variance + EPSILON), x.dtype) * gain + shift
