"""A multilayer perceptron as raw variables and plain functions: initial weights, logits, cost, accuracy."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from .errors import InputError
from .seeds import generator

Weights = Mapping[str, Any]
"""h1, h2, …, ho: weight matrices [inputs, units]; b1, b2, …, bo: biases [units]; the last layer's end in o."""

MOST_PARAMETERS = 2**31 - 1
"""In float32, with Adam's slots, they would fill 26 GB; XLA counts elements in 32 bits here and there."""

Initializer = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """N(0, 1) for weights and biases alike, as the notebook draws them."""
    return random.standard_normal(shape)


def _he(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights N(0, 2 / inputs), biases 0 (He et al. 2015, equation 10)."""
    return random.standard_normal(shape) * math.sqrt(2 / shape[0]) if len(shape) == 2 else np.zeros(shape)


def _glorot(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights uniform in ±√(6 / (inputs + units)), biases 0 (Glorot & Bengio 2010, equation 16)."""
    limit = math.sqrt(6 / sum(shape))
    return random.uniform(-limit, limit, shape) if len(shape) == 2 else np.zeros(shape)


INITIALIZERS: Mapping[str, Initializer] = {"normal": _normal, "he": _he, "glorot": _glorot}


def new_weights(
    layers: Sequence[int], init: str = "normal", seed: int = 0, dtype: tf.DType = tf.float32
) -> dict[str, tf.Variable]:
    """The variables of a perceptron with these layers, from the inputs to the classes: [784, 256, 256, 10], say.

    Weights come first, then biases, as the notebook creates them. They are drawn in float64 from the generator
    "weights" of `seed` and rounded to `dtype`.

    Raises InputError for fewer than two layers, a layer that is no positive integer, more parameters than a 32-bit
    integer counts, or an unknown `init`.
    """
    if len(layers) < 2 or not all(isinstance(units, int | np.integer) and units >= 1 for units in layers):
        raise InputError(f"A network needs at least two layers of at least one unit each, found {list(layers)}.")
    if init not in INITIALIZERS:
        raise InputError(
            f"There is no initialisation {init!r}; there are: {', '.join(INITIALIZERS)}.", init, INITIALIZERS
        )
    parameters = sum((inputs + 1) * units for inputs, units in pairwise(layers))
    if parameters > MOST_PARAMETERS:
        raise InputError(f"Layers {list(layers)} have {parameters:,} parameters; {MOST_PARAMETERS:,} are the most.")
    random = generator(seed, "weights")
    labels = [*(str(layer) for layer in range(1, len(layers) - 1)), "o"]
    shapes = {f"h{label}": shape for label, shape in zip(labels, pairwise(layers), strict=True)}
    shapes |= {f"b{label}": (units,) for label, units in zip(labels, layers[1:], strict=True)}
    values = {name: tf.constant(INITIALIZERS[init](random, shape), dtype) for name, shape in shapes.items()}
    return {name: tf.Variable(value, name=name) for name, value in values.items()}


def activations(weights: Weights, x: tf.Tensor) -> list[tf.Tensor]:
    """The output of each layer, [examples, units], for inputs x [examples, inputs]: hidden ones after ReLU, then the
    logits."""
    outputs = [x]
    for layer in range(1, len(weights) // 2):
        outputs.append(tf.nn.relu(tf.matmul(outputs[-1], weights[f"h{layer}"]) + weights[f"b{layer}"]))
    return [*outputs[1:], tf.matmul(outputs[-1], weights["ho"]) + weights["bo"]]


def logits(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """The output before softmax, [examples, classes], for inputs x [examples, inputs]; ReLU between layers."""
    return activations(weights, x)[-1]


def softmax_cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The mean over examples of −Σ_c y_c·log softmax(logits)_c, a scalar of the logits' dtype.

    labels: class numbers [examples] of an integer dtype, or rows [examples, classes], one-hot or of probabilities.
    A class number that is none makes the cost NaN inside XLA, where values cannot be checked.

    Raises InputError for labels of another shape or dtype.
    """
    labels = _checked_labels(logits, labels)
    if labels.shape.rank == 1:
        costs = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels, tf.int32), logits)
    else:
        costs = tf.nn.softmax_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits)
    return tf.reduce_mean(costs)


def accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The share of examples whose largest logit is the label's, a float64 scalar; labels as for the cost."""
    labels = _checked_labels(logits, labels)
    classes = labels if labels.shape.rank == 1 else tf.argmax(labels, axis=1)
    hits = tf.argmax(logits, axis=1) == tf.cast(classes, tf.int64)
    return tf.reduce_mean(tf.cast(hits, tf.float64))


def _checked_labels(logits: tf.Tensor, labels: Any) -> tf.Tensor:
    labels = tf.convert_to_tensor(labels)
    classes = labels.shape.rank == 1 and labels.dtype.is_integer
    if not classes and not (labels.shape.rank == 2 and labels.shape.is_compatible_with(logits.shape)):
        raise InputError(
            f"Labels must be class numbers of an integer dtype, of shape [examples], or rows of shape {logits.shape}, "
            f"found {labels.dtype.name} {labels.shape}."
        )
    return labels
