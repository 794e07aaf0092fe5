"""A table of numbers in a CSV or Parquet file: its columns by name, each checked."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import InputError

from .idx import MOST_BYTES
from .npy import reason

PARQUET = b"PAR1"
"""How a Parquet file begins, whatever it is called."""
DELIMITERS = ",;\t"
AT_ONCE = 8_192
"""Rows that are read together."""
MISSING = frozenset(["", "na", "n/a", "nan", "null", "none", "<na>"])
"""What stands for a missing value, in small letters, as pandas reads it."""


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
            f"{table.path} has no column {name!r}; it has: {_listed(table.names)}.", name, known=table.names
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
                return cls(path, *_parquet_header(path))
            with _csv(path) as rows:
                return cls(path, _csv_names(path, rows), is_parquet=False)

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """Numbers, float64 [rows, columns], this many rows at a time.

        Raises InputError, naming the file, the column and the row, for values that are missing, no numbers or not
        finite.
        """
        start = 0
        with _failures_named(self.path):
            for numbers in _parquet_rows(self, count) if self.is_parquet else _csv_rows(self, count):
                for name, column in zip(self.names, numbers.T, strict=True):
                    if not (finite := np.isfinite(column)).all():
                        row = int(np.argmin(finite))
                        found = "a missing value" if np.isnan(column[row]) else str(column[row])
                        raise _refused(self.path, name, start + row, found)
                start += len(numbers)
                yield numbers


def read_table(path: Path) -> Table:
    """The table in a CSV file, whose first row names the columns, or in a Parquet file.

    CSV is text in UTF-8, with a comma, a semicolon or a tab between values, whichever the first row has the most of.

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


def check_deviation(column: str, least: float, most: float, deviation: float, rows: int) -> None:
    """Raises InputError for a column that has one value in all rows that are trained on, and for one that varies by
    less or more than float64 can square."""
    if least == most:
        raise InputError(
            f"{column} must vary, found {least:.6g} in all {rows:,} rows that are trained on; leave it out."
        )
    if not 0 < deviation < np.inf:
        raise InputError(
            f"{column} must have a deviation in float64, found values from {least:.6g} to {most:.6g}; put it in "
            "another unit."
        )


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no CSV file in UTF-8, nor a Parquet file: {error.reason}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error


@contextmanager
def _csv(path: Path) -> Iterator[Iterator[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        yield _rows(path, csv.reader(file, delimiter=max(DELIMITERS, key=first.count), strict=True))


def _csv_names(path: Path, rows: Iterator[list[str]]) -> list[str]:
    names = [name.strip() for name in next(rows, [])]
    _check_names(path, names)
    if all(map(_is_number, names)):
        raise InputError(f"{path} must name its columns in its first row, found numbers: {_listed(names)}.")
    return names


def _csv_rows(file: TableFile, count: int) -> Iterator[np.ndarray]:
    """Missing values are NaN."""
    path, names, start = file.path, file.names, 0
    with _csv(path) as rows:
        next(rows)
        while some := [*islice(rows, count)]:
            numbers = np.empty([len(some), len(names)])
            for number, row in enumerate(some):
                if len(row) != len(names):
                    raise InputError(
                        f"{path} must have {len(names)} values in each row, as its first one has names, found "
                        f"{len(row)} in row {start + number + 1:,}."
                    )
                numbers[number] = [
                    _number(path, name, start + number, text.strip()) for name, text in zip(names, row, strict=True)
                ]
            start += len(some)
            yield numbers


def _rows(path: Path, reader: Any) -> Iterator[list[str]]:
    """Those that are not empty, as a file's last line is."""
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise InputError(f"{path} is no CSV file: {error}, in line {reader.line_num:,}.") from error


def _number(path: Path, name: str, row: int, text: str) -> float:
    if text.lower() in MISSING:
        return np.nan
    if not _is_number(text):
        raise _refused(path, name, row, repr(text))
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _parquet_header(path: Path) -> tuple[list[str], bool, int]:
    """Names, that it is Parquet, and how many rows there are."""
    with _parquet(path) as (pyarrow, file):
        names = list(file.schema_arrow.names)
        _check_names(path, names)
        for field in file.schema_arrow:
            kinds = pyarrow.types
            if not (kinds.is_integer(field.type) or kinds.is_floating(field.type) or kinds.is_decimal(field.type)):
                raise InputError(f"{path}: column {field.name} must hold numbers, found {field.type}.")
        return names, True, file.metadata.num_rows


def _parquet_rows(table: TableFile, count: int) -> Iterator[np.ndarray]:
    """Missing values are NaN."""
    with _parquet(table.path) as (pyarrow, file):
        for batch in file.iter_batches(batch_size=count):
            columns = [
                batch.column(name).cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
                for name in table.names
            ]
            yield np.stack(columns, axis=1)


@contextmanager
def _parquet(path: Path) -> Iterator[tuple[Any, Any]]:
    """PyArrow, and a file that it has opened."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path} is a Parquet file, which PyArrow reads: pip install 'rawstep[parquet]'.") from error
    try:
        with parquet.ParquetFile(path) as file:
            yield pyarrow, file
    except pyarrow.ArrowException as error:
        raise InputError(f"{path} is no Parquet file, or a damaged one: {reason(error)}.") from error


def _check_names(path: Path, names: Sequence[str]) -> None:
    for place, name in enumerate(names, start=1):
        if not name or name.startswith("__index_level_"):
            raise InputError(
                f"{path} must have a name for each column, found {name or 'none'} for column {place}: an index is no "
                "measurement, and pandas leaves it out with index=False."
            )
        if names.index(name) != place - 1:
            raise InputError(f"{path} must have columns of different names, found {name} twice.")
    if not names:
        raise InputError(f"{path} must name its columns in its first row, found nothing.")


def _refused(path: Path, name: str, row: int, found: str) -> InputError:
    return InputError(f"{path}: column {name} must hold finite numbers, found {found} in row {row + 1:,}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
