"""Keras's layers, from inputs to logits."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

Values = Mapping[str, np.ndarray]


def mlp(values: Values, shape: Sequence[int]) -> keras.Model:
    """Dense layers, ReLU between them."""
    hidden = [str(number) for number in range(1, len(values) // 2)]
    layers = [keras.layers.Dense(values[f"b{label}"].size, activation="relu") for label in hidden]
    model = keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(values["bo"].size)])
    model.set_weights([values[f"{kind}{label}"] for label in (*hidden, "o") for kind in "hb"])
    return model


def cnn(values: Values, shape: Sequence[int]) -> keras.Model:
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


NETWORKS: Mapping[str, Callable[[Values, Sequence[int]], keras.Model]] = {"mlp": mlp, "cnn": cnn}
"""Each from the first values and the shape of one example."""
