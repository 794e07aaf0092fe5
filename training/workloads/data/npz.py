"""Arrays in one .npz file of NumPy's, as Keras keeps MNIST: x_train, y_train, x_test and y_test."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

from core.errors import InputError

from .idx import MOST_BYTES, MOST_INFLATION
from .npy import FAILURES, NUMBERS, read_array, read_header, read_rows, reason

PACKED = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MOST_INFLATION}
"""The ways in which NumPy packs arrays, and what a byte of each may unpack to."""
ZIP_FAILURES = (*FAILURES, zlib.error, NotImplementedError, RuntimeError)
"""What is raised for a file that is like a zip file."""


@dataclass(frozen=True)
class NpzArray:
    """An array in a .npz file, whose header is read and true; see `npy.NpyFile`.

    NpzArray.of(path, "x_train").read()
    """

    path: Path
    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, name: str, kinds: str = NUMBERS) -> "NpzArray":
        """Raises InputError, naming the file and the array, where it lacks it, or holds no numbers of that name.

        kinds: NumPy's that it may be of.
        """
        with _opened(path, name) as (stream, size):
            return cls(path, name, *read_header(stream, size, f"{path}, {name}", kinds))

    def __str__(self) -> str:
        return f"{self.path}, {self.name}"

    @property
    def short(self) -> str:
        return self.name

    def read(self) -> np.ndarray:
        """The array, in this machine's byte order. Raises InputError, naming it, where it cannot be unpacked."""
        with _opened(self.path, self.name) as (stream, _):
            return read_array(stream, self)

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """The array, this many examples at a time. Raises as `read` does."""
        with _opened(self.path, self.name) as (stream, _):
            yield from read_rows(stream, self, count)


def npz_names(path: Path) -> list[str]:
    """Of the arrays in a file; none of a file that is no .npz file, which `NpzArray.of` says."""
    try:
        with zipfile.ZipFile(path if path.is_file() else BytesIO()) as file:
            return [name.removesuffix(".npy") for name in file.namelist()]
    except (zipfile.BadZipFile, *ZIP_FAILURES):
        return []


def npz_arrays(path: Path, kinds: str = NUMBERS) -> dict[str, np.ndarray]:
    """All arrays of a file, by their names; kinds: those of NumPy's that they may be of.

    Raises InputError, naming the file, where one cannot be read, and for more than is read at once in all of them.
    """
    if not path.is_file():
        raise InputError(f"{path} is {'no file' if path.exists() else 'not there'}.")
    if not (names := npz_names(path)):
        raise InputError(f"{path} is no .npz file, or a damaged one.")
    arrays = [NpzArray.of(path, name, kinds) for name in names]
    if (size := sum(math.prod(array.shape) * array.dtype.itemsize for array in arrays)) > MOST_BYTES:
        raise InputError(f"{path} has {size:,} bytes of arrays; {MOST_BYTES:,} are the most that is read.")
    return {array.name: array.read() for array in arrays}


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """The unpacked .npy of that name, and how many bytes it says it has."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file.")
    try:
        with zipfile.ZipFile(path) as file:
            if f"{name}.npy" not in file.namelist():
                found = ", ".join(one.removesuffix(".npy") for one in file.namelist()) or "nothing"
                wanted = "x and y" if name in ("x", "y") else "x_train, y_train, x_test and y_test"
                raise InputError(f"{path} must hold the arrays {wanted}, found {found[:200]}.")
            info = file.getinfo(f"{name}.npy")
            packed = min(info.compress_size, path.stat().st_size)
            if info.compress_type not in PACKED or info.file_size > packed * PACKED[info.compress_type]:
                raise InputError(
                    f"{path}, {name} must be stored or deflated as NumPy does it, found {info.file_size:,} bytes in "
                    f"{packed:,}."
                )
            with file.open(info) as stream:
                yield stream, info.file_size
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is no .npz file, or a damaged one: {reason(error)}.") from error
    except ZIP_FAILURES as error:
        raise InputError(f"{path}, {name} cannot be read: {reason(error)}.") from error
