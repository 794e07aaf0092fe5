"""Which files of a user's hold the images and labels of a split: IDX, .npy and .npz."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError

from .idx import IdxFile
from .npy import NpyFile
from .npz import NpzArray, npz_names
from .split import Form, Stored, StoredSplit

ARRAYS = tuple(f"{kind}_{part}" for part in ("train", "test") for kind in ("x", "y"))
"""What Keras calls the images and the labels of its own data sets."""
VALIDATION_PARTS = ("val", "valid", "validation")
"""What may stand for `train` in the names of a pair that is the validation."""
IDX = "*[-.]idx[1-4]-*"
AXES = {"images": "[34]", "labels": "[12]"}
TYPES = "ubyte|byte|short|int|float|double"
"""How the names of IDX files end, by what they hold; the content alone decides."""


class StoredSplits(NamedTuple):
    """What the headers of a user's files say; validation: where there are arrays of that name."""

    train: StoredSplit
    test: StoredSplit
    validation: StoredSplit | None = None


def stored(place: Path, fewest: int, subset: str | None = None, form: Form = Form()) -> StoredSplits:  # noqa: B008
    """What is to be trained on, and the tests, of which the headers alone are read.

    place: a .npz file, a folder of four .npy files, or one of four IDX files. fewest: images to be trained on. subset:
    which one, of a folder with the IDX files of several sets.

    Raises InputError, naming the file or folder, where one is missing or damaged or does not fit the others.
    """
    if (arrays := _arrays(place)) is not None:
        if subset is not None:
            raise InputError(f"--subset is for a folder with the IDX files of several sets, found {place}.")
        train, *others = arrays
        return StoredSplits(StoredSplit.of(*train, fewest, form), *(StoredSplit.of(*one, 1, form) for one in others))
    folder = folder_of(place, "a folder of IDX or .npy files or a .npz file")
    return StoredSplits(*_idx_splits(folder, {"train": fewest, "t10k|test": 1}, subset, form))


def stored_pair(folder: Path, form: Form = Form()) -> StoredSplit:  # noqa: B008
    """The one split of a folder: two IDX files, whatever stands before -images and -labels, or x_….npy and y_….npy."""
    pairs = [sorted(folder.glob(f"{kind}_*.npy")) for kind in ("x", "y")]
    if [len(found) for found in pairs] == [1, 1]:
        return StoredSplit.of(NpyFile.of(pairs[0][0]), NpyFile.of(pairs[1][0]), 1, form)
    if (there := sorted(path.name for path in folder.glob("*.npy"))) and not any(folder.glob(IDX)):
        raise InputError(f"{folder} must have one file x_….npy and one y_….npy, found {', '.join(there[:20])}.")
    (split,) = _idx_splits(folder, {"": 1}, None, form)
    return split


def folder_of(path: Path, wanted: str) -> Path:
    """The path of a folder. Raises InputError where it is none."""
    if not path.is_dir():
        raise InputError(f"{path} must be {wanted}, found {'a file' if path.exists() else 'nothing'}.")
    return path


def _arrays(place: Path) -> list[tuple[Stored, Stored]] | None:
    """Images and labels of a .npz file, or of a folder with .npy files of these names: to be trained on, the tests, and
    the validation where there is one; None where it is neither."""
    if place.is_file() and place.suffix == ".npy":
        raise InputError(f"{place} is one array: give the folder of {', '.join(f'{name}.npy' for name in ARRAYS)}.")
    if place.is_file():
        names = npz_names(place)
    else:
        names = sorted(path.name.removesuffix(".npy") for path in place.glob("*.npy"))
        if not {*names} & {*ARRAYS}:
            return None
        if others := sorted(path.name for path in place.glob(IDX)):
            raise InputError(f"{place} must have .npy files or IDX files, found {others[0]} beside .npy files.")
        if lacking := [f"{name}.npy" for name in ARRAYS if name not in names]:
            wanted = ", ".join(f"{name}.npy" for name in ARRAYS)
            raise InputError(f"{place} must have {wanted}, found no {', '.join(lacking)}.")
    pairs = [ARRAYS[:2], ARRAYS[2:]]
    for part in VALIDATION_PARTS:
        pair = tuple(f"{kind}_{part}" for kind in "xy")
        if there := [name for name in pair if name in names]:
            if len(there) == 1:
                raise InputError(f"{place} must have {pair[0]} and {pair[1]}, found {there[0]} alone.")
            pairs.append(pair)
    if len(pairs) > 3:
        raise InputError(f"{place} must have one pair for validation, found {' and '.join(x for x, _ in pairs[2:])}.")
    if place.is_file():
        return [(NpzArray.of(place, x), NpzArray.of(place, y)) for x, y in pairs]
    return [(NpyFile.of(place / f"{x}.npy"), NpyFile.of(place / f"{y}.npy")) for x, y in pairs]


def _idx_splits(folder: Path, parts: Mapping[str, int], subset: str | None, form: Form) -> list[StoredSplit]:
    """All of one set.

    parts: "train" or what else begins the files' names, as a regular expression, "" for any beginning; and the fewest
    images of each.
    """
    found = {(part, kind): _find(folder, part, kind, subset) for part in parts for kind in AXES}
    names = {of_set: path.name for path, of_set in found.values()}
    if len(names) > 1:
        raise InputError(f"{folder} must have images and labels of one set, found {' and '.join(names.values())}.")
    return [
        StoredSplit.of(IdxFile.of(found[part, "images"][0]), IdxFile.of(found[part, "labels"][0]), fewest, form)
        for part, fewest in parts.items()
    ]


def _find(folder: Path, part: str, kind: str, subset: str | None) -> tuple[Path, str]:
    """The one file of that name, and the set that its name begins with; where it is there both plain and gzipped, the
    plain one."""
    name = re.compile(rf"((?!\.)(.*?)[-._]?({part})-{kind}[-.]idx{AXES[kind]}-(?:{TYPES}))(\.gz)?")
    found: dict[str, Path] = {}
    of_set: dict[str, str] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a plain name comes after its gzipped one, and replaces it
        if (match := name.fullmatch(path.name)) and path.is_file():
            found[match[1]], of_set[match[1]] = path, match[2]
    sets = sorted({*of_set.values()})
    if subset is not None:
        found = {name: path for name, path in found.items() if f"-{of_set[name]}".endswith(f"-{subset}")}
        if not found:
            raise InputError(
                f"{folder} has no {part.split('|')[-1]} {kind} of {subset!r}, found {_listed(sets)}.", subset, sets
            )
    elif part and len(sets) > 1 and all(sets):
        raise InputError(f"{folder} has {len(sets)} sets, of which --subset must name one: {_listed(sets)}.")
    if len(found) != 1:
        one = f"one file {part.split('|')[0] or '…'}-{kind}-idx{AXES[kind][1]}-ubyte or the same with .gz"
        colour = ", or idx4 in colour" if kind == "images" else ""
        raise InputError(f"{folder} must have {one}{colour}, found {', '.join(sorted(found)) or 'none'}.")
    ((stem, path),) = found.items()
    return path, of_set[stem]


def _listed(sets: list[str]) -> str:
    return ", ".join(name or "one without a name" for name in sets) or "none"
