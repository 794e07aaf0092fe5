"""A deep autoencoder of images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from core import InputError, at_least_float32

from .images import Images
from .initial import Init
from .options import HiddenLayers
from .perceptron import activations, first_values, products
from .work import Product
from .workload import Data, Examples, Variables


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Images):
    """Pixels through ever fewer units to a code, and back; 784-1000-500-250-30-250-500-1000-784 on MNIST.

    The network of Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313
    (2006): logistic units, except for those of the code, which are linear, trained with the cross-entropy of the
    pixels. From weights that Boltzmann machines had learnt, it reached a squared error of 3.00 on MNIST's test images
    (figure 2B), a principal component analysis with 30 components 13.87. Here it begins with the random weights of
    Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5, and reaches 3.9 in 20 epochs.

    Parameters
    ----------
    units
        Units of the layers from the first one to the code; those after it mirror them.
    init
        First weights: sparse has 15 weights into each unit, from N(0, 1).
    """

    units: HiddenLayers = (1000, 500, 250, 30)
    init: Init = "sparse"

    defaults: ClassVar[Mapping[str, Any]] = {
        "batch_size": 100,
        "epochs": 20,
        "rule": "adam",
        "schedule": "piecewise:1e-3,8250=2e-4",
    }
    judged_by: ClassVar[str] = "squared_error"
    higher_is_better: ClassVar[bool] = False
    groups: ClassVar[Mapping[str, Sequence[str]]] = {"last-layer": ("ho", "bo")}

    @classmethod
    def small(cls) -> Self:
        return cls(units=(16, 4))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pixels == "standardised":
            raise InputError("An autoencoder's pixels are probabilities, from 0 to 1: found --pixels standardised.")

    def data(self, seed: int) -> Data:
        """Images alone, as rows of pixels, uint8 or float32 [images, pixels]."""
        return super().data(seed).mapped(lambda split: split[:1])

    def sizes(self, data: Data) -> list[int]:
        """Units from the pixels to the pixels. Raises InputError where there is no code."""
        if not self.units:
            raise InputError("An autoencoder needs at least the layer of its code.")
        pixels = data.train[0].shape[1]
        return [pixels, *self.units, *reversed(self.units[:-1]), pixels]

    def variables(self, data: Data, seed: int) -> dict[str, np.ndarray]:
        """See `perceptron.first_values`."""
        return first_values(self.sizes(data), self.init, seed)

    def activations(self, variables: Variables, images: tf.Tensor) -> list[tf.Tensor]:
        """Of each layer, of images [images, pixels]; the last are logits of the pixels."""
        code = len(self.units)
        functions = [tf.identity if layer == code else tf.nn.sigmoid for layer in range(1, len(variables) // 2)]
        return activations(variables, self.unit(images, variables["bo"].dtype), functions)

    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The cross-entropy of pixels, whose grey levels are probabilities; summed over an image, mean of images."""
        (images,) = batch
        logits = at_least_float32(self.activations(variables, images)[-1])
        pixels = self.unit(images, logits.dtype)
        return tf.reduce_mean(tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(pixels, logits), axis=1))

    def metrics(self, variables: Variables, *batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """squared_error: of an image from 0 to 1, summed over pixels, mean of images."""
        (images,) = batch
        logits = at_least_float32(self.activations(variables, images)[-1])
        apart = tf.nn.sigmoid(logits) - self.unit(images, logits.dtype)
        return {"squared_error": tf.reduce_mean(tf.cast(tf.reduce_sum(tf.square(apart), axis=1), tf.float64))}

    def outputs(self, variables: Variables, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """reconstructions, float32 [images, pixels], from 0 to 1; codes, float32 [images, units of the code]."""
        found = self.activations(variables, inputs)
        return {"reconstructions": tf.nn.sigmoid(found[-1]), "codes": found[len(self.units) - 1]}

    def check_fit(self, variables: Variables, examples: Examples) -> None:
        pixels, found = variables["bo"].shape[0], examples[0].shape[1]
        if found != pixels:
            raise InputError(f"The autoencoder takes images of {pixels} pixels, found {found}.")

    def keras(self, variables: Variables, inputs: tf.TensorSpec) -> Any:
        """Dense layers, named after the matrices."""
        from .keras_models import Layers

        layers, code = Layers(variables), len(self.units)
        images = layers.inputs(inputs)
        x = layers.unit_pixels(images) if self.divides(inputs.dtype) else images
        for layer in range(1, len(variables) // 2):
            x = layers.dense(x, f"h{layer}", f"b{layer}", "linear" if layer == code else "sigmoid")
        return layers.model(images, layers.dense(x, "ho", "bo", "sigmoid"), "autoencoder")

    def products(self, data: Data) -> Sequence[Product]:
        return products(self.sizes(data))

    def title(self, data: Data) -> str:
        return "-".join(map(str, self.sizes(data)))

    def followed(self, data: Data, variables: Variables) -> list[str]:
        """A weight and a bias of the code."""
        code = f"h{len(self.units)}"
        row = int(np.argmax(np.abs(np.asarray(variables[code])[:, 0])))
        return [f"{code}[{row},0]", f"b{len(self.units)}[0]"]
