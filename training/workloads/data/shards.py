"""Data beyond memory: a folder of shards, each of which is read whole, while the others stay on the disk."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from core.errors import InputError
from core.seeds import generator

from .files import folder_of
from .heard import each
from .shard_files import ShardFiles, shard_files

MOST_SHARD_BYTES = 1 << 28
"""Of the arrays of a shard, all of which are in memory at once."""
MOST_HELD_BYTES = 1 << 31
"""Of the arrays of all validation shards, and of all test shards."""
WINDOW_BYTES = 1 << 26
"""Of the examples of a window, unless a number is asked for: eight of `rawstep shard`'s shards, so that a batch mixes
examples of many, and two windows are little beside TensorFlow itself."""
HELD_OUT_SHARE, MOST_HELD_OUT = 12, 10_000
"""Without validation shards, as many training shards are held out as have one example in twelve, or this many."""
TAIL = 1 << 16
"""Bytes at a file's end that identify it: .npz and .gz keep there the checksums of all that they hold."""

Examples = tuple[np.ndarray, ...]


class Shard(Protocol):
    """Examples that are read together, of which the headers are known.

    files: that they are in; kind: format, dtype and shape of an example, in words; examples: how many; nbytes: that
    their arrays take.
    """

    @property
    def files(self) -> Sequence[Path]: ...
    @property
    def kind(self) -> str: ...
    @property
    def examples(self) -> int: ...
    @property
    def nbytes(self) -> int: ...


S = TypeVar("S", bound=Shard)


class ShardSet(NamedTuple):
    """The shards of a folder, by what they are for; see `shard_set`. chosen: how the validation was, in words."""

    train: Sequence[Any]
    validation: Sequence[Any]
    test: Sequence[Any]
    chosen: str


def shard_set(place: Path, opened: Callable[[ShardFiles], S], seed: int, validation: str | None) -> ShardSet:
    """The shards of a folder, whose headers alone are read.

    opened:     makes a shard of its files, or raises InputError.
    validation: about how many training examples to hold out, in whole shards; where nothing is said, those of
                validation-… or, without such, one in twelve and at most 10,000. Which shards, is drawn from the seed.

    Raises InputError, naming the file, where one is damaged, differs from the first, or is larger than a shard may be.
    """
    files = shard_files(folder_of(place, "a folder of shards"))
    parts = {part: [opened(one) for one in each(files.get(part, []))] for part in ("train", "validation", "test")}
    if not parts["train"]:
        raise InputError(
            f"{place} must have shards train-….npz, train-….tfrecord or train-…-images-idx3-ubyte with their labels, "
            f"found none: `rawstep shard` makes them."
        )
    check_kinds([shard for shards in parts.values() for shard in shards])
    for shard in parts["train"]:
        if shard.nbytes > MOST_SHARD_BYTES:
            raise InputError(
                f"{shard.files[0]} has {shard.nbytes:,} bytes of examples, which are read at once; "
                f"{MOST_SHARD_BYTES:,} are the most: cut it with `rawstep shard`."
            )
    if validation is None and parts["validation"]:
        chosen = f"{sum(shard.examples for shard in parts['validation']):,} in shards of their own"
    else:
        if validation is not None and parts["validation"]:
            raise InputError(f"{place} has validation shards; --validation {validation} is for shards without them.")
        parts["train"], parts["validation"], chosen = _held_out(place, parts["train"], seed, validation)
    for part in ("validation", "test"):
        if (size := sum(shard.nbytes for shard in parts[part])) > MOST_HELD_BYTES:
            raise InputError(
                f"{place} has {size:,} bytes of {part} examples, which are held in memory; {MOST_HELD_BYTES:,} are the "
                "most."
            )
    return ShardSet(parts["train"], parts["validation"], parts["test"], chosen)


def check_kinds(shards: Sequence[Shard]) -> None:
    """Raises InputError, naming the first, for a shard of another kind than the first one."""
    first = shards[0]
    if other := next((shard for shard in shards if shard.kind != first.kind), None):
        raise InputError(f"{other.files[0]} must hold {first.kind} like {first.files[0].name}, found {other.kind}.")


def _held_out(place: Path, shards: Sequence[S], seed: int, validation: str | None) -> tuple[list[S], list[S], str]:
    count = sum(shard.examples for shard in shards)
    if len(shards) == 1:
        raise InputError(
            f"{place} has no validation shards, and one training shard, of which none can be held out: cut it with "
            "`rawstep shard`."
        )
    if validation is not None and not validation.isdecimal():
        raise InputError(f"--validation must be a number of examples with --stream, found {validation}.")
    wanted = min(count // HELD_OUT_SHARE, MOST_HELD_OUT) if validation is None else int(validation)
    order, held = generator(seed, "validation").permutation(len(shards)), set[int]()
    while not held or sum(shards[number].examples for number in held) < wanted:
        held.add(int(order[len(held)]))
        if len(held) == len(shards):
            raise InputError(
                f"--validation {wanted} leaves none of the {len(shards)} training shards of {place}, which have "
                f"{count:,} examples."
            )
    out = [shards[number] for number in sorted(held)]
    examples = sum(shard.examples for shard in out)
    chosen = f"{examples:,} in {len(out)} of {len(shards)} shards, drawn from seed {seed}"
    return [shard for number, shard in enumerate(shards) if number not in held], out, chosen


def checked(found: Examples, shard: Shard) -> Examples:
    """What was read of a shard, as many examples as its header said. Raises InputError for others."""
    if {len(array) for array in found} != {shard.examples}:
        raise InputError(
            f"{shard.files[0]} must hold {shard.examples:,} examples as when it was opened, found {len(found[0]):,}."
        )
    return found


@dataclass(frozen=True)
class Shards:
    """Shards as what a run streams; see `workload.Stream`."""

    shards: Sequence[Any]
    window: int
    then: Callable[[Examples], Examples]

    @property
    def sizes(self) -> list[int]:
        return [shard.examples for shard in self.shards]

    def read(self, piece: int) -> Examples:
        """The arrays of a shard."""
        return self.then(self.shards[piece].read())

    @property
    def digest(self) -> str:
        """A hash of the names and sizes of all files, of their last 64 KB, and of what their headers say.

        .npz and gzipped files end with checksums of all that they hold; of others, a change that leaves size and end
        as they are is not seen.
        """
        digest = hashlib.sha256()
        for shard in self.shards:
            digest.update(f"{shard.kind} {shard.examples}".encode())
            for path in shard.files:
                try:
                    with path.open("rb") as file:
                        size = file.seek(0, os.SEEK_END)
                        file.seek(max(0, size - TAIL))
                        digest.update(f"{path.name} {size}".encode() + file.read())
                except OSError as error:
                    raise InputError(f"{path} cannot be read: {error.strerror}.") from error
        return digest.hexdigest()

    @property
    def note(self) -> str:
        """What is streamed, in a sentence."""
        first, folder, sizes = self.shards[0], self.shards[0].files[0].parent, np.array(self.sizes)
        windows = min(len(sizes), max(1, int(sizes.sum()) // self.window))
        held = 2 * min(int(sizes.sum()), int(sizes.sum()) // windows + int(sizes.max()))
        return (
            f"streaming {len(sizes):,} shards, {first.kind}, {sizes.sum():,} examples, from {folder}, each epoch in "
            f"{windows:,} window{'s' if windows > 1 else ''} of about {sizes.sum() // windows:,}; two windows take at "
            f"most about {held * first.nbytes / first.examples / 1e6:,.3g} MB"
        )


def window_of(shards: Sequence[Shard], window: int | None) -> int:
    """Examples in a window: as asked, or as many as fill `WINDOW_BYTES`."""
    if window is not None:
        if window < 1:
            raise InputError(f"--window must be at least 1 example, found {window}.")
        return window
    return max(1, WINDOW_BYTES * shards[0].examples // shards[0].nbytes)


def joined(shards: Sequence[Any]) -> Examples:
    """All examples of some shards."""
    return tuple(np.concatenate(arrays) for arrays in zip(*(shard.read() for shard in shards), strict=True))
