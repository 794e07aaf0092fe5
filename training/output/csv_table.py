"""Tables as comma-separated values, for spreadsheets and data frames: the numbers of a JSON record, a row each."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from .files import write_whole


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line of column names, and a line for each row, as RFC 4180 describes it but with line feeds alone.

    rows: as in a JSON record. A mapping within a row becomes a column for each of its values: {"cost": {"low": 1}}
    becomes cost_low. The columns are those of all rows, in the order in which they first appear. A number keeps all of
    its digits; a value that a row lacks, None, and a number that is not finite, which JSON has no form for, are empty.
    """
    flat = [dict(_flat(row)) for row in rows]
    columns = dict.fromkeys(name for row in flat for name in row)
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(flat)
    return text.getvalue()


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes a table whole or not at all. Raises InputError where the file cannot be written."""
    write_whole(path, csv_text(rows).encode())


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", "" if isinstance(value, Real) and not math.isfinite(value) else value
