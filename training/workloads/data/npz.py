"""Labelled images in one .npz file of NumPy's, as Keras keeps MNIST: x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from core.errors import InputError

from .idx import MOST_BYTES

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True)
class NpzArray:
    """An array in a .npz file, whose header is read and true: the file holds as many bytes as it says.

        NpzArray.of(path, "x_train").read()

    No array of Python's objects is read: they could run code.
    """

    path: Path
    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, name: str) -> "NpzArray":
        """Raises InputError, naming the file and the array, where it lacks it, or holds no numbers of that name."""
        with _opened(path, name) as (stream, size):
            version = npy.read_magic(stream)
            if version not in HEADERS:
                raise InputError(f"{path}, {name}: version {version} of NumPy's format is not read.")
            shape, _, dtype = HEADERS[version](stream)
            held = size - stream.tell()
        array = cls(path, name, dtype, shape)
        if dtype.kind not in "biufc":
            raise InputError(f"{array} must hold numbers, found {dtype}.")
        claimed = int(np.prod([1, *map(int, shape)], dtype=object)) * dtype.itemsize
        if claimed != held:
            raise InputError(f"{array} must hold {claimed:,} bytes for its shape {shape}, found {held:,}.")
        if held > MOST_BYTES:
            raise InputError(f"{array} has the shape {shape}; {MOST_BYTES:,} bytes are the most that is read.")
        return array

    def __str__(self) -> str:
        return f"{self.path}, {self.name}"

    @property
    def short(self) -> str:
        return self.name

    def read(self) -> np.ndarray:
        """The array, in this machine's byte order. Raises InputError, naming it, where it cannot be unpacked."""
        with _opened(self.path, self.name) as (stream, _):
            array = np.ascontiguousarray(npy.read_array(stream, allow_pickle=False))
        return array.astype(array.dtype.newbyteorder("="), copy=False)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """The unpacked .npy of that name, and how many bytes it says it has."""
    try:
        with zipfile.ZipFile(path) as file:
            if f"{name}.npy" not in file.namelist():
                found = ", ".join(one.removesuffix(".npy") for one in file.namelist()) or "nothing"
                raise InputError(
                    f"{path} must hold the arrays x_train, y_train, x_test and y_test, found {found[:200]}."
                )
            with file.open(f"{name}.npy") as stream:
                yield stream, file.getinfo(f"{name}.npy").file_size
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is no .npz file, or a damaged one: {_said(error)}.") from error
    except (OSError, EOFError, ValueError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}, {name} cannot be read: {_said(error)}.") from error


def _said(error: Any) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".") or type(error).__name__
