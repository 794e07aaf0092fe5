"""A small convolutional network on images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from core import InputError
from core.seeds import generator

from .images import ImageClassifier, classes
from .initial import Init, initializer
from .options import Channels
from .perceptron import MOST_PARAMETERS
from .work import Product
from .workload import Data, Examples, Variables

WINDOW = 3


@dataclass(frozen=True, kw_only=True)
class CNN(ImageClassifier):
    """Convolutions of 3×3, each with ReLU and the largest of every 2×2 after it, and a dense layer to the classes.

        images [n, rows, columns] or [n, rows, columns, colours] → k1, b1 → … → k2, b2 → ho, bo → logits [n, classes]

    The kernels k are [3, 3, channels, channels]; the images stay as large in a convolution, with zeros around them, and
    are halved after it, an odd row or column being left out.

    Adam at 0.002 reaches 0.991 of MNIST's test images in 8 epochs, with an average of the weights of which a step keeps
    0.999, or less in the first 1,000 steps. LeNet-5, with convolutions of 5×5, reached 0.9905, trained on the images as
    they are too (LeCun, Bottou, Bengio & Haffner, "Gradient-Based Learning Applied to Document Recognition",
    Proceedings of the IEEE 86, 1998).

    Parameters
    ----------
    channels
        Of each convolution.
    init
        First values; normal is N(0,1), as the notebook's perceptron begins.
    """

    channels: Channels = (16, 32)
    init: Init = "he"

    defaults: ClassVar[Mapping[str, Any]] = {
        "batch_size": 64,
        "epochs": 8,
        "rule": "adam",
        "learning_rate": 2e-3,
        "ema": "0.999,warmup=1000",
    }
    evaluated_at_once: ClassVar[int] = 1_000
    groups: ClassVar[Mapping[str, Sequence[str]]] = {"kernels": ("k*",), "last-layer": ("ho", "bo")}

    @classmethod
    def small(cls) -> Self:
        return cls(channels=(2, 4))

    def data(self, seed: int) -> Data:
        """Images as they are, uint8 or float32 [images, rows, columns] or [images, rows, columns, colours]."""
        found = self.dataset(seed)
        return self.as_data(found, found.side)

    def variables(self, data: Data, seed: int) -> dict[str, np.ndarray]:
        """k1, b1, k2, b2, …, ho, bo in float32, drawn in that order from the generator "weights" of `seed`.

        Raises InputError for channels that are no positive numbers, more layers than images can be halved, and more
        parameters than a 32-bit integer counts.
        """
        shapes = self._shapes(_side(data.train[0]), classes(data))
        parameters = sum(int(np.prod(shape, dtype=object)) for shape in shapes.values())
        if parameters > MOST_PARAMETERS:
            raise InputError(
                f"Channels {list(self.channels)} have {parameters:,} parameters; {MOST_PARAMETERS:,} are the most."
            )
        draw, random = initializer(self.init), generator(seed, "weights")
        return {name: draw(random, shape).astype(np.float32) for name, shape in shapes.items()}

    def logits(self, variables: Variables, images: tf.Tensor) -> tf.Tensor:
        """[images, classes]."""
        x = self.unit(images, variables["bo"].dtype)
        x = x if x.shape.rank == 4 else tf.expand_dims(x, axis=-1)
        for layer in range(1, len(variables) // 2):
            x = tf.nn.conv2d(x, variables[f"k{layer}"], 1, "SAME") + variables[f"b{layer}"]
            x = tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, "VALID")
        flat = tf.reshape(x, [-1, variables["ho"].shape[0]])
        return tf.matmul(flat, variables["ho"]) + variables["bo"]

    def keras(self, variables: Variables, inputs: tf.TensorSpec) -> Any:
        """Conv2D and MaxPooling2D by turns, and Dense with the softmax; named after kernels and matrix."""
        from .keras_models import Layers

        layers = Layers(variables)
        images = layers.inputs(inputs)
        x = layers.unit_pixels(images) if self.divides(inputs.dtype) else images
        if len(inputs.shape) == 3:
            x = layers.reshaped(x, (*inputs.shape[1:], 1), "grey")
        for layer in range(1, len(variables) // 2):
            x = layers.halved(layers.convolution(x, f"k{layer}", f"b{layer}", "relu"), f"halved{layer}")
        x = layers.reshaped(x, [-1], "flat")
        return layers.model(images, layers.dense(x, "ho", "bo", "softmax"), "cnn")

    def execution(self, device: str) -> str:
        """XLA compiles convolutions' gradients badly for CPUs, and far worse inside a loop."""
        return "graph" if device == "cpu" else "xla-loop"

    def check_fit(self, variables: Variables, examples: Examples) -> None:
        images, labels = examples
        outputs, side = variables["bo"].shape[0], _side(images)
        if self._shapes(side, outputs) != {name: tuple(value.shape) for name, value in variables.items()} or (
            labels.max() >= outputs
        ):
            raise InputError(
                f"The network takes images of {variables['k1'].shape[2]} colours of which its convolutions leave "
                f"{variables['ho'].shape[0]} numbers, in {outputs} classes, found images {list(side)} and class "
                f"numbers up to {labels.max()}."
            )

    def products(self, data: Data) -> Sequence[Product]:
        rows, columns = data.train[0].shape[1:3]
        counted = []
        for name, shape in self._shapes(_side(data.train[0]), classes(data)).items():
            size = int(np.prod(shape))
            if name.startswith("k"):
                counted.append(Product(rows * columns * size, size, rows * columns * shape[-1], first=not counted))
                rows, columns = rows // 2, columns // 2
            elif name == "ho":
                counted.append(Product(size, size, shape[-1], first=not counted))
        return counted

    def title(self, data: Data) -> str:
        rows, columns, colours = _side(data.train[0])
        parts = [f"{WINDOW}×{WINDOW}×{channels}" for channels in self.channels]
        return "-".join([f"{rows}×{columns}×{colours}", *parts, str(classes(data))])

    def followed(self, data: Data, variables: Variables) -> list[str]:
        """The middle of the first kernel, and the first class's bias."""
        return ["k1[1,1,0,0]", "bo[0]"]

    def _shapes(self, side: tuple[int, int, int], outputs: int) -> dict[str, tuple[int, ...]]:
        rows, columns, colours = side
        if not self.channels or min(self.channels) < 1:
            raise InputError(f"Each convolution needs at least one channel, found {list(self.channels)}.")
        if min(rows, columns) >> len(self.channels) == 0:
            halved = "1 convolution" if len(self.channels) == 1 else f"{len(self.channels)} convolutions"
            raise InputError(
                f"Images of {rows}×{columns} pixels are too small for {halved}, each of which halves them."
            )
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (inputs, units) in enumerate(pairwise((colours, *self.channels)), start=1):
            shapes |= {f"k{layer}": (WINDOW, WINDOW, inputs, units), f"b{layer}": (units,)}
        last = (rows >> len(self.channels)) * (columns >> len(self.channels)) * self.channels[-1]
        return shapes | {"ho": (last, outputs), "bo": (outputs,)}


def _side(images: np.ndarray) -> tuple[int, int, int]:
    """Rows, columns and colours of an image."""
    rows, columns, *colours = images.shape[1:]
    return rows, columns, colours[0] if colours else 1
