"""What shards are made of: arrays in files, folders of images, and tables, each read some examples at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from core.errors import InputError

from .files import stored
from .image_file import opened_image
from .image_shards import ImageShard
from .records import rows_together
from .shard_files import MANIFEST, ShardFiles, shard_files
from .shards import check_kinds
from .split import Stored
from .table import TableFile, place_of
from .table_shards import TableShard

IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
PARTS = ("train", "validation", "test")
TABLES = {".csv", ".tsv", ".parquet"}
COUNTED = 1 << 14
"""Rows of a table that are counted at a time."""
GREY = {"1", "L", "LA", "I;16", "I;16L", "I;16B"}
"""Pillow's modes without colours."""


class Piece(Protocol):
    """Examples that are read one after another: (x, y), this many at a time."""

    @property
    def examples(self) -> int: ...
    def rows(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]: ...


class Source(NamedTuple):
    """Each part's `Piece`s, and what they are, in words; classes: their names, where folders have them."""

    parts: Mapping[str, Sequence[Any]]
    what: str
    classes: Sequence[str] = ()


@dataclass(frozen=True)
class Arrays:
    """Two arrays in files."""

    x: Stored
    y: Stored

    @property
    def examples(self) -> int:
        return self.x.shape[0]

    def rows(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for x, y in rows_together((self.x, self.y), count):
            yield x, y.reshape(len(y))


def source_of(places: Sequence[Path], target: str | None, resize: tuple[int, int] | None) -> Source:
    """What shards are to be made of, whose headers alone are read; images are opened for their sizes.

    Raises InputError, naming the file or folder, for what cannot be read or does not fit together.
    """
    if all(place.suffix.lower() in TABLES for place in places):
        return _tables(places, target)
    if len(places) > 1:
        raise InputError(f"Several sources must be tables, CSV or Parquet, found {places[0]} and {places[1]}.")
    if target is not None:
        raise InputError(f"--target is of a table, a CSV or Parquet file, found {places[0]}.")
    (place,) = places
    if place.is_dir() and (folders := _folders(place)):
        return _pictures(place, folders, resize)
    if resize is not None:
        raise InputError(f"--resize is of folders of images, found {place}.")
    if place.is_dir() and ((place / MANIFEST).exists() or len(shard_files(place).get("train", [])) > 1):
        return _sharded(place)
    splits = {part: split for part, split in stored(place, 1)._asdict().items() if split is not None}
    for split in splits.values():
        split.check_side(splits["train"])
    parts = {part: [Arrays(split.images, split.labels)] for part, split in splits.items()}
    return Source(parts, "images of " + "×".join(map(str, splits["train"].side)))


def _sharded(place: Path) -> Source:
    files = shard_files(place)
    kind = _kind_of(files["train"][0])
    parts = {part: [kind.of(one) for one in of] for part, of in files.items()}
    every = [shard for shards in parts.values() for shard in shards]
    check_kinds(every)
    pieces = {part: [Arrays(*shard.arrays) for shard in shards] for part, shards in parts.items()}
    return Source(pieces, every[0].kind.partition(" of ")[2])


def _kind_of(files: ShardFiles) -> Any:
    """What a shard's files hold: images or tables. Raises InputError for neither."""
    try:
        ImageShard.of(files)
    except InputError as error:
        try:
            TableShard.of(files)
        except InputError:
            raise error from None
        return TableShard
    return ImageShard


@dataclass(frozen=True)
class Pictures:
    """Files of images, each of which Pillow reads, and their class numbers."""

    paths: Sequence[Path]
    labels: Sequence[int]
    size: tuple[int, int]
    grey: bool
    resize: bool

    @property
    def examples(self) -> int:
        return len(self.paths)

    def rows(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(self.paths), count):
            images = [self._read(path) for path in self.paths[start : start + count]]
            yield np.stack(images), np.array(self.labels[start : start + count], np.int32)

    def _read(self, path: Path) -> np.ndarray:
        """uint8 [rows, columns], in colour [rows, columns, 3]; of 16 bits the upper 8."""
        from PIL import Image

        with opened_image(path, path) as image:
            if image.mode.startswith("I;16"):
                image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
            image = image.convert("L" if self.grey else "RGB")
            if self.resize and image.size != self.size:
                image = image.resize(self.size)
            if image.size != self.size:
                raise InputError(
                    f"{path} must be {self.size[1]}×{self.size[0]} pixels like the others, found "
                    f"{image.size[1]}×{image.size[0]}; --resize ROWS COLUMNS makes all of one size."
                )
            return np.asarray(image)


def _pictures(
    place: Path, folders: Mapping[str, Mapping[str, Sequence[Path]]], resize: tuple[int, int] | None
) -> Source:
    classes = sorted({name for by_class in folders.values() for name in by_class})
    every = [path for by_class in folders.values() for paths in by_class.values() for path in paths]
    first, grey = None, True
    for path in every:
        with opened_image(path, path) as image:
            if image.mode in ("I", "F"):
                raise InputError(f"{path} has pixels of 32 bits (mode {image.mode}); 8 and 16 bits are read.")
            grey = grey and image.mode in GREY
            first = first or image.size
            if resize is None and image.size != first:
                raise InputError(
                    f"{path} must be {first[1]}×{first[0]} pixels like {every[0].name}, found "
                    f"{image.size[1]}×{image.size[0]}; --resize ROWS COLUMNS makes all of one size."
                )
    assert first is not None, "there are images"
    size = first if resize is None else (resize[1], resize[0])
    parts = {}
    for part, by_class in folders.items():
        paths = [path for name in classes for path in by_class.get(name, ())]
        labels = [number for number, name in enumerate(classes) for _ in by_class.get(name, ())]
        parts[part] = [Pictures(paths, labels, size, grey, resize is not None)]
    return Source(parts, f"{'grey' if grey else 'RGB'} images of {size[1]}×{size[0]}", classes)


def _folders(place: Path) -> dict[str, dict[str, list[Path]]]:
    """The images of a folder by what they are for and by class: place/train/cat/1.png; or place/cat/1.png, all of
    which are for training."""
    there = {part: place / part for part in PARTS if (place / part).is_dir()} or {"train": place}
    found = {}
    for part, folder in there.items():
        by_class = {
            one.name: sorted(path for path in one.rglob("*") if path.suffix.lower() in IMAGES)
            for one in sorted(folder.iterdir())
            if one.is_dir() and not one.name.startswith(".")
        }
        if by_class := {name: paths for name, paths in by_class.items() if paths}:
            found[part] = by_class
    return found if "train" in found else {}


@dataclass(frozen=True)
class Rows:
    """A table, one of whose columns is to be estimated."""

    table: TableFile
    place: int

    @cached_property
    def examples(self) -> int:
        """Those of a CSV file are read for that."""
        if self.table.known is not None:
            return self.table.known
        return sum(len(rows) for rows in self.table.rows(COUNTED))

    def rows(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in self.table.rows(count):
            yield np.delete(rows, self.place, axis=1), rows[:, self.place]


def _tables(places: Sequence[Path], target: str | None) -> Source:
    first, *others = tables = [TableFile.of(place) for place in places]
    for table in others:
        if table.names != first.names:
            raise InputError(
                f"{table.path} must have the columns {', '.join(first.names)}, found {', '.join(table.names)}."
            )
    place = len(first.names) - 1 if target is None else place_of(first, target)
    if len(first.names) < 2:
        raise InputError(f"{first.path} must have two or more columns, found {first.names[0]} alone.")
    what = f"rows of {len(first.names) - 1} columns with {first.names[place]}"
    return Source({"train": [Rows(table, place) for table in tables]}, what)
