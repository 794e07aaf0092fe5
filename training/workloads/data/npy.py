"""NumPy's own format, .npy: an array's header, checked before memory is taken, and the array."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from core.errors import InputError

from .idx import MOST_BYTES, rows_in

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
FAILURES = (OSError, EOFError, ValueError, SyntaxError, TokenError, RecursionError)
"""What NumPy raises for a header or data that it cannot read."""
NUMBERS = "biufc"
"""NumPy's kinds of them."""


@dataclass(frozen=True)
class NpyFile:
    """A .npy file whose header is read and true: the file holds as many bytes as it says.

        NpyFile.of(path).read()

    No array of Python's objects is read: they could run code.
    """

    path: Path
    dtype: np.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> "NpyFile":
        """Raises InputError, naming the file, where it cannot be read, or holds no numbers or not as many as it
        says."""
        if not path.is_file():
            raise InputError(f"{path} is {'no file' if path.exists() else 'not there'}.")
        try:
            with path.open("rb") as stream:
                return cls(path, *read_header(stream, path.stat().st_size, path))
        except InputError:
            raise
        except FAILURES as error:
            raise InputError(f"{path} is no .npy file, or a damaged one: {reason(error)}.") from error

    def __str__(self) -> str:
        return str(self.path)

    @property
    def short(self) -> str:
        return self.path.name

    def read(self) -> np.ndarray:
        """The array, in this machine's byte order. Raises InputError, naming the file, where it cannot be read."""
        try:
            with self.path.open("rb") as stream:
                return read_array(stream, self)
        except InputError:
            raise
        except FAILURES as error:
            raise InputError(f"{self.path} cannot be read: {reason(error)}.") from error

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """The array, this many examples at a time. Raises as `read` does."""
        try:
            with self.path.open("rb") as stream:
                yield from read_rows(stream, self, count)
        except FAILURES as error:
            raise InputError(f"{self.path} cannot be read: {reason(error)}.") from error


def read_header(stream: IO[bytes], size: int, where: object, kinds: str = NUMBERS) -> tuple[np.dtype, tuple[int, ...]]:
    """The dtype and shape of the array in a stream, of which `size` bytes are there, in the header's too.

    kinds: NumPy's that it may be of.

    Raises InputError, naming `where` it is, for what is no array of numbers, or not of as many bytes as its header
    says; and what NumPy raises.
    """
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise InputError(f"{where}: version {version} of NumPy's format is not read.")
    shape, _, dtype = HEADERS[version](stream)
    held, sizes = size - stream.tell(), tuple(map(int, shape))
    if dtype.kind not in kinds:
        raise InputError(f"{where} must hold numbers, found {shortened(dtype)}.")
    claimed = math.prod(sizes) * dtype.itemsize
    if min(sizes, default=0) < 0 or claimed != held:
        raise InputError(f"{where} must hold {claimed:,} bytes for its shape {shortened(sizes)}, found {held:,}.")
    return dtype, sizes


def read_array(stream: IO[bytes], where: object) -> np.ndarray:
    """The array whose header `read_header` has found to be true, in this machine's byte order, last axis fastest.

    Raises InputError, naming `where` it is, for one that is too large to be held, and what NumPy raises.
    """
    begin = stream.tell()
    shape, _, dtype = HEADERS[npy.read_magic(stream)](stream)
    if math.prod(map(int, shape)) * dtype.itemsize > MOST_BYTES:
        raise InputError(
            f"{where} has the shape {tuple(map(int, shape))}; {MOST_BYTES:,} bytes are the most that is read: "
            "`rawstep shard` cuts it into what --stream reads."
        )
    stream.seek(begin)
    array = np.asarray(npy.read_array(stream, allow_pickle=False), order="C")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def read_rows(stream: IO[bytes], where: object, count: int) -> Iterator[np.ndarray]:
    """The same, this many examples at a time; one whose first axis is fastest is read whole for that."""
    begin = stream.tell()
    shape, fortran, dtype = HEADERS[npy.read_magic(stream)](stream)
    if fortran:
        stream.seek(begin)
        array = read_array(stream, where)
        yield from (array[start : start + count] for start in range(0, len(array), count))
    else:
        yield from rows_in(stream, dtype, tuple(map(int, shape)), where, count)


def shortened(found: object) -> str:
    """What was found, as a part of a sentence: a damaged header may claim structures of any length."""
    text = str(found)
    return text if len(text) <= 200 else f"{text[:200]}…"


def reason(error: Any) -> str:
    """What another's exception says, as a part of a sentence."""
    said = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
    return shortened(said) or type(error).__name__
