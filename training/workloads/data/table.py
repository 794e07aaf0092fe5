"""A table of numbers in a CSV or Parquet file: its columns by name, each checked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import InputError

from .columns import listed, refused
from .csv_file import csv_names, csv_rows
from .idx import MOST_BYTES
from .npy import reason
from .parquet_file import PARQUET, parquet_header, parquet_rows

AT_ONCE = 8_192
"""Rows that are read together."""


class Table(NamedTuple):
    """The columns of a file and their numbers, float64 [rows, columns]. Rows count from 1, after those of names."""

    path: Path
    names: Sequence[str]
    numbers: np.ndarray

    def place(self, name: str) -> int:
        """Of a column. Raises InputError where there is none of that name."""
        return place_of(self, name)


def place_of(table: "Table | TableFile", name: str) -> int:
    """Of a column of a table. Raises InputError where there is none of that name."""
    if name not in table.names:
        raise InputError(
            f"{table.path} has no column {name!r}; it has: {listed(table.names)}.", name, known=table.names
        )
    return [*table.names].index(name)


class TableFile(NamedTuple):
    """A CSV or Parquet file whose columns are known by name, and whose rows are read some at a time.

    known: how many rows it has, where it says so itself.
    """

    path: Path
    names: Sequence[str]
    is_parquet: bool
    known: int | None = None

    @classmethod
    def of(cls, path: Path) -> "TableFile":
        """Raises InputError, naming the file, where it cannot be read, or has columns without a name of their own."""
        if not path.is_file():
            raise InputError(
                f"{path} must be a CSV or Parquet file, found {'a folder' if path.exists() else 'nothing'}."
            )
        with _failures_named(path):
            with path.open("rb") as file:
                is_parquet = file.read(len(PARQUET)) == PARQUET
            if is_parquet:
                names, known = parquet_header(path)
                return cls(path, names, is_parquet, known)
            return cls(path, csv_names(path), is_parquet)

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """Numbers, float64 [rows, columns], this many rows at a time.

        Raises InputError, naming the file, the column and the row, for values that are missing, no numbers or not
        finite.
        """
        start = 0
        with _failures_named(self.path):
            for numbers in (parquet_rows if self.is_parquet else csv_rows)(self.path, self.names, count):
                for name, column in zip(self.names, numbers.T, strict=True):
                    if not (finite := np.isfinite(column)).all():
                        row = int(np.argmin(finite))
                        found = "a missing value" if np.isnan(column[row]) else str(column[row])
                        raise refused(self.path, name, start + row, found)
                start += len(numbers)
                if self.known is not None and start > self.known:
                    raise InputError(f"{self.path} must hold {self.known:,} rows as its header says, found more.")
                yield numbers


def read_table(path: Path) -> Table:
    """The table in a CSV file, whose first row names the columns, or in a Parquet file.

    CSV is text in UTF-8, with a comma, a semicolon or a tab between values: whichever divides the first two rows into
    most values, as many each.

    Raises InputError, naming the file, and the column and the row where there is one: for a file that cannot be read,
    columns without a name of their own, values that are missing, no numbers or not finite, and no rows at all.
    """
    file = TableFile.of(path)
    if path.stat().st_size > MOST_BYTES:
        raise InputError(
            f"{path} has {path.stat().st_size:,} bytes; {MOST_BYTES:,} are the most that is read: `rawstep shard` cuts "
            "it into what --stream reads."
        )
    if (file.known or 0) * len(file.names) * 8 > MOST_BYTES:
        raise InputError(
            f"{path} has {file.known:,} rows of {len(file.names)} columns; {MOST_BYTES:,} bytes are the most that is "
            "read: `rawstep shard` cuts it into what --stream reads."
        )
    parts = [*file.rows(AT_ONCE)]
    if not sum(map(len, parts)):
        raise InputError(f"{path} has no rows below the names of its {len(file.names)} columns.")
    return Table(path, file.names, np.concatenate(parts))


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no CSV file in UTF-8, nor a Parquet file: {error.reason}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
