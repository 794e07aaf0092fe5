"""The columns of a table: their names, and numbers that cannot be used."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InputError

INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+")
"""What pandas calls an index, or a column without a name, that it wrote."""


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


def check_names(path: Path, names: Sequence[str]) -> None:
    for place, name in enumerate(names, start=1):
        if not name or INDEX.match(name):
            raise InputError(
                f"{path} must have a name for each column, found {name or 'none'} for column {place}: an index is no "
                "measurement, and pandas leaves it out with index=False."
            )
        if names.index(name) != place - 1:
            raise InputError(f"{path} must have columns of different names, found {name} twice.")
    if not names:
        raise InputError(f"{path} must name its columns in its first row, found nothing.")


def refused(path: Path, name: str, row: int, found: str) -> InputError:
    return InputError(f"{path}: column {name} must hold finite numbers, found {found} in row {row + 1:,}.")


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
