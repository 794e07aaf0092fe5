"""Shards are made: examples are dealt at random over all of them, some at a time, and each is then written whole."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from core.errors import InputError
from core.seeds import generator

from .records import example
from .shard_files import MANIFEST
from .sources import Piece, Source
from .split import MOST_CLASSES

Format = Literal["npz", "idx", "tfrecord"]
DEALT_BYTES = 1 << 24
"""Of examples that are dealt at a time."""
SHARE = 12
"""One example in twelve is for validation, and one for the test, where the source has none of its own."""
MOST_EXAMPLES = 10**9 - 1
"""NumPy's limit for what is dealt."""


class Plan(NamedTuple):
    """How examples become shards: the format, the most bytes of a shard, the seed, and how many are drawn for
    validation and test; one in twelve of each unless given, and none where the source has them."""

    form: Format = "npz"
    shard_bytes: int = 8_000_000
    seed: int = 0
    validation: int | None = None
    test: int | None = None


@dataclass(frozen=True)
class _Shard:
    """A shard in the making: its name without what the format adds, and how many examples it is to hold."""

    name: str
    examples: int


def write_shards(source: Source, folder: Path, plan: Plan, heard: Callable[[int], Any]) -> dict[str, Any]:
    """Writes the shards of a source, and the manifest, into an empty folder; returns the manifest.

    Each example goes to a shard drawn from the seed, and has a place there drawn from it: data that are sorted end
    mixed. Memory is taken for one shard and for what is dealt at a time.

    heard: called with a number of examples that are dealt or written, each twice in all.

    Raises InputError for examples that cannot be read, do not fit each other or the format; and OSError.
    """
    random = generator(plan.seed, "shards")
    files: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    dealt = [_dealt(pieces, of, folder, plan, random, heard) for pieces, of in _parts(source, plan)]
    most = max(one.most for one in dealt)
    if len({(one.x, one.dtype) for one in dealt}) > 1:
        raise InputError(
            f"The examples of all parts must be of one kind, found {[*{(one.x, one.dtype) for one in dealt}]}."
        )
    for one in dealt:
        for shard in one.shards:
            x, y = one.taken(folder, shard)
            order = random.permutation(len(x))
            y = y.astype(np.uint8 if most <= 255 else np.int32) if y.dtype.kind == "i" else y
            for path in _written(folder, shard.name, plan.form, x[order], y[order]):
                files[path.name] = {"bytes": path.stat().st_size, "examples": len(x)}
                if y.dtype.kind in "iu":
                    files[path.name]["labels"] = [int(y.min()), int(y.max())]
            part = shard.name.partition("-")[0]
            counts[part] = counts.get(part, 0) + len(x)
            heard(len(x))
    found = {"format": 1, "what": source.what, "seed": plan.seed, "examples": counts, "classes": [*source.classes]}
    (folder / MANIFEST).write_text(f"{json.dumps(found | {'files': files}, indent=1)}\n")
    return found | {"files": files}


def planned(source: Source) -> int:
    """The examples of a source."""
    return sum(piece.examples for pieces in source.parts.values() for piece in pieces)


def _parts(source: Source, plan: Plan) -> Iterator[tuple[Sequence[Piece], Mapping[str, int]]]:
    """Examples that are dealt together, and how many of them are for what."""
    count = sum(piece.examples for piece in source.parts["train"])
    of = {"train": count}
    for part, given in (("validation", plan.validation), ("test", plan.test)):
        own = part in source.parts
        if own and given is not None:
            raise InputError(f"The source has its own {part} examples: --{part} {given} is for one without.")
        of[part] = 0 if own else max(1, count // SHARE) if given is None else given
        of["train"] -= of[part]
    if of["train"] < 1:
        raise InputError(
            f"{of['validation']:,} examples for validation and {of['test']:,} for the test leave none of {count:,} to "
            "be trained on."
        )
    yield source.parts["train"], {part: examples for part, examples in of.items() if examples}
    for part in ("validation", "test"):
        if part in source.parts:
            yield source.parts[part], {part: sum(piece.examples for piece in source.parts[part])}


class _Dealt(NamedTuple):
    """Examples that lie dealt on the disk. x: the shape of one; dtype; most: the greatest label."""

    shards: Sequence[_Shard]
    x: tuple[int, ...]
    dtype: np.dtype
    labels: np.dtype
    most: int

    def taken(self, folder: Path, shard: _Shard) -> tuple[np.ndarray, np.ndarray]:
        """The examples of a shard, whose place on the disk is free then."""
        paths = [_spool(folder, shard, kind) for kind in "xy"]
        x = np.frombuffer(paths[0].read_bytes(), self.dtype).reshape(shard.examples, *self.x)
        y = np.frombuffer(paths[1].read_bytes(), self.labels)
        for path in paths:
            path.unlink()
        return x, y


def _dealt(
    pieces: Sequence[Piece],
    of: Mapping[str, int],
    folder: Path,
    plan: Plan,
    random: np.random.Generator,
    heard: Callable[[int], Any],
) -> _Dealt:
    if (count := sum(of.values())) > MOST_EXAMPLES:
        raise InputError(f"{MOST_EXAMPLES:,} examples are the most that are dealt, found {count:,}.")
    first, _ = next(pieces[0].rows(1))
    shape, dtype = first.shape[1:], first.dtype
    if plan.form == "idx" and (first.ndim < 3 or dtype != np.uint8):
        raise InputError(f"IDX shards hold images of unsigned bytes, found {dtype.name} {[*shape]}: give --format npz.")
    shards = [*_shards(of, max(1, plan.shard_bytes // max(1, first.nbytes)))]
    left, most, labels = np.array([shard.examples for shard in shards]), 0, np.dtype(np.int32)
    for x, y in (rows for piece in pieces for rows in piece.rows(max(1, DEALT_BYTES // max(1, first.nbytes)))):
        if x.shape[1:] != shape or x.dtype != dtype:
            raise InputError(f"All examples must be {dtype.name} {[*shape]}, found {x.dtype.name} {[*x.shape[1:]]}.")
        if y.dtype.kind in "iu":
            if y.min() < 0 or y.max() >= MOST_CLASSES:
                raise InputError(
                    f"Labels must be class numbers from 0 to {MOST_CLASSES - 1:,}, found {y.min():,} to {y.max():,}."
                )
            most, y = max(most, int(y.max())), y.astype(np.int32)
        else:
            labels, y = np.dtype(np.float64), y.astype(np.float64)
        counts = random.multivariate_hypergeometric(left, len(x), method="marginals")
        left -= counts
        rows, ends = random.permutation(len(x)), np.cumsum(counts)
        for number in np.flatnonzero(counts):
            own = rows[ends[number] - counts[number] : ends[number]]
            for kind, array in (("x", x), ("y", y)):
                with _spool(folder, shards[number], kind).open("ab") as file:
                    file.write(array[own].tobytes())
        heard(len(x))
    return _Dealt(shards, shape, dtype, labels, most)


def _shards(of: Mapping[str, int], most: int) -> Iterator[_Shard]:
    for part, examples in of.items():
        count = -(-examples // most)
        for number, rows in enumerate(np.diff(np.linspace(0, examples, count + 1).astype(int))):
            yield _Shard(f"{part}-{number:05d}", int(rows))


def _spool(folder: Path, shard: _Shard, kind: str) -> Path:
    return folder / f".{shard.name}.{kind}"


def _written(folder: Path, name: str, form: Format, x: np.ndarray, y: np.ndarray) -> list[Path]:
    if form == "npz":
        np.savez(folder / f"{name}.npz", x=x, y=y)
        return [folder / f"{name}.npz"]
    if form == "idx":
        kind = "ubyte" if y.dtype == np.uint8 else "int"
        images, labels = folder / f"{name}-images-idx{x.ndim}-ubyte", folder / f"{name}-labels-idx1-{kind}"
        images.write_bytes(_idx_header(0x08, x.shape) + x.tobytes())
        labels.write_bytes(
            _idx_header(0x08 if kind == "ubyte" else 0x0C, y.shape) + y.astype(y.dtype.newbyteorder(">")).tobytes()
        )
        return [images, labels]
    import tensorflow as tf

    path = folder / f"{name}.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for one, target in zip(x, y, strict=True):
            writer.write(example(one, target.item()))
    return [path]


def _idx_header(kind: int, shape: Sequence[int]) -> bytes:
    return bytes([0, 0, kind, len(shape)]) + b"".join(int(size).to_bytes(4, "big") for size in shape)
