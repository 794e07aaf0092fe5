"""The IDX format, in which MNIST and its relatives come, plain or gzipped.

Big-endian: two zero bytes, a type byte, a byte with the number of dimensions, one 32-bit size a dimension, then the
data, last dimension fastest.
"""

import gzip
import io
import math
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"
MOST_BYTES = 1 << 31
"""What one file may unpack to. The largest of MNIST's relatives, EMNIST by class, has 0.55e9 bytes of images."""
MOST_INFLATION = 1032
"""No deflated byte becomes more (zlib's technical notes, "Maximum Compression Factor")."""
MOST_DIMENSIONS = 64
"""NumPy's own limit."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class IdxFile:
    """An IDX file, plain or gzipped (its first bytes show which), of any type and number of dimensions.

        IdxFile.of(path).read()

    Two steps, so that files can be compared before memory is taken for any. `of` reads the header, and checks that it
    can be true: that the file is as long as it says, or may unpack to that.
    """

    path: Path
    dtype: np.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> "IdxFile":
        """Raises InputError, naming the file, where it cannot be read, is no IDX file, or is not as long as it says."""
        with _opened(path) as (stream, stored, packed):
            magic = stream.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
                raise InputError(f"{path} is no IDX file: it begins with {magic.hex(' ') or 'nothing'}.")
            dimensions = magic[3]
            sizes = stream.read(4 * dimensions)
        if len(sizes) < 4 * dimensions or dimensions > MOST_DIMENSIONS:
            raise InputError(f"{path} is no IDX file: its header claims {dimensions} dimensions.")
        file = cls(path, np.dtype(TYPES[magic[2]]), tuple(np.frombuffer(sizes, ">u4").tolist()))
        size = file.header_bytes + file.data_bytes
        if packed and size > MOST_INFLATION * stored:
            raise InputError(f"{path} claims {size:,} bytes for its shape {file.shape}, found {stored:,} gzipped ones.")
        if not packed and size != stored:
            raise InputError(f"{path} must hold {size:,} bytes for its shape {file.shape}, found {stored:,}.")
        if math.prod(max(size, 1) for size in file.shape) * file.dtype.itemsize > MOST_BYTES:
            raise InputError(f"{path} has the shape {file.shape}; {MOST_BYTES:,} bytes are the most that is read.")
        return file

    def __str__(self) -> str:
        return str(self.path)

    @property
    def short(self) -> str:
        return self.path.name

    @property
    def header_bytes(self) -> int:
        return 4 + 4 * len(self.shape)

    @property
    def data_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """The array, in this machine's byte order.

        Memory is filled as data come, never beyond what the header says.

        Raises InputError, naming the file, where it cannot be unpacked, or to less or more than its header says.
        """
        data = np.empty(self.data_bytes, np.uint8)
        filled = 0
        with _opened(self.path) as (stream, _, _):
            stream.read(self.header_bytes)
            while chunk := stream.read(min(CHUNK, len(data) - filled)):
                data[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
                filled += len(chunk)
            more = stream.read(1)
        if filled < len(data) or more:
            found = "more" if more else f"{filled:,}"
            raise InputError(
                f"{self.path} must hold {len(data):,} bytes of data for its shape {self.shape}, found {found}."
            )
        array = data.view(self.dtype).reshape(self.shape)
        return array if self.dtype.isnative else array.byteswap(inplace=True).view(self.dtype.newbyteorder("="))

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """The array, this many examples at a time. Raises as `read` does."""
        with _opened(self.path) as (stream, _, _):
            stream.read(self.header_bytes)
            yield from rows_in(stream, self.dtype, self.shape, self, count)


def rows_in(stream: Any, dtype: np.dtype, shape: Sequence[int], where: object, count: int) -> Iterator[np.ndarray]:
    """An array whose data a stream has, last axis fastest, this many examples at a time, in this machine's byte order.

    Raises InputError, naming `where` it is, for fewer data and for more.
    """
    row = math.prod(shape[1:]) * dtype.itemsize
    for start in range(0, shape[0], count):
        rows = min(count, shape[0] - start)
        data = bytearray(stream.read(rows * row))
        if len(data) < rows * row:
            raise InputError(
                f"{where} must hold {shape[0] * row:,} bytes of data for its shape {tuple(shape)}, found "
                f"{start * row + len(data):,}."
            )
        array = np.frombuffer(data, dtype).reshape(rows, *shape[1:])
        yield array if dtype.isnative else array.astype(dtype.newbyteorder("="))
    if stream.read(1):  # at the end, gzip and zip compare their checksums too
        raise InputError(
            f"{where} must hold {shape[0] * row:,} bytes of data for its shape {tuple(shape)}, found more."
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[io.BufferedIOBase, int, bool]]:
    """The unpacked content of a file as a stream, the file's own size in bytes, and whether it is gzipped."""
    try:
        if not path.is_file():
            raise InputError(f"{path} is {'no file' if path.exists() else 'not there'}.")
        with path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if packed else file, os.fstat(file.fileno()).st_size, packed
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}.") from error
