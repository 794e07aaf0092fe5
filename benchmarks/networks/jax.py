"""JAX's functions, from a batch's examples to logits; images are bytes."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Parameters = Mapping[str, jax.Array]


def mlp(parameters: Parameters, images: jax.Array) -> jax.Array:
    """Products, ReLU between them."""
    layer = _unit_pixels(images)
    for number in range(1, len(parameters) // 2):
        layer = jax.nn.relu(layer @ parameters[f"h{number}"] + parameters[f"b{number}"])
    return layer @ parameters["ho"] + parameters["bo"]


def cnn(parameters: Parameters, images: jax.Array) -> jax.Array:
    """`jax.lax`'s convolutions, ReLU and the largest of each window by turns, and a product."""
    layer = _unit_pixels(images)
    layer = layer if layer.ndim == 4 else layer[..., jnp.newaxis]
    layout = ("NHWC", "HWIO", "NHWC")
    for number in range(1, len(parameters) // 2):
        kernel, bias = parameters[f"k{number}"], parameters[f"b{number}"]
        layer = jax.nn.relu(
            jax.lax.conv_general_dilated(layer, kernel, (1, 1), "SAME", dimension_numbers=layout) + bias
        )
        layer = jax.lax.reduce_window(layer, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return layer.reshape(len(layer), -1) @ parameters["ho"] + parameters["bo"]


NETWORKS: Mapping[str, Callable[[Parameters, Any], jax.Array]] = {"mlp": mlp, "cnn": cnn}
"""Each from the parameters and a batch of the first of the examples' arrays."""


def _unit_pixels(images: jax.Array) -> jax.Array:
    return images.astype(jnp.float32) * np.float32(1 / 255)
