"""JAX's functions, from a batch's examples to logits; images as their workload has them."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from training.workloads.attention import EPSILON, sinusoids
from training.workloads.cnn import CNN
from training.workloads.images import Images
from training.workloads.mlp import MLP
from training.workloads.transformer import Transformer

Parameters = Mapping[str, jax.Array]


def mlp(workload: MLP, parameters: Parameters, images: jax.Array) -> jax.Array:
    """Products, ReLU between them."""
    layer = _unit_pixels(workload, images)
    for number in range(1, len(parameters) // 2):
        layer = jax.nn.relu(layer @ parameters[f"h{number}"] + parameters[f"b{number}"])
    return layer @ parameters["ho"] + parameters["bo"]


def cnn(workload: CNN, parameters: Parameters, images: jax.Array) -> jax.Array:
    """`jax.lax`'s convolutions, ReLU and the largest of each window by turns, and a product."""
    layer = _unit_pixels(workload, images)
    layer = layer if layer.ndim == 4 else layer[..., jnp.newaxis]
    layout = ("NHWC", "HWIO", "NHWC")
    for number in range(1, len(parameters) // 2):
        kernel, bias = parameters[f"k{number}"], parameters[f"b{number}"]
        layer = jax.nn.relu(
            jax.lax.conv_general_dilated(layer, kernel, (1, 1), "SAME", dimension_numbers=layout) + bias
        )
        layer = jax.lax.reduce_window(layer, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return layer.reshape(len(layer), -1) @ parameters["ho"] + parameters["bo"]


def transformer(workload: Transformer, parameters: Parameters, tokens: jax.Array) -> jax.Array:
    """`jax.nn.dot_product_attention`, normalisation and products by turns; the last layer for the last place."""
    x = parameters["tokens"][tokens] + sinusoids(tokens.shape[1], workload.width).astype(np.float32)
    for n in range(1, workload.depth + 1):
        last = n == workload.depth
        asking = x[:, -1:] if last else x
        queries, keys, values = (
            (of @ parameters[f"{name}{n}"]).reshape(*of.shape[:2], workload.heads, -1)
            for name, of in (("query", asking), ("key", x), ("value", x))
        )
        attended = jax.nn.dot_product_attention(queries, keys, values, is_causal=not last)
        merged = attended.reshape(asking.shape) @ parameters[f"merge{n}"]
        x = _normalised(asking + merged, parameters[f"gain{n}"], parameters[f"shift{n}"])
        widened = jax.nn.relu(x @ parameters[f"wide{n}"])
        x = _normalised(x + widened @ parameters[f"narrow{n}"], parameters[f"out_gain{n}"], parameters[f"out_shift{n}"])
    return x[:, -1] @ parameters["answers"]


NETWORKS: Mapping[str, Callable[[Any, Parameters, Any], jax.Array]] = {
    "mlp": mlp,
    "cnn": cnn,
    "transformer": transformer,
}
"""Each from the workload, the parameters and a batch of the first of the examples' arrays."""


def _normalised(x: jax.Array, gain: jax.Array, shift: jax.Array) -> jax.Array:
    return jax.nn.standardize(x, epsilon=EPSILON) * gain + shift


def _unit_pixels(workload: Images, images: jax.Array) -> jax.Array:
    numbers = images.astype(jnp.float32)
    return numbers * np.float32(1 / 255) if workload.divides(images.dtype) else numbers
