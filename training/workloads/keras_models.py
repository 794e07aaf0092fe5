"""Plain Keras models of raw values: what a workload's own functions compute, in layers of Keras's own.

Their layers have copies of the values, and compute in their dtype, whatever Keras's own policy is. So a model can be
saved, loaded and trained where only Keras is. This module is imported by name, since it imports Keras.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .attention import EPSILON
from .images import unit_pixels


class Layers:
    """Layers of Keras's own with values, all of one dtype.

    values: arrays, tensors or variables by name, all of one dtype.
    """

    def __init__(self, values: Mapping[str, Any]):
        self.values = {name: np.asarray(value) for name, value in values.items()}
        self.dtype = next(iter(self.values.values())).dtype.name

    def inputs(self, spec: tf.TensorSpec) -> Any:
        """What a model takes. Raises Keras's own ValueError for a dtype that it lacks."""
        return keras.Input(spec.shape[1:], dtype=spec.dtype.name, name="inputs")

    def model(self, inputs: Any, results: Any, name: str) -> Any:
        """All layers between."""
        return keras.Model(inputs, results, name=name)

    def unit_pixels(self, images: Any) -> Any:
        """Grey levels as `images.unit_pixels` has them, by a product in float32."""
        level = float(unit_pixels(tf.ones([], tf.uint8)))
        return keras.layers.Rescaling(level, dtype="float32", name="scaled")(images)

    def standardised(self, rows: Any, mean: np.ndarray, deviation: np.ndarray) -> Any:
        """Deviations of columns from their means, which float64 alone holds where these are far from 0. Keras's
        Normalization takes 1e-7 for a smaller deviation."""
        return self.scaled(self.scaled(rows, 1.0, -mean, "centred"), 1 / deviation, 0.0, "standardised")

    def scaled(self, x: Any, scale: Any, offset: Any, name: str) -> Any:
        """x·scale + offset in float64."""
        return keras.layers.Rescaling(scale, offset, dtype="float64", name=name)(x)

    def dense(self, x: Any, name: str, bias: str | None, activation: str | None = None) -> Any:
        """x·(matrix of that name) + bias, and an activation of Keras's."""
        units = self.values[name].shape[1]
        layer = keras.layers.Dense(units, activation, use_bias=bias is not None, dtype=self.dtype, name=name)
        return self.with_values(layer, x, [name] if bias is None else [name, bias])

    def convolution(self, x: Any, name: str, bias: str, activation: str | None = None) -> Any:
        """A kernel [height, width, channels, channels] over images [images, rows, columns, channels], which stay as
        large."""
        *window, _, channels = self.values[name].shape
        layer = keras.layers.Conv2D(
            channels, tuple(window), padding="same", activation=activation, dtype=self.dtype, name=name
        )
        return self.with_values(layer, x, [name, bias])

    def halved(self, x: Any, name: str) -> Any:
        """The largest of every 2×2."""
        return keras.layers.MaxPooling2D(2, dtype=self.dtype, name=name)(x)

    def reshaped(self, x: Any, shape: Sequence[Any], name: str) -> Any:
        """Each example in another shape."""
        return keras.layers.Reshape(tuple(shape), dtype=x.dtype, name=name)(x)

    def embedded(self, tokens: Any, name: str, places: np.ndarray) -> Any:
        """The rows of a matrix that tokens [examples, places] name, and to each the row of its place."""
        rows = keras.layers.Embedding(*self.values[name].shape, dtype=self.dtype, name=name)
        of_places = keras.layers.Embedding(*places.shape, trainable=False, dtype=self.dtype, name="places")
        before: Any = keras.ops.cumsum(keras.ops.ones_like(tokens), axis=1)
        numbers = of_places(before - 1)
        of_places.set_weights([places])
        return self.with_values(rows, tokens, [name]) + numbers

    def attended(self, x: Any, names: Sequence[str], heads: int) -> Any:
        """As `attention.attention` of x's products with the first three matrices, times the fourth."""
        size = self.values[names[0]].shape[1] // heads
        layer = keras.layers.MultiHeadAttention(heads, size, use_bias=False, dtype=self.dtype, name=names[0])
        result = layer(x, x, use_causal_mask=True)
        *split, merged = (self.values[name] for name in names)
        layer.set_weights([*(one.reshape(-1, heads, size) for one in split), merged.reshape(heads, size, -1)])
        return result

    def normalised(self, x: Any, gain: str, shift: str) -> Any:
        """As `attention.normalised`."""
        layer = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=self.dtype, name=gain)
        return self.with_values(layer, x, [gain, shift])

    def with_values(self, layer: Any, x: Any, names: Sequence[str]) -> Any:
        """What a layer makes of x, its weights in Keras's order being values of these names."""
        result = layer(x)
        layer.set_weights([self.values[name] for name in names])
        return result
