"""Which files of a folder are shards, and of what.

    train-00000.npz            arrays x and y
    train-00000-images-idx3-ubyte, train-00000-labels-idx1-ubyte      plain or with .gz
    train-00000.tfrecord       also train-00000-of-00100 and train.tfrecord-00000-of-00100; see `records`

So for training; `validation-…` or `val-…`, and `test-…` or `t10k-…`, are held in memory. Names decide the order.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import InputError

from .idx import IdxFile
from .npy import reason
from .npz import NpzArray
from .records import record_arrays
from .split import MOST_CLASSES, Stored

MANIFEST = "shards.json"
"""What `rawstep shard` writes beside its shards: how many examples each has, and more."""
PARTS = {"train": "train", "validation": "validation", "val": "validation", "test": "test", "t10k": "test"}
PART = re.compile(rf"({'|'.join(PARTS)})(?=[-_.\d])")
IDX = re.compile(r"(.*?)(images|labels)([-.]idx\d-.*)")
RECORDS = re.compile(r".*\.(tfrecords?|records?)|.*-\d+-of-\d+")


class ShardFiles(NamedTuple):
    """The files of a shard, what they are, "IDX", "npz" or "TFRecord", and what the manifest says of them."""

    form: str
    paths: Sequence[Path]
    noted: Mapping[str, Any]


def shard_files(folder: Path) -> dict[str, list[ShardFiles]]:
    """The shards of a folder by what they are for, each by its files, in the order of their names."""
    noted, found, pairs = manifest(folder), dict[str, list[ShardFiles]](), dict[str, dict[str, Path]]()
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        name, part = path.name.removesuffix(".gz"), PART.match(path.name)
        idx = IDX.fullmatch(name)
        kind = "npz" if name.endswith(".npz") else "TFRecord" if RECORDS.fullmatch(name) else "IDX" if idx else None
        if path.name.startswith(".") or path.name == MANIFEST or (kind is None and part is None) or path.is_dir():
            continue
        if kind is None or part is None:
            raise InputError(
                f"{path} is no shard: shards are called train-…, validation-… or test-…, and are .npz, .tfrecord or "
                "pairs of IDX files."
            )
        if idx is not None and kind == "IDX":
            pairs.setdefault(idx[1], {}).setdefault(idx[2], path)  # a plain name comes before its gzipped one
            if len(pairs[idx[1]]) < 2:
                continue
            paths = [pairs[idx[1]]["images"], pairs[idx[1]]["labels"]]
        else:
            paths = [path]
        shards = found.setdefault(PARTS[part[1]], [])
        if paths not in [one.paths for one in shards[-1:]]:
            shards.append(ShardFiles(kind, paths, noted.get(path.name, {})))
    for stem, pair in pairs.items():
        if lacking := {"images", "labels"} - {*pair}:
            there = next(iter(pair.values()))
            raise InputError(f"{there} has no {lacking.pop()} beside it: {stem}… must be two files.")
    return found


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """What `rawstep shard` wrote of each file, by its name; nothing for a folder without it.

    Raises InputError for one that is damaged or says of a file what is not so.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text())["files"]
        for one in files.values():
            _check_noted(**one)
        sizes = {name: one["bytes"] for name, one in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {reason(error)}; without it the shards are counted.") from error
    for name, size in sizes.items():
        shard = folder / name
        if not shard.is_file():
            raise InputError(f"{shard} is not there, though {MANIFEST} says that it is.")
        if shard.stat().st_size != size:
            raise InputError(f"{shard} must have {size:,} bytes as {MANIFEST} says, found {shard.stat().st_size:,}.")
    return files


def _check_noted(bytes: int, examples: int, labels: Sequence[int] = (0, 0)) -> None:
    """Raises ValueError or TypeError for what is said of a file and cannot be."""
    least, most = labels
    if not all(type(one) is int for one in (bytes, examples, least, most)) or not 0 <= least <= most < MOST_CLASSES:
        raise ValueError("bytes and examples must be whole numbers, and labels the least and the greatest class")
    if not 0 <= examples <= bytes:
        raise ValueError(f"{bytes:,} bytes cannot hold {examples:,} examples")


def arrays_of(files: ShardFiles, names: Sequence[str]) -> list[Stored]:
    """The two arrays of a shard, of which the headers are read; of records, the features of these names."""
    if files.form == "IDX":
        return [IdxFile.of(path) for path in files.paths]
    if files.form == "npz":
        return [NpzArray.of(files.paths[0], name) for name in ("x", "y")]
    return [*record_arrays(files.paths[0], names, files.noted.get("examples"))]
