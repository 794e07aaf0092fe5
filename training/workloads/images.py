"""What workloads on labelled images share: their data as options of a command, and grey levels as numbers."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from core import InputError, accuracy, softmax_cross_entropy

from .data import Dataset, Form, load_dataset, load_shards
from .data.pixels import Pixels, ranged
from .options import FilePath, Whole, check_stream
from .workload import Data, Variables, Workload


@dataclass(frozen=True, kw_only=True)
class Images(Workload):
    """A workload on labelled images.

    Parameters
    ----------
    data_dir
        A folder with four IDX files like MNIST's, plain or gzipped: Fashion-MNIST, KMNIST, EMNIST or your own; one with
        x_train.npy, y_train.npy, x_test.npy and y_test.npy; or a .npz file with arrays of these names, as Keras keeps
        its own. Image size, colours and classes come from the files. Unless given, MNIST.
    subset
        Which set of a folder with the IDX files of several: letters, of emnist-letters-train-images-idx3-ubyte.gz.
    pixels
        What images of floats hold: bytes from 0 to 255, which are divided by 255; unit, from 0 to 1 already; or
        standardised, any finite numbers, taken as they are. Images of unsigned bytes are bytes.
    transpose
        Exchange the rows and columns of each image, as EMNIST's need.
    validation
        The images for validation: a number, drawn from the seed with each class's share; first, the first twelfth of
        the training images; or a folder with two IDX or .npy files. Unless given, first for MNIST, as in the notebook,
        a twelfth, drawn, of other images, and x_val and y_val where these arrays are there.
    stream
        A folder of shards, as `rawstep shard` makes them, which are read as they are needed: data beyond memory.
        train-….npz with arrays x and y, train-….tfrecord, or pairs of IDX files; validation-… and test-… beside them.
        Without validation shards, whole training shards are held out, about as many examples as --validation says.
    window
        Examples of the stream among which a batch is drawn. Unless given, as many as fill 67 MB.
    """

    data_dir: FilePath | None = None
    subset: str | None = None
    pixels: Pixels | None = None
    transpose: bool = False
    validation: str | None = None
    stream: FilePath | None = None
    window: Whole | None = None

    places: ClassVar[Sequence[str]] = ("data_dir", "subset", "pixels", "transpose", "validation", "stream")
    described_by: ClassVar[Mapping[str, Sequence[str]]] = {
        "data_dir": ("subset", "pixels", "transpose"),
        "stream": ("pixels", "transpose"),
    }
    input_name: ClassVar[str] = "images"
    schema: ClassVar[Mapping[str, Any] | None] = None
    """Of the run whose data these are; see `with_schema`."""

    def __post_init__(self) -> None:
        """A run may be resumed from another working directory."""
        for name in ("data_dir", "stream"):
            if (place := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(place).absolute())
        check_stream(self.stream, self.window, {"--data-dir": self.data_dir, "--subset": self.subset})
        if self.subset is not None and self.data_dir is None:
            raise InputError("--subset is one of the sets in a folder: give --data-dir DIR.")
        if self.validation == "":
            raise InputError(
                "--validation must be a number, first or a folder of two IDX or .npy files, found an empty text."
            )
        if self.validation is not None and self.validation != "first" and not self.validation.isdecimal():
            object.__setattr__(self, "validation", str(Path(self.validation).absolute()))

    def with_schema(self, schema: Mapping[str, Any]) -> Self:
        """Of a run: images of another size than its own are refused, and such of other numbers."""
        other = replace(self)
        object.__setattr__(other, "schema", schema)
        return other

    def dataset(self, seed: int) -> Dataset:
        """The images, as `data.load_dataset` reads and splits them."""
        form = Form(self.pixels, self.transpose)
        if self.stream is not None:
            return load_shards(self.stream, self.window, self.validation, seed, form)
        return load_dataset(self.data_dir, self.validation, seed, self.subset, form)

    def data(self, seed: int) -> Data:
        """Images as rows of pixels, uint8 or float32 [images, pixels]."""
        return self.as_data(self.dataset(seed), (-1,))

    def as_data(self, found: Dataset, shape: tuple[int, ...]) -> Data:
        """A data set whose images have this shape."""
        pixels = found.train.images
        meaning = f"--pixels {self.pixels}" if pixels.dtype.kind == "f" else ""
        schema = {"side": [*found.side], "pixels": "standardised" if self.pixels == "standardised" else "unit"}
        if self.schema is not None:
            _check_schema(self.schema, schema)
        data = Data(
            found.train,
            found.validation,
            found.test,
            chosen=found.split,
            notes=found.notes,
            stream=found.stream,
            what=f"images of {'×'.join(map(str, found.side))}",
            details=f"{ranged(pixels)}{meaning and f' ({meaning})'}",
            meaning=meaning,
            schema=schema,
        )
        return data.mapped(lambda split: (split[0].reshape(len(split[0]), *shape), *split[1:]))

    def unit(self, images: tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
        """What the network takes of images: grey levels 0 to 255 from 0 to 1, other floats as they are."""
        return unit_pixels(images, dtype) if self.divides(images.dtype) else tf.cast(images, dtype)

    def divides(self, dtype: Any) -> bool:
        """Whether images of this dtype hold grey levels from 0 to 255."""
        return not tf.as_dtype(dtype).is_floating or self.pixels == "bytes"


def _check_schema(run: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Bytes and pixels from 0 to 1 are equal for a network."""
    if run["side"] != found["side"]:
        wanted, other = ("×".join(map(str, one["side"])) for one in (run, found))
        raise InputError(f"The run was trained on images of {wanted}, found images of {other}.")
    if run["pixels"] != found["pixels"]:
        wanted, other = (
            "--pixels standardised" if one["pixels"] == "standardised" else "pixels from 0 to 1, or bytes"
            for one in (run, found)
        )
        raise InputError(f"The run was trained on {wanted}, found {other}.")


@dataclass(frozen=True, kw_only=True)
class ImageClassifier(Images):
    """A workload that names the class of an image, by the largest of its logits."""

    judged_by: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True

    def as_data(self, found: Dataset, shape: tuple[int, ...]) -> Data:
        data = super().as_data(found, shape)
        return data._replace(details=f"{data.details}, {found.classes} classes")

    @abstractmethod
    def logits(self, variables: Variables, images: tf.Tensor) -> tf.Tensor:
        """[images, classes], in the variables' dtype."""

    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The mean softmax cross-entropy of a batch of images and class numbers."""
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
    """Grey levels 0 to 255, as uint8 or floats, from 0 to 1, by the notebook's product with 1/255 in float32."""
    return tf.cast(tf.cast(images, tf.float32) * np.float32(1 / 255), dtype)
