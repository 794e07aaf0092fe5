"""Labelled images in three splits: MNIST, which comes with the package, or a user's own in IDX, .npy or .npz files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError
from core.seeds import generator

from .files import folder_of, stored, stored_pair
from .heard import each
from .idx import IdxFile
from .image_shards import ImageShard
from .shards import Shards, joined, shard_set, window_of
from .split import Form, Split

MNIST = Path(__file__).parent / "mnist"
VALIDATION_SHARE = 12
"""One training image in twelve: of MNIST's 60,000 the first 5,000, which TF1's `read_data_sets` took."""
VALIDATION = "a folder of two IDX or .npy files, where the validation is neither a number nor first"
STANDING = 1_024
"""Images that stand for all of a stream, where some are looked at."""
FIRST = "first"
"""The first images for validation, whatever is in them, as in the notebook."""


class Dataset(NamedTuple):
    """Three splits of one set of labelled images, how many classes the labels name, how they were split, and rows and
    columns of an image, with its colours where it has more than one.

    stream: all training images, where they are not held in memory; `train` then has a few that stand for them. said:
    what else a person should know.
    """

    train: Split
    validation: Split
    test: Split
    classes: int
    split: str
    side: tuple[int, ...] = ()
    stream: Shards | None = None
    said: Sequence[str] = ()

    @property
    def notes(self) -> list[str]:
        """A sentence for each split that lacks classes which another one has, and what else was said.

        Which classes are in a stream is not known.
        """
        return [*self.said, *([] if self.stream is not None else self._lacking)]

    @property
    def _lacking(self) -> list[str]:
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


def load_dataset(
    place: Path | None = None,
    validation: str | None = None,
    seed: int = 0,
    subset: str | None = None,
    form: Form = Form(),  # noqa: B008
) -> Dataset:
    """Training and test images and their labels from four IDX files, plain or gzipped, four .npy files, or one .npz
    file; MNIST, where none is given.

    place: a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte, with .gz or without; idx4 for images in colour. Something may stand before each name, `test`
    may stand for `t10k`, and a point before `idx`: Fashion-MNIST, KMNIST and EMNIST fit as they come. Or one that holds
    x_train.npy, y_train.npy, x_test.npy and y_test.npy, or a .npz file with arrays of these names.

    Beside arrays of these names, x_val and y_val (also valid, validation) are the validation unless another is asked.

    Images are unsigned bytes, or floats of which `form` says what they mean, [images, rows, columns], in colour
    [images, rows, columns, colours], 1 to 4 of them; labels are integers [images] or [images, 1].

    validation: a number of training images to be drawn from `seed`, of each class its share; "first", the first
    twelfth; or a folder with two more such files, of any name, and then all training images are trained on. Unless
    given, the first twelfth of MNIST's as in the notebook (55,000, 5,000 and 10,000 images), wherever its files are;
    a twelfth is drawn of any other data, which may be sorted by class.

    subset: which of the sets of a folder with the IDX files of several, by the words before `train` and `test`:
    "letters" for emnist-letters-train-images-idx3-ubyte.

    Raises InputError, naming the file, where one is missing or damaged or does not fit the others, and for a number of
    validation images that leaves none to one side.
    """
    train, test, own = stored(MNIST if place is None else place, VALIDATION_SHARE, subset, form)
    test.check_side(train)
    further, said = own if validation is None else None, list[str]()
    if own is not None:
        use = "are the validation" if validation is None else f"are not used, since --validation is {validation}"
        said.append(f"{own.images.short} and {own.labels.short} {use}")
    if validation is not None and validation != FIRST and not validation.isdecimal():
        further = stored_pair(folder_of(Path(validation), VALIDATION), form)
    if further is not None:
        further.check_side(train)
    examples, tests = train.read(), test.read()
    if further is not None:
        parts, split = (
            (examples, further.read()),
            "other files" if validation is not None else f"{further.images.short} and {further.labels.short}",
        )
    else:
        parts, split = _split_off(examples, validation, seed)
    if len({part.images.dtype for part in (*parts, tests)}) > 1:
        raise InputError(
            f"{train.images} and its test and validation images must be of one kind, found unsigned bytes and floats."
        )
    classes = 1 + max(int(part.labels.max()) for part in (*parts, tests))
    dtype = np.uint8 if classes <= 256 else np.int32
    every = [Split(part.images, part.labels.astype(dtype)) for part in (*parts, tests)]
    return Dataset(*every, classes=classes, split=split, side=train.side, said=said)


def load_shards(
    place: Path,
    window: int | None = None,
    validation: str | None = None,
    seed: int = 0,
    form: Form = Form(),  # noqa: B008
) -> Dataset:
    """Labelled images in shards, of which those to be trained on are streamed; see `shards`.

    Labels are read once for the number of classes, unless the manifest of `rawstep shard` has them.

    Raises InputError, naming the file, for shards that are damaged or differ.
    """
    found = shard_set(place, partial(ImageShard.of, form=form), seed, validation)
    every = [shard for shards in found[:3] for shard in shards]
    classes = 1 + max(shard.labels[1] for shard in each(every))
    dtype = np.uint8 if classes <= 256 else np.int32

    def typed(split: Sequence[np.ndarray]) -> Split:
        return Split(split[0], split[1].astype(dtype))

    stream = Shards(found.train, window_of(found.train, window), typed)
    validating = typed(joined(found.validation))
    testing = typed(joined(found.test)) if found.test else validating
    said = [stream.note] + ([] if found.test else ["there are no test shards: the test is on the validation images"])
    return Dataset(
        typed(_standing(found.train)),
        validating,
        testing,
        classes=classes,
        split=found.chosen,
        side=every[0].stored.side,
        stream=stream,
        said=said,
    )


def _standing(shards: Sequence[ImageShard]) -> Split:
    """The first images, and one of the least and one of the greatest class."""
    least, most = min(shards, key=lambda one: one.labels[0]), max(shards, key=lambda one: one.labels[1])
    first = shards[0].read()
    parts = [Split(*(array[:STANDING].copy() for array in first))]
    for shard, extreme in ((least, np.argmin), (most, np.argmax)):
        split = first if shard is shards[0] else shard.read()
        row = int(extreme(split[1]))
        parts.append(Split(*(array[row : row + 1].copy() for array in split)))
    return Split(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


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
