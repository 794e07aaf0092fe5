"""Tables in CSV: text in UTF-8, with a comma, a semicolon or a tab between values."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError

from .columns import check_names, listed, refused

DELIMITERS = ",;\t"
MISSING = frozenset(["", "na", "n/a", "nan", "null", "none", "<na>"])
"""What stands for a missing value, in small letters, as pandas reads it."""


def csv_names(path: Path) -> list[str]:
    """Those in the first row. Raises InputError for names that cannot be, and UnicodeDecodeError and OSError."""
    with _opened(path) as rows:
        names = [name.strip() for name in next(rows, [])]
    check_names(path, names)
    if all(_is_number(name) or name.lower() in MISSING for name in names):  # some may be: pandas calls columns 0, 1, …
        raise InputError(f"{path} must name its columns in its first row, found numbers: {listed(names)}.")
    return names


def csv_rows(path: Path, names: Sequence[str], count: int) -> Iterator[np.ndarray]:
    """Numbers, float64 [rows, columns], this many rows at a time. Missing values are NaN."""
    start = 0
    with _opened(path) as rows:
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


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows, divided as fits the first two best."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        fits = {}
        for delimiter in DELIMITERS:
            file.seek(0)
            fits[delimiter] = _fit(csv.reader(file, delimiter=delimiter, strict=True))
        file.seek(0)
        yield _rows(path, csv.reader(file, delimiter=max(fits, key=lambda one: fits[one]), strict=True))


def _fit(reader: Any) -> tuple[bool, int]:
    """Whether the first two rows have as many values, more than one, and how many the first has; 0 where it cannot be
    divided so: a quote ends before a delimiter."""
    sizes = list[int]()
    with suppress(csv.Error):
        for row in islice(filter(None, reader), 2):
            sizes.append(len(row))
    return len(sizes) == 2 and 1 < sizes[0] == sizes[1], sum(sizes[:1])


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
        raise refused(path, name, row, repr(text))
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
