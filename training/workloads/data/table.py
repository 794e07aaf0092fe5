"""A table of numbers in a CSV or Parquet file: its columns by name, each checked."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import InputError

from .idx import MOST_BYTES
from .npy import reason

PARQUET = b"PAR1"
"""How a Parquet file begins, whatever it is called."""
DELIMITERS = ",;\t"
MISSING = frozenset(["", "na", "n/a", "nan", "null", "none", "<na>"])
"""What stands for a missing value, in small letters, as pandas reads it."""


class Table(NamedTuple):
    """The columns of a file and their numbers, float64 [rows, columns]. Rows count from 1, after those of names."""

    path: Path
    names: Sequence[str]
    numbers: np.ndarray

    def place(self, name: str) -> int:
        """Of a column. Raises InputError where there is none of that name."""
        if name not in self.names:
            raise InputError(
                f"{self.path} has no column {name!r}; it has: {_listed(self.names)}.", name, known=self.names
            )
        return self.names.index(name)


def read_table(path: Path) -> Table:
    """The table in a CSV file, whose first row names the columns, or in a Parquet file.

    CSV is text in UTF-8, with a comma, a semicolon or a tab between values, whichever the first row has the most of.

    Raises InputError, naming the file, and the column and the row where there is one: for a file that cannot be read,
    columns without a name of their own, values that are missing, no numbers or not finite, and no rows at all.
    """
    if not path.is_file():
        raise InputError(f"{path} must be a CSV or Parquet file, found {'a folder' if path.exists() else 'nothing'}.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} has {path.stat().st_size:,} bytes; {MOST_BYTES:,} are the most that is read.")
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET)) == PARQUET
        names, columns = _of_parquet(path) if is_parquet else _of_csv(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no CSV file in UTF-8, nor a Parquet file: {error.reason}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    if not len(columns[0]):
        raise InputError(f"{path} has no rows below the names of its {len(names)} columns.")
    numbers = np.stack(columns, axis=1)
    for name, column in zip(names, columns, strict=True):
        if not (finite := np.isfinite(column)).all():
            row = int(np.argmin(finite))
            raise _refused(path, name, row, "a missing value" if np.isnan(column[row]) else str(column[row]))
    return Table(path, names, numbers)


def _of_csv(path: Path) -> tuple[list[str], list[np.ndarray]]:
    """Missing values are NaN."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        rows = _rows(path, csv.reader(file, delimiter=max(DELIMITERS, key=first.count), strict=True))
        names = [name.strip() for name in next(rows, [])]
        _check_names(path, names)
        if all(map(_is_number, names)):
            raise InputError(f"{path} must name its columns in its first row, found numbers: {_listed(names)}.")
        columns: list[list[float]] = [[] for _ in names]
        for number, row in enumerate(rows):
            if len(row) != len(names):
                raise InputError(
                    f"{path} must have {len(names)} values in each row, as its first one has names, found {len(row)} "
                    f"in row {number + 1:,}."
                )
            for name, column, text in zip(names, columns, row, strict=True):
                column.append(_number(path, name, number, text.strip()))
    return names, [np.array(column, float) for column in columns]


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


def _of_parquet(path: Path) -> tuple[list[str], list[np.ndarray]]:
    """Missing values are NaN."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path} is a Parquet file, which PyArrow reads: pip install 'rawstep[parquet]'.") from error
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            names = list(schema.names)
            _check_names(path, names)
            if rows * len(names) * 8 > MOST_BYTES:
                raise InputError(
                    f"{path} has {rows:,} rows of {len(names)} columns; {MOST_BYTES:,} bytes are the most that is read."
                )
            for field in schema:
                kinds = pyarrow.types
                if not (kinds.is_integer(field.type) or kinds.is_floating(field.type) or kinds.is_decimal(field.type)):
                    raise InputError(f"{path}: column {field.name} must hold numbers, found {field.type}.")
            table = file.read()
        return names, [table[name].cast(pyarrow.float64(), safe=False).to_numpy() for name in names]
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
