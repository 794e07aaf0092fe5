"""What a perceptron makes of images: its cost on a batch, and how well it names those of a split."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core import InputError, accuracy, logits, softmax_cross_entropy
from core.network import Weights

from ..runs.distribution.distribution import Distribution
from .data import Split

CHUNK = 5_000
"""Images at a time: the whole of a split as float32 would be most of what a run holds in memory."""


class Evaluation(NamedTuple):
    """cost: the mean softmax cross-entropy; accuracy: the share of images that are named rightly."""

    cost: float
    accuracy: float


def unit_pixels(images: tf.Tensor) -> tf.Tensor:
    """Grey levels 0 to 255 (uint8) as float32 from 0 to 1, by the notebook's product with 1/255."""
    return tf.cast(images, tf.float32) * np.float32(1 / 255)


def image_cost(weights: Weights, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The mean softmax cross-entropy of a batch of uint8 images and class numbers."""
    return softmax_cross_entropy(logits(weights, unit_pixels(images)), labels)


def evaluator(
    weights: Weights, distribution: Distribution | None = None, served: Callable[[], Weights] | None = None
) -> Callable[[Split], Evaluation]:
    """A function that evaluates these weights, as they then are, on a split, each replica on its share of it.

    served: what is evaluated in their place, where a rule serves other weights than it trains.

    It raises InputError for images of another size and for labels of more classes than the weights have.
    """
    distribution = distribution or Distribution()
    inputs, outputs = weights.get("h1", weights["ho"]).shape[0], weights["bo"].shape[0]

    @tf.function(autograph=False)
    def figures(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        estimates = logits(weights if served is None else served(), unit_pixels(images))
        cost = tf.cast(softmax_cross_entropy(estimates, labels), tf.float64)
        return tf.stack([cost, accuracy(estimates, labels)])[tf.newaxis]

    def evaluate(split: Split) -> Evaluation:
        if split.images.shape[1] != inputs or split.labels.max() >= outputs:
            raise InputError(
                f"The network takes images of {inputs} pixels in {outputs} classes, "
                f"found {split.images.shape[1]} pixels and class numbers up to {split.labels.max()}."
            )
        replicas = distribution.replicas
        shares = [
            [*zip(*(np.array_split(array[start : start + CHUNK * replicas], replicas) for array in split), strict=True)]
            for start in range(0, len(split.images), CHUNK * replicas)
        ]
        means = np.concatenate([distribution.gathered(figures, one) for one in shares])
        sizes = np.array([len(labels) for one in shares for _, labels in one])
        some = sizes > 0  # fewer images than replicas leave some without
        return Evaluation(*np.average(means[some], axis=0, weights=sizes[some]).tolist())

    return evaluate
