"""Labelled images in three splits: MNIST, which comes with the package, or any four files like its own."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError
from core.seeds import generator

from .idx import IdxFile

MNIST = Path(__file__).parent / "mnist"
VALIDATION_SHARE = 12
"""One training image in twelve: of MNIST's 60,000 the first 5,000, which TF1's `read_data_sets` took."""
FIRST = "first"
"""The first images for validation, whatever is in them, as in the notebook."""


class Split(NamedTuple):
    """images: uint8 [examples, pixels], 0 to 255; labels: uint8 [examples], class numbers."""

    images: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """Three splits of one set of labelled images, how many classes the labels name, and how they were split."""

    train: Split
    validation: Split
    test: Split
    classes: int
    split: str

    @property
    def notes(self) -> list[str]:
        """A sentence for each split that lacks classes which another one has."""
        present = {
            name: set(np.unique(getattr(self, name).labels).tolist()) for name in ("train", "validation", "test")
        }
        every = sorted(set().union(*present.values()))
        missing = {name: [str(label) for label in every if label not in labels] for name, labels in present.items()}
        return [
            f"the {'training' if name == 'train' else name} images lack {len(labels)} of {len(every)} classes: "
            + ", ".join(labels[:5])
            + (", …" if labels[5:] else "")
            for name, labels in missing.items()
            if labels
        ]


def load_dataset(folder: Path | None = None, validation: str | None = None, seed: int = 0) -> Dataset:
    """Training and test images and their labels from four IDX files, plain or gzipped; MNIST, where none is given.

    folder: holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
    with .gz or without. Something may stand before each name, `test` may stand for `t10k`, and a point before `idx`:
    Fashion-MNIST and KMNIST fit as they come, EMNIST one of its sets at a time.

    validation: a number of training images to be drawn from `seed`, of each class its share; "first", the first
    twelfth; or a folder with two more such files, of any name, and then all training images are trained on. Unless
    given, the first twelfth of MNIST's as in the notebook (55,000, 5,000 and 10,000 images), wherever its files are;
    a twelfth is drawn of any other data, which may be sorted by class.

    Raises InputError, naming the file, where one is missing or damaged or does not fit the others, and for a number of
    validation images that leaves none to one side.
    """
    folder = _folder(MNIST if folder is None else folder)
    train = _SplitFiles.of(folder, "train", fewest=VALIDATION_SHARE)
    test = _SplitFiles.of(folder, "t10k|test", fewest=1)
    test.check_side(train)
    further = None
    if validation is not None and validation != FIRST and not validation.isdecimal():
        further = _SplitFiles.of(_folder(Path(validation)), "", fewest=1)
        further.check_side(train)
    examples, tests = train.read(), test.read()
    if further is not None:
        parts, split = (examples, further.read()), "other files"
    else:
        parts, split = _split_off(examples, validation, seed)
    classes = 1 + max(int(part.labels.max()) for part in (*parts, tests))
    return Dataset(*parts, test=tests, classes=classes, split=split)


def _split_off(examples: Split, validation: str | None, seed: int) -> tuple[tuple[Split, Split], str]:
    """Training and validation images, and how they were chosen."""
    twelfth = len(examples.images) // VALIDATION_SHARE
    if validation == FIRST or (validation is None and _is_mnist(examples)):
        return (Split(*(array[twelfth:] for array in examples)), Split(*(array[:twelfth] for array in examples))), FIRST
    count = twelfth if validation is None else int(validation)
    if not 0 < count < len(examples.images):
        raise InputError(
            f"Validation must have between 1 and {len(examples.images) - 1:,} of the {len(examples.images):,} training "
            f"images, found {count:,}."
        )
    there = np.zeros(len(examples.images), bool)
    there[_drawn(examples.labels, count, seed)] = True
    parts = Split(*(array[~there] for array in examples)), Split(*(array[there] for array in examples))
    return parts, f"{count:,} drawn from seed {seed}"


def _drawn(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The numbers of `count` examples of which each class has its share, to one example.

    The examples of a class are shuffled and spread evenly from 0 to 1, and those of all classes below the share are
    taken. Scikit-learn's train_test_split refuses classes of one example, and fewer examples than classes.
    """
    shuffled = generator(seed, "validation").permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, first, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    place = (np.arange(len(labels)) - np.repeat(first, sizes) + 0.5) / np.repeat(sizes, sizes)
    return by_class[np.argsort(place, kind="stable")[:count]]


def _is_mnist(examples: Split) -> bool:
    return np.array_equal(examples.labels, IdxFile.of(MNIST / "train-labels-idx1-ubyte.gz").read())


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"{path} must be a folder of IDX files, found {'a file' if path.exists() else 'nothing'}.")
    return path


class _SplitFiles(NamedTuple):
    """The two files of a split, of which the headers are read and fit each other."""

    images: IdxFile
    labels: IdxFile

    @classmethod
    def of(cls, folder: Path, part: str, fewest: int) -> "_SplitFiles":
        """part: "train" or what else begins the files' names, as a regular expression; "" for any beginning."""
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

    def check_side(self, train: "_SplitFiles") -> None:
        if self.side != train.side:
            raise InputError(
                f"{self.images.path} must hold images of {train.side} like the training images, found {self.side}."
            )

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
        wanted = f"one file {part.split('|')[0] or '…'}-{kind}-idx{dimensions}-ubyte or the same with .gz"
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
