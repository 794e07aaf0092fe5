"""Arrays in one .npz file of NumPy's, as Keras keeps MNIST: x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from core.errors import InputError

from .npy import FAILURES, read_array, read_header, read_rows, reason


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
    def of(cls, path: Path, name: str) -> "NpzArray":
        """Raises InputError, naming the file and the array, where it lacks it, or holds no numbers of that name."""
        with _opened(path, name) as (stream, size):
            return cls(path, name, *read_header(stream, size, f"{path}, {name}"))

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
        with zipfile.ZipFile(path) as file:
            return [name.removesuffix(".npy") for name in file.namelist()]
    except (OSError, zipfile.BadZipFile):
        return []


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """The unpacked .npy of that name, and how many bytes it says it has."""
    try:
        with zipfile.ZipFile(path) as file:
            if f"{name}.npy" not in file.namelist():
                found = ", ".join(one.removesuffix(".npy") for one in file.namelist()) or "nothing"
                wanted = "x and y" if name in ("x", "y") else "x_train, y_train, x_test and y_test"
                raise InputError(f"{path} must hold the arrays {wanted}, found {found[:200]}.")
            with file.open(f"{name}.npy") as stream:
                yield stream, file.getinfo(f"{name}.npy").file_size
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is no .npz file, or a damaged one: {reason(error)}.") from error
    except (*FAILURES, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}, {name} cannot be read: {reason(error)}.") from error
