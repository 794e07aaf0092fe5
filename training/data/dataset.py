"""Labelled images in three splits, and MNIST, which comes with the package."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import numpy as np

from core.errors import InputError

from .idx import read_idx

VALIDATION_SIZE = 5_000
"""As in TensorFlow 1's `input_data.read_data_sets`: the first 5,000 of the 60,000 training images."""


class Split(NamedTuple):
    """images: uint8 [examples, pixels], 0 to 255; labels: uint8 [examples], class numbers."""

    images: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """Three splits of one set of labelled images, and how many classes the labels name."""

    train: Split
    validation: Split
    test: Split
    classes: int


def load_mnist() -> Dataset:
    """The whole of MNIST in the notebook's split: 55,000 images to train on, 5,000 to validate, 10,000 to test."""
    folder = files("training.data") / "mnist"
    examples, test = _read_split(folder, "train"), _read_split(folder, "t10k")
    return Dataset(
        train=Split(*(array[VALIDATION_SIZE:] for array in examples)),
        validation=Split(*(array[:VALIDATION_SIZE] for array in examples)),
        test=test,
        classes=1 + max(int(split.labels.max()) for split in (examples, test)),
    )


def _read_split(folder: Traversable, prefix: str) -> Split:
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", dimensions=3)
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", dimensions=1)
    if len(images) != len(labels):
        raise InputError(f"{folder}: {prefix} has {len(images)} images but {len(labels)} labels.")
    return Split(images.reshape(len(images), -1), labels)
