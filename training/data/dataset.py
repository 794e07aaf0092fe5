"""Labelled images in three splits: MNIST, which comes with the package, or any four files like its own."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError

from .idx import IdxFile

MNIST = Path(__file__).parent / "mnist"
VALIDATION_SHARE = 12
"""One training image in twelve, the first ones: of MNIST's 60,000 the 5,000 that TF1's `read_data_sets` took."""


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


def load_dataset(folder: Path | None = None) -> Dataset:
    """Training and test images and their labels from four IDX files, plain or gzipped; MNIST, where none is given.

    folder: holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
    with .gz or without. Something may stand before each name, `test` may stand for `t10k`, and a point before `idx`:
    Fashion-MNIST and KMNIST fit as they come, EMNIST one of its sets at a time.

    The first of every twelve training images are the validation split. MNIST: 55,000, 5,000 and 10,000.

    Raises InputError, naming the file, where one is missing or damaged or does not fit the others.
    """
    folder = MNIST if folder is None else folder
    if not folder.is_dir():
        raise InputError(f"{folder} must be a folder of IDX files, found {'a file' if folder.exists() else 'nothing'}.")
    train = _SplitFiles.of(folder, "train", fewest=VALIDATION_SHARE)
    test = _SplitFiles.of(folder, "t10k|test", fewest=1)
    if test.side != train.side:
        raise InputError(
            f"{test.images.path} must hold images of {train.side} like the training images, found {test.side}."
        )
    examples, tests = train.read(), test.read()
    first = len(examples.images) // VALIDATION_SHARE
    return Dataset(
        train=Split(*(array[first:] for array in examples)),
        validation=Split(*(array[:first] for array in examples)),
        test=tests,
        classes=1 + max(int(split.labels.max()) for split in (examples, tests)),
    )


def fingerprint(dataset: Dataset) -> dict[str, int | str]:
    """What tells one data set from another: its sizes, and a hash of all its images and labels."""
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.validation, dataset.test):
        for array in split:
            digest.update(array.data)
    count, pixels = dataset.train.images.shape
    return {"images": count, "pixels": pixels, "classes": dataset.classes, "sha256": digest.hexdigest()}


class _SplitFiles(NamedTuple):
    """The two files of a split, of which the headers are read and fit each other."""

    images: IdxFile
    labels: IdxFile

    @classmethod
    def of(cls, folder: Path, part: str, fewest: int) -> "_SplitFiles":
        """part: "train" or what else begins the files' names, as a regular expression."""
        images = _unsigned_bytes(_find(folder, part, "images", 3), 3)
        labels = _unsigned_bytes(_find(folder, part, "labels", 1), 1)
        if images.shape[0] != labels.shape[0]:
            raise InputError(
                f"{labels.path} must hold a label for each image of {images.path.name}, "
                f"found {labels.shape[0]:,} for {images.shape[0]:,}."
            )
        if images.shape[0] < fewest or 0 in images.shape:
            raise InputError(
                f"{images.path} must hold {fewest} or more images of at least one pixel, found {images.shape[0]} "
                f"of {images.shape[1]}×{images.shape[2]}."
            )
        return cls(images, labels)

    @property
    def side(self) -> str:
        _, rows, columns = self.images.shape
        return f"{rows}×{columns} pixels"

    def read(self) -> Split:
        images, labels = self.images.read(), self.labels.read()
        return Split(images.reshape(len(images), -1), labels)


def _find(folder: Path, part: str, kind: str, dimensions: int) -> Path:
    """The one file of that name; where it is there both plain and gzipped, the plain one."""
    name = re.compile(rf"((?!\.).*({part})-{kind}[-.]idx{dimensions}-ubyte)(\.gz)?")
    found = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a plain name comes after its gzipped one, and replaces it
        if (match := name.fullmatch(path.name)) and path.is_file():
            found[match[1]] = path
    if len(found) != 1:
        wanted = f"one file {part.split('|')[0]}-{kind}-idx{dimensions}-ubyte or the same with .gz"
        raise InputError(f"{folder} must have {wanted}, found {', '.join(sorted(found)) or 'none'}.")
    return next(iter(found.values()))


def _unsigned_bytes(path: Path, dimensions: int) -> IdxFile:
    file = IdxFile.of(path)
    if file.dtype != np.uint8 or len(file.shape) != dimensions:
        raise InputError(
            f"{path} must hold unsigned bytes in {dimensions} dimension{'s'[: dimensions - 1]}, "
            f"found {file.dtype.name} in {len(file.shape)}."
        )
    return file
