"""Labelled images of one split, and the two arrays in a user's files that hold them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from core.errors import InputError

from .pixels import Pixels, as_pixels, is_pixels, ranged
from .records import read_together

MOST_CLASSES = 1 << 16
"""A greater number in the labels is more likely no class."""
MOST_COLOURS = 4
"""More in the last dimension are more likely pixels, of images with their colours first."""


class Split(NamedTuple):
    """images: [examples, pixels], uint8 from 0 to 255, or float32 of which `Pixels` were said, the colours of a pixel
    beside each other; labels: class numbers [examples], uint8, or int32 in all splits of a set where one of them has a
    number greater than 255."""

    images: np.ndarray
    labels: np.ndarray


class Stored(Protocol):
    """An array in a file, of which the header is read: `idx.IdxFile`, `npy.NpyFile` or `npz.NpzArray`. Printed, it is
    its place."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def path(self) -> Path: ...
    @property
    def short(self) -> str: ...
    def read(self) -> np.ndarray: ...
    def rows(self, count: int) -> Iterator[np.ndarray]: ...


class Form(NamedTuple):
    """How stored images are meant.

    pixels: what floats are; of unsigned bytes nothing need be said. transpose: columns are stored before rows, as
    EMNIST's are; each image is turned over its diagonal.
    """

    pixels: Pixels | None = None
    transpose: bool = False


class StoredSplit(NamedTuple):
    """The two arrays of a split, which fit each other, before either takes memory.

    StoredSplit.of(NpyFile.of(images), NpyFile.of(labels), fewest=1, form=Form("unit")).read()
    """

    images: Stored
    labels: Stored
    form: Form = Form()

    @classmethod
    def of(cls, images: Stored, labels: Stored, fewest: int, form: Form = Form()) -> "StoredSplit":  # noqa: B008
        """fewest: images that it must have. Raises InputError, naming the array, where they do not fit."""
        _check_images(images)
        _check_labels(labels)
        if images.shape[0] != labels.shape[0]:
            raise InputError(
                f"{labels} must hold a label for each image of {images.short}, "
                f"found {labels.shape[0]:,} for {images.shape[0]:,}."
            )
        if images.shape[0] < fewest or 0 in images.shape:
            raise InputError(
                f"{images} must hold {fewest} or more images of at least one pixel, found {images.shape[0]} "
                f"of {'×'.join(map(str, images.shape[1:]))}."
            )
        return cls(images, labels, form)

    @property
    def side(self) -> tuple[int, ...]:
        """Rows and columns of an image, and colours where there are more than one."""
        rows, columns, *colours = self.images.shape[1:]
        rows, columns = (columns, rows) if self.form.transpose else (rows, columns)
        return (rows, columns, *(colours if colours != [1] else ()))

    def check_side(self, train: "StoredSplit") -> None:
        """Raises InputError for images of another size than the training images."""
        if self.side != train.side:
            wanted, found = ("×".join(map(str, side)) for side in (train.side, self.side))
            raise InputError(
                f"{self.images} must hold images of {wanted} pixels like the training images, found {found} pixels."
            )

    def read(self) -> Split:
        """With labels of int32. Raises InputError, naming the array, for what cannot be read, for numbers that are no
        classes, and for pixels that are not what is said of them."""
        labels, images = read_together((self.labels, self.images))
        labels = labels.reshape(-1)
        least, most = int(labels.min()), int(labels.max())
        if least < 0 or most >= MOST_CLASSES:
            raise InputError(
                f"{self.labels} must hold class numbers from 0 to {MOST_CLASSES - 1:,}, found {least:,} to {most:,}."
            )
        images = as_pixels(images, self.form.pixels, self.images)
        images = images.swapaxes(1, 2) if self.form.transpose else images
        return Split(images.reshape(len(images), -1), labels.astype(np.int32))


def _check_images(images: Stored) -> None:
    if not is_pixels(images.dtype) or len(images.shape) not in (3, 4):
        raise InputError(
            f"{images} must hold unsigned bytes or floats in 3 dimensions, or 4 with colours last, "
            f"found {images.dtype.name} in {len(images.shape)}."
        )
    if len(images.shape) == 4 and not 1 <= images.shape[3] <= MOST_COLOURS:
        raise InputError(
            f"{images} must hold 1 to {MOST_COLOURS} colours in its last dimension, found the shape "
            f"{[*map(int, images.shape)]}."
        )


def _check_labels(labels: Stored) -> None:
    one_each = len(labels.shape) == 1 or (len(labels.shape) == 2 and labels.shape[1] == 1)
    if labels.dtype.kind in "iu" and one_each:
        return
    if len(labels.shape) == 2 and not one_each and labels.shape[1] <= MOST_CLASSES and _is_one_hot(labels.read()):
        raise InputError(
            f"{labels} must hold class numbers, found one-hot labels of {labels.shape[1]} classes: their "
            "argmax(axis=1) is what is read."
        )
    if not one_each:
        raise InputError(f"{labels} must hold labels in 1 dimension, found {labels.dtype.name} in {len(labels.shape)}.")
    found = labels.dtype.name
    if labels.dtype.kind == "f" and labels.shape[0]:
        numbers = labels.read()
        whole = "all whole: their astype(int) is what is read" if _are_whole(numbers) else "not all whole"
        found = f"{ranged(numbers)}, {whole}"
    raise InputError(f"{labels} must hold integers, the labels' class numbers, found {found}.")


def _is_one_hot(labels: np.ndarray) -> bool:
    """Whether each row has a 1 and else zeros."""
    return bool(len(labels)) and bool(((labels == 1).sum(axis=1) == 1).all() and ((labels != 0).sum(axis=1) == 1).all())


def _are_whole(numbers: np.ndarray) -> bool:
    return bool(np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all())
