"""The IDX format, in which MNIST and its relatives come.

Big-endian: two zero bytes, a type byte (0x08: unsigned byte), a byte with the number of dimensions, one 32-bit size
a dimension, then the data, last dimension fastest.
"""

import gzip
import math
import zlib
from importlib.resources.abc import Traversable

import numpy as np

from core.errors import InputError

UNSIGNED_BYTE = 0x08


def read_idx(path: Traversable, dimensions: int) -> np.ndarray:
    """The unsigned bytes of a gzipped IDX file, an array of that many dimensions.

    Raises InputError, naming the file, where it cannot be read or is not such a file, or is longer or shorter than
    its header says.
    """
    try:
        with path.open("rb") as file:
            content = gzip.decompress(file.read())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read as a gzipped IDX file: {error}.") from error
    header = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if content[:4] != header:
        raise InputError(
            f"{path} must begin with {header.hex(' ')} (IDX, unsigned bytes, {dimensions} dimensions), "
            f"found {content[:4].hex(' ') or 'nothing'}."
        )
    sizes_end = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(content[start : start + 4], "big") for start in range(4, sizes_end, 4))
    if len(content) != sizes_end + math.prod(shape):
        raise InputError(
            f"{path} must hold {sizes_end + math.prod(shape)} bytes for its shape {shape}, found {len(content)}."
        )
    return np.frombuffer(content, np.uint8, offset=sizes_end).reshape(shape)
