"""Tables in Parquet, which PyArrow reads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError

from .columns import check_names
from .npy import reason

PARQUET = b"PAR1"
"""How a Parquet file begins, whatever it is called."""
DAMAGE = (ValueError, TypeError, AttributeError, RecursionError)
"""What is raised beside for notes of pandas's that are damaged."""


def parquet_header(path: Path) -> tuple[list[str], int]:
    """Names, and how many rows there are. Raises InputError for columns that are none of a table of numbers."""
    with _parquet(path) as (pyarrow, file):
        names = list(file.schema_arrow.names)
        check_names(path, names)
        if indices := [name for name in _indices(file) if name in names]:
            raise InputError(
                f"{path} must have columns alone, found {indices[0]}, an index of pandas': index=False leaves it out, "
                "and reset_index() makes a column of it."
            )
        for field in file.schema_arrow:
            kinds = pyarrow.types
            if not (kinds.is_integer(field.type) or kinds.is_floating(field.type) or kinds.is_decimal(field.type)):
                raise InputError(f"{path}: column {field.name} must hold numbers, found {field.type}.")
        return names, file.metadata.num_rows


def parquet_rows(path: Path, names: Sequence[str], count: int) -> Iterator[np.ndarray]:
    """Numbers, float64 [rows, columns], this many rows at a time. Missing values are NaN."""
    with _parquet(path) as (pyarrow, file):
        for batch in file.iter_batches(batch_size=count):
            columns = [
                batch.column(name).cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False) for name in names
            ]
            yield np.stack(columns, axis=1)


def _indices(file: Any) -> Sequence[Any]:
    """Names of columns that pandas wrote for an index; of one that is a range, what it is, which is no column."""
    return (file.schema_arrow.pandas_metadata or {}).get("index_columns", ())


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
    except (InputError, OSError):
        raise
    except (pyarrow.ArrowException, *DAMAGE) as error:
        raise InputError(f"{path} is no Parquet file, or a damaged one: {reason(error)}.") from error
