"""Keras's layers, from inputs to logits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from training.workloads.attention import EPSILON, sinusoids
from training.workloads.transformer import Transformer

Values = Mapping[str, np.ndarray]


def mlp(workload: Any, values: Values, shape: Sequence[int]) -> keras.Model:
    """Dense layers, ReLU between them."""
    hidden = [str(number) for number in range(1, len(values) // 2)]
    layers = [keras.layers.Dense(values[f"b{label}"].size, activation="relu") for label in hidden]
    model = keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(values["bo"].size)])
    model.set_weights([values[f"{kind}{label}"] for label in (*hidden, "o") for kind in "hb"])
    return model


def cnn(workload: Any, values: Values, shape: Sequence[int]) -> keras.Model:
    """Conv2D with ReLU and MaxPooling2D by turns, and Dense."""
    labels = [str(number) for number in range(1, len(values) // 2)]
    layers: list[keras.Layer] = []
    for label in labels:
        channels = values[f"b{label}"].size
        layers.append(keras.layers.Conv2D(channels, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D(2))
    dense = keras.layers.Dense(values["bo"].size)
    model = keras.Sequential([keras.Input(shape), *layers, keras.layers.Flatten(), dense])
    model.set_weights(
        [values[name] for label in labels for name in (f"k{label}", f"b{label}")] + [values["ho"], values["bo"]]
    )
    return model


def transformer(workload: Transformer, values: Values, shape: Sequence[int]) -> keras.Model:
    """Embedding, then MultiHeadAttention, LayerNormalization and Dense by turns; the last layer for the last place."""
    width, heads = workload.width, workload.heads
    tokens = keras.Input(shape, dtype="int32")
    x = _with(keras.layers.Embedding(*values["tokens"].shape), values["tokens"])(tokens)
    x += sinusoids(*shape, width).astype(np.float32)
    for n in range(1, workload.depth + 1):
        last = n == workload.depth
        asking = x[:, -1:] if last else x
        attention = keras.layers.MultiHeadAttention(heads, width // heads, use_bias=False)
        attended = attention(asking, x, use_causal_mask=not last)
        split = [values[f"{name}{n}"].reshape(width, heads, -1) for name in ("query", "key", "value")]
        attention.set_weights([*split, values[f"merge{n}"].reshape(heads, -1, width)])
        x = _normalised(values[f"gain{n}"], values[f"shift{n}"])(asking + attended)
        widened = _dense(values[f"wide{n}"], "relu")(x)
        x = _normalised(values[f"out_gain{n}"], values[f"out_shift{n}"])(x + _dense(values[f"narrow{n}"])(widened))
    return keras.Model(tokens, _dense(values["answers"])(x[:, -1]))


NETWORKS: Mapping[str, Callable[[Any, Values, Sequence[int]], keras.Model]] = {
    "mlp": mlp,
    "cnn": cnn,
    "transformer": transformer,
}
"""Each from the workload, the first values and the shape of one example."""


def _dense(matrix: np.ndarray, activation: str | None = None) -> Callable[[Any], Any]:
    return _with(keras.layers.Dense(matrix.shape[1], activation, use_bias=False), matrix)


def _normalised(gain: np.ndarray, shift: np.ndarray) -> Callable[[Any], Any]:
    return _with(keras.layers.LayerNormalization(epsilon=EPSILON), gain, shift)


def _with(layer: keras.Layer, *values: np.ndarray) -> Callable[[Any], Any]:
    """The layer, with these values from its first call on."""

    def called(x: Any) -> Any:
        result = layer(x)
        layer.set_weights(values)
        return result

    return called
