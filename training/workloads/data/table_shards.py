"""Tables in shards: rows of numbers, and what is to be estimated of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError

from .columns import check_deviation
from .heard import each
from .records import read_together
from .scaling import Scaling
from .shard_files import ShardFiles, arrays_of
from .shards import Examples, Shards, checked, joined, shard_set, window_of
from .split import Stored

STANDING = 1_024
"""Rows that stand for all of a stream, where some are looked at."""


@dataclass(frozen=True)
class TableShard:
    """Rows x [rows, columns] and targets y [rows]."""

    form: str
    files: Sequence[Path]
    x: Stored
    y: Stored

    @classmethod
    def of(cls, files: ShardFiles) -> "TableShard":
        """Raises InputError for arrays that are no table."""
        x, y = arrays_of(files, ("x", "y"))
        for array, axes in ((x, 2), (y, 1)):
            if array.dtype.kind not in "biuf" or len(array.shape) != axes or 0 in array.shape:
                raise InputError(
                    f"{array} must hold numbers in {axes} dimension{'s'[: axes - 1]}, of at least one row, found "
                    f"{array.dtype.name} {[*array.shape]}."
                )
        if x.shape[0] != y.shape[0]:
            raise InputError(f"{y} must hold a target for each row, found {y.shape[0]:,} for {x.shape[0]:,}.")
        return cls(files.form, files.paths, x, y)

    @property
    def arrays(self) -> tuple[Stored, Stored]:
        return self.x, self.y

    @property
    def kind(self) -> str:
        return f"{self.form} of {self.x.shape[1]} columns"

    @property
    def examples(self) -> int:
        return self.x.shape[0]

    @property
    def nbytes(self) -> int:
        """Of float64, as which they are read before they are standardised."""
        return self.examples * (self.x.shape[1] + 1) * 8

    def read(self) -> Examples:
        """In float64. Raises InputError where a number is not finite."""
        x, y = checked(tuple(array.astype(np.float64) for array in read_together(self.arrays)), self)
        for array, where in ((x, self.x), (y, self.y)):
            if others := array.size - np.count_nonzero(np.isfinite(array)):
                raise InputError(f"{where} must hold finite numbers, found {others:,} of {array.size:,} that are not.")
        return x, y


class Tables(NamedTuple):
    """Splits of a table, standardised by the rows that are trained on; `stream` has these, `train` a few of them."""

    train: Examples
    validation: Examples
    test: Examples
    stream: Shards
    scaling: Scaling
    chosen: str
    notes: Sequence[str]


def load_tables(
    place: Path, window: int | None, validation: str | None, seed: int, scaling: Scaling | None = None
) -> Tables:
    """A table in shards. All training rows are read once for the mean and the deviation of each column, unless a run's
    are given; its columns are then known by their order alone.

    Raises InputError, naming the file, for shards that are damaged or differ, and for a column without variance.
    """
    found = shard_set(place, TableShard.of, seed, validation)
    columns = found.train[0].x.shape[1]
    if scaling is not None and columns != len(scaling.columns):
        raise InputError(f"{place} must have rows of {len(scaling.columns)} columns as the run's, found {columns}.")
    by = scaling or _scaling(place, found.train)

    def standardised(rows: Examples) -> Examples:
        return by.standardised(*rows)

    stream = Shards(found.train, window_of(found.train, window), standardised)
    validating = standardised(joined(found.validation))
    return Tables(
        train=tuple(array[:STANDING] for array in stream.read(0)),
        validation=validating,
        test=standardised(joined(found.test)) if found.test else validating,
        stream=stream,
        scaling=by,
        chosen=found.chosen,
        notes=[stream.note] + ([] if found.test else ["there are no test shards: the test is on the validation rows"]),
    )


def _scaling(place: Path, shards: Sequence[TableShard]) -> Scaling:
    """Of each column and of the target, shard by shard: Chan, Golub & LeVeque, "Updating formulae and a pairwise
    algorithm for computing sample variances", 1979. Raises InputError for one that cannot be standardised."""
    count, mean, squares, least, most = 0, np.zeros(1), np.zeros(1), np.array(np.inf), np.array(-np.inf)
    with np.errstate(all="ignore"):
        for shard in each(shards):
            rows = np.column_stack(shard.read())
            own = rows.mean(axis=0)
            apart, total = own - mean, count + len(rows)
            squares = squares + np.square(rows - own).sum(axis=0) + np.square(apart) * count * len(rows) / total
            mean, count = mean + apart * len(rows) / total, total
            least, most = np.minimum(least, rows.min(axis=0)), np.maximum(most, rows.max(axis=0))
        deviation = np.sqrt(squares / count)
    for number, by in enumerate(deviation):
        name = "the target" if number == len(deviation) - 1 else f"column {number}"
        check_deviation(f"{place}: {name}", least[number], most[number], by, count)
    columns = [*map(str, range(len(mean) - 1))]
    return Scaling(columns, "target", mean[:-1], deviation[:-1], float(mean[-1]), float(deviation[-1]))
