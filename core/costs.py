"""Costs and accuracies that many networks share."""

from typing import Any

import tensorflow as tf

from .errors import InputError


def softmax_cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The mean over examples of −Σ_c y_c·log softmax(logits)_c, a scalar of the logits' dtype, or of float32.

    Logits of a narrower dtype are taken to float32 first: a sum of exponentials has no more than 3 digits in bfloat16.

    labels: class numbers [examples] of an integer dtype, or rows [examples, classes], one-hot or of probabilities.
    A class number that is none makes the cost NaN inside XLA, where values cannot be checked.

    Raises InputError for labels of another shape or dtype.
    """
    labels = _checked_labels(logits, labels)
    logits = at_least_float32(logits)
    if labels.shape.rank == 1:
        costs = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels, tf.int32), logits)
    else:
        costs = tf.nn.softmax_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits)
    return tf.reduce_mean(costs)


def at_least_float32(x: tf.Tensor) -> tf.Tensor:
    """The tensor, in float32 where it is narrower: means over examples and elements round too much there."""
    return x if x.dtype.size >= tf.float32.size else tf.cast(x, tf.float32)


def accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The share of examples whose largest logit is the label's, a float64 scalar; labels as for the cost."""
    labels = _checked_labels(logits, labels)
    numbers = labels if labels.shape.rank == 1 else tf.argmax(labels, axis=1)
    hits = tf.argmax(logits, axis=1) == tf.cast(numbers, tf.int64)
    return tf.reduce_mean(tf.cast(hits, tf.float64))


def _checked_labels(logits: tf.Tensor, labels: Any) -> tf.Tensor:
    labels = tf.convert_to_tensor(labels)
    numbers = labels.shape.rank == 1 and labels.dtype.is_integer
    if not numbers and not (labels.shape.rank == 2 and labels.shape.is_compatible_with(logits.shape)):
        raise InputError(
            f"Labels must be class numbers of an integer dtype, of shape [examples], or rows of shape {logits.shape}, "
            f"found {labels.dtype.name} {labels.shape}."
        )
    return labels
