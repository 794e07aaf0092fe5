"""Labelled images in three splits: MNIST, which comes with the package, four files like its own, or a .npz file."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError
from core.seeds import generator

from .idx import IdxFile
from .npz import NpzArray
from .split import Split, StoredSplit

MNIST = Path(__file__).parent / "mnist"
VALIDATION_SHARE = 12
"""One training image in twelve: of MNIST's 60,000 the first 5,000, which TF1's `read_data_sets` took."""
VALIDATION = "a folder of two IDX files, where the validation is neither a number nor first"
FIRST = "first"
"""The first images for validation, whatever is in them, as in the notebook."""


class Dataset(NamedTuple):
    """Three splits of one set of labelled images, how many classes the labels name, how they were split, and rows and
    columns of an image, with its colours where it has more than one."""

    train: Split
    validation: Split
    test: Split
    classes: int
    split: str
    side: tuple[int, ...] = ()

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


def load_dataset(place: Path | None = None, validation: str | None = None, seed: int = 0) -> Dataset:
    """Training and test images and their labels from four IDX files, plain or gzipped, or from one .npz file; MNIST,
    where none is given.

    place: a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte, with .gz or without; idx4 for images in colour. Something may stand before each name, `test`
    may stand for `t10k`, and a point before `idx`: Fashion-MNIST and KMNIST fit as they come, EMNIST one of its sets at
    a time. Or a .npz file with the arrays x_train, y_train, x_test and y_test.

    Images are unsigned bytes [images, rows, columns], in colour [images, rows, columns, colours], 1 to 4 of them;
    labels are integers [images], in a .npz also [images, 1].

    validation: a number of training images to be drawn from `seed`, of each class its share; "first", the first
    twelfth; or a folder with two more such files, of any name, and then all training images are trained on. Unless
    given, the first twelfth of MNIST's as in the notebook (55,000, 5,000 and 10,000 images), wherever its files are;
    a twelfth is drawn of any other data, which may be sorted by class.

    Raises InputError, naming the file, where one is missing or damaged or does not fit the others, and for a number of
    validation images that leaves none to one side.
    """
    train, test = _stored(MNIST if place is None else place)
    test.check_side(train)
    further = None
    if validation is not None and validation != FIRST and not validation.isdecimal():
        further = _idx_split(_folder(Path(validation), VALIDATION), "", fewest=1)
        further.check_side(train)
    examples, tests = train.read(), test.read()
    if further is not None:
        parts, split = (examples, further.read()), "other files"
    else:
        parts, split = _split_off(examples, validation, seed)
    classes = 1 + max(int(part.labels.max()) for part in (*parts, tests))
    dtype = np.uint8 if classes <= 256 else np.int32
    every = [Split(part.images, part.labels.astype(dtype)) for part in (*parts, tests)]
    return Dataset(*every, classes=classes, split=split, side=train.side)


def _stored(place: Path) -> tuple[StoredSplit, StoredSplit]:
    """What is to be trained on, and the tests, of which the headers alone are read."""
    if place.is_file():
        train, test = ([NpzArray.of(place, f"{kind}_{part}") for kind in ("x", "y")] for part in ("train", "test"))
        return StoredSplit.of(*train, fewest=VALIDATION_SHARE), StoredSplit.of(*test, fewest=1)
    folder = _folder(place, "a folder of IDX files or a .npz file")
    return _idx_split(folder, "train", fewest=VALIDATION_SHARE), _idx_split(folder, "t10k|test", fewest=1)


def _idx_split(folder: Path, part: str, fewest: int) -> StoredSplit:
    """part: "train" or what else begins the files' names, as a regular expression; "" for any beginning."""
    images, labels = (_find(folder, part, kind) for kind in ("images", "labels"))
    return StoredSplit.of(IdxFile.of(images), IdxFile.of(labels), fewest)


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


def _folder(path: Path, wanted: str) -> Path:
    if not path.is_dir():
        raise InputError(f"{path} must be {wanted}, found {'a file' if path.exists() else 'nothing'}.")
    return path


def _find(folder: Path, part: str, kind: str) -> Path:
    """The one file of that name; where it is there both plain and gzipped, the plain one."""
    axes, wanted = ("[34]", "idx3") if kind == "images" else ("1", "idx1")
    name = re.compile(rf"((?!\.).*({part})-{kind}[-.]idx{axes}-ubyte)(\.gz)?")
    found = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a plain name comes after its gzipped one, and replaces it
        if (match := name.fullmatch(path.name)) and path.is_file():
            found[match[1]] = path
    if len(found) != 1:
        one = f"one file {part.split('|')[0] or '…'}-{kind}-{wanted}-ubyte or the same with .gz"
        colour = ", or idx4 in colour" if kind == "images" else ""
        raise InputError(f"{folder} must have {one}{colour}, found {', '.join(sorted(found)) or 'none'}.")
    return next(iter(found.values()))
