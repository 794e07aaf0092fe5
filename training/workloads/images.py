"""What workloads on labelled images share: their data as options of a command, and grey levels as numbers."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow as tf

from core import InputError, accuracy, softmax_cross_entropy

from .data import Dataset, load_dataset
from .options import FilePath
from .workload import Data, Variables, Workload


@dataclass(frozen=True, kw_only=True)
class Images(Workload):
    """A workload on labelled images.

    Parameters
    ----------
    data_dir
        A folder with four IDX files like MNIST's, plain or gzipped: Fashion-MNIST, KMNIST, a set of EMNIST or your
        own; or a .npz file with x_train, y_train, x_test and y_test, as Keras keeps its own. Image size, colours and
        classes come from the files. Unless given, MNIST.
    validation
        The images for validation: a number, drawn from the seed with each class's share; first, the first twelfth of
        the training images; or a folder with two IDX files. Unless given, first for MNIST, as in the notebook, and a
        twelfth, drawn, of other images.
    """

    data_dir: FilePath | None = None
    validation: str | None = None

    places: ClassVar[Sequence[str]] = ("data_dir", "validation")
    input_name: ClassVar[str] = "images"

    def __post_init__(self) -> None:
        """A run may be resumed from another working directory."""
        if self.data_dir is not None:
            object.__setattr__(self, "data_dir", Path(self.data_dir).absolute())
        if self.validation == "":
            raise InputError("--validation must be a number, first or a folder of two IDX files, found an empty text.")
        if self.validation is not None and self.validation != "first" and not self.validation.isdecimal():
            object.__setattr__(self, "validation", str(Path(self.validation).absolute()))

    def dataset(self, seed: int) -> Dataset:
        """The images, as `data.load_dataset` reads and splits them."""
        return load_dataset(self.data_dir, self.validation, seed)

    def data(self, seed: int) -> Data:
        """Images as rows of pixels, uint8 [images, pixels]."""
        return self.as_data(self.dataset(seed), (-1,))

    def as_data(self, found: Dataset, shape: tuple[int, ...]) -> Data:
        """A data set whose images have this shape."""
        splits = [
            (images.reshape(len(images), *shape), labels)
            for images, labels in (found.train, found.validation, found.test)
        ]
        return Data(*splits, chosen=found.split, notes=found.notes)


@dataclass(frozen=True, kw_only=True)
class ImageClassifier(Images):
    """A workload that names the class of an image, by the largest of its logits."""

    judged_by: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True

    @abstractmethod
    def logits(self, variables: Variables, images: tf.Tensor) -> tf.Tensor:
        """[images, classes], of uint8 images, in the variables' dtype."""

    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The mean softmax cross-entropy of a batch of uint8 images and class numbers."""
        images, labels = batch
        return softmax_cross_entropy(self.logits(variables, images), labels)

    def metrics(self, variables: Variables, *batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """accuracy: the share of images whose largest logit is the label's."""
        images, labels = batch
        return {"accuracy": accuracy(self.logits(variables, images), labels)}

    def outputs(self, variables: Variables, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """probabilities, float32 [images, classes], the softmax of the logits; classes, int64 [images]."""
        estimates = self.logits(variables, inputs)
        return {"probabilities": tf.nn.softmax(estimates), "classes": tf.argmax(estimates, axis=1)}


def classes(data: Data) -> int:
    """How many the labels of all splits name."""
    return 1 + max(int(labels.max()) for _, labels in data.splits.values())


def unit_pixels(images: tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Grey levels 0 to 255 (uint8) from 0 to 1, by the notebook's product with 1/255 in float32."""
    return tf.cast(tf.cast(images, tf.float32) * np.float32(1 / 255), dtype)
