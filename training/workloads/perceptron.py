"""A multilayer perceptron as raw values and plain functions: first values, logits, a step's products."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from core import InputError
from core.seeds import generator

from .initial import initializer
from .work import Product

Weights = Mapping[str, Any]
"""h1, h2, …, ho: weight matrices [inputs, units]; b1, b2, …, bo: biases [units]; the last layer's end in o."""

MOST_PARAMETERS = 2**31 - 1
"""In float32, with Adam's slots, they would fill 26 GB; XLA counts elements in 32 bits here and there."""


def first_values(layers: Sequence[int], init: str = "normal", seed: int = 0, dtype: Any = np.float32) -> dict[str, Any]:
    """The first values of a perceptron with these layers, from the inputs to the outputs: [784, 256, 256, 10], say.

    Weights come first, then biases, as the notebook creates them. They are drawn in float64 from the generator
    "weights" of `seed` and rounded to `dtype`.

    Raises InputError for fewer than two layers, a layer that is no positive integer, more parameters than a 32-bit
    integer counts, or an unknown `init`.
    """
    if len(layers) < 2 or not all(isinstance(units, int | np.integer) and units >= 1 for units in layers):
        raise InputError(f"A network needs at least two layers of at least one unit each, found {list(layers)}.")
    draw = initializer(init)
    parameters = sum((inputs + 1) * units for inputs, units in pairwise(layers))
    if parameters > MOST_PARAMETERS:
        raise InputError(f"Layers {list(layers)} have {parameters:,} parameters; {MOST_PARAMETERS:,} are the most.")
    random = generator(seed, "weights")
    labels = [*(str(layer) for layer in range(1, len(layers) - 1)), "o"]
    shapes = {f"h{label}": shape for label, shape in zip(labels, pairwise(layers), strict=True)}
    shapes |= {f"b{label}": (units,) for label, units in zip(labels, layers[1:], strict=True)}
    return {name: draw(random, shape).astype(dtype) for name, shape in shapes.items()}


def new_weights(
    layers: Sequence[int], init: str = "normal", seed: int = 0, dtype: tf.DType = tf.float32
) -> dict[str, tf.Variable]:
    """`first_values` as variables of a dtype."""
    values = first_values(layers, init, seed, dtype.as_numpy_dtype)
    return {name: tf.Variable(value, name=name) for name, value in values.items()}


def activations(
    weights: Weights, x: tf.Tensor, hidden: Sequence[Callable[[tf.Tensor], tf.Tensor]] | None = None
) -> list[tf.Tensor]:
    """The output of each layer, [examples, units], for inputs x [examples, inputs]: hidden ones after ReLU, or after
    `hidden`, a function for each; then the logits."""
    outputs = [x]
    for layer, function in enumerate(hidden or [tf.nn.relu] * (len(weights) // 2 - 1), start=1):
        outputs.append(function(tf.matmul(outputs[-1], weights[f"h{layer}"]) + weights[f"b{layer}"]))
    return [*outputs[1:], tf.matmul(outputs[-1], weights["ho"]) + weights["bo"]]


def logits(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """The last layer's output, [examples, units], for inputs x [examples, inputs]; ReLU between layers."""
    return activations(weights, x)[-1]


def products(layers: Sequence[int]) -> list[Product]:
    """Of one example, layer by layer."""
    return [
        Product(inputs * units, inputs * units, units, first=number == 0)
        for number, (inputs, units) in enumerate(pairwise(layers))
    ]
