"""Which files of a user's hold the images and labels of a split: IDX, .npy and .npz."""

import re
from pathlib import Path

from core.errors import InputError

from .idx import IdxFile
from .npy import NpyFile
from .npz import NpzArray
from .split import Form, StoredSplit

ARRAYS = tuple(f"{kind}_{part}" for part in ("train", "test") for kind in ("x", "y"))
"""What Keras calls the images and the labels of its own data sets."""
AXES = {"images": "[34]", "labels": "[12]"}
TYPES = "ubyte|byte|short|int|float|double"
"""How the names of IDX files end, by what they hold; the content alone decides."""


def stored(place: Path, fewest: int, subset: str | None = None, form: Form = Form()) -> tuple[StoredSplit, StoredSplit]:  # noqa: B008
    """What is to be trained on, and the tests, of which the headers alone are read.

    place: a .npz file, a folder of four .npy files, or one of four IDX files. fewest: images to be trained on. subset:
    which one, of a folder with the IDX files of several sets.

    Raises InputError, naming the file or folder, where one is missing or damaged or does not fit the others.
    """
    if (arrays := _arrays(place)) is not None:
        if subset is not None:
            raise InputError(f"--subset is for a folder with the IDX files of several sets, found {place}.")
        images, labels, *tests = arrays
        return StoredSplit.of(images, labels, fewest, form), StoredSplit.of(*tests, fewest=1, form=form)
    folder = folder_of(place, "a folder of IDX or .npy files or a .npz file")
    train = _idx_split(folder, "train", subset, fewest, form)
    return train, _idx_split(folder, "t10k|test", subset, 1, form)


def stored_pair(folder: Path, form: Form = Form()) -> StoredSplit:  # noqa: B008
    """The one split of a folder: two IDX files, whatever stands before -images and -labels, or x_….npy and y_….npy."""
    pairs = [sorted(folder.glob(f"{kind}_*.npy")) for kind in ("x", "y")]
    if [len(found) for found in pairs] == [1, 1]:
        return StoredSplit.of(NpyFile.of(pairs[0][0]), NpyFile.of(pairs[1][0]), 1, form)
    return _idx_split(folder, "", None, 1, form)


def folder_of(path: Path, wanted: str) -> Path:
    """The path of a folder. Raises InputError where it is none."""
    if not path.is_dir():
        raise InputError(f"{path} must be {wanted}, found {'a file' if path.exists() else 'nothing'}.")
    return path


def _arrays(place: Path) -> list[NpzArray] | list[NpyFile] | None:
    """The four of a .npz file, or of a folder with .npy files of these names; None where it is neither."""
    if place.is_file() and place.suffix == ".npy":
        raise InputError(f"{place} is one array: give the folder of {', '.join(f'{name}.npy' for name in ARRAYS)}.")
    if place.is_file():
        return [NpzArray.of(place, name) for name in ARRAYS]
    files = [place / f"{name}.npy" for name in ARRAYS]
    if not any(path.exists() for path in files):
        return None
    if others := sorted(path.name for path in place.glob("*[-.]idx[1-4]-*")):
        raise InputError(f"{place} must have .npy files or IDX files, found {others[0]} beside .npy files.")
    if lacking := [path.name for path in files if not path.exists()]:
        raise InputError(f"{place} must have {', '.join(path.name for path in files)}, found no {', '.join(lacking)}.")
    return [*map(NpyFile.of, files)]


def _idx_split(folder: Path, part: str, subset: str | None, fewest: int, form: Form) -> StoredSplit:
    """part: "train" or what else begins the files' names, as a regular expression; "" for any beginning."""
    images, labels = (_find(folder, part, kind, subset) for kind in AXES)
    return StoredSplit.of(IdxFile.of(images), IdxFile.of(labels), fewest, form)


def _find(folder: Path, part: str, kind: str, subset: str | None) -> Path:
    """The one file of that name; where it is there both plain and gzipped, the plain one."""
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
    return next(iter(found.values()))


def _listed(sets: list[str]) -> str:
    return ", ".join(name or "one without a name" for name in sets) or "none"
