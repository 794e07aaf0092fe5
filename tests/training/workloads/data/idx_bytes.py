"""IDX files as the format's description has them, written by hand."""

import numpy as np

TYPE_BYTES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    """The content of an IDX file."""
    header = bytes([0, 0, TYPE_BYTES[array.dtype.str[1:]], array.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def header(*sizes: int, type_byte: int = 0x08) -> bytes:
    """A header alone, whatever it claims."""
    return bytes([0, 0, type_byte, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
