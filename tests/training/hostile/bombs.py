"""Small files that claim, or unpack to, far more than they should; each read in a process whose memory is limited.

    python -m tests.training.hostile.bombs FOLDER

Prints a line of JSON for each: its size, the sentence that refuses it, and the memory that this took.
"""

import io
import json
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from ..workloads.data.idx_bytes import header
from .formats import FORMATS
from .judge import Damaged, peak_memory
from .writers import SPLITS, encoded, png_example, records, saved

MOST_DATA = 8 << 30
"""Bytes that the process may have of its own: a bomb that goes off ends it, and not the machine."""
MB = 1 << 20
ZEROS = 256 * MB


class Bomb(NamedTuple):
    """A file of a format of the harness.

    sentence: words that refuse it.
    allowed:  bytes of memory that its header allows, beyond what libraries take.
    """

    format: str
    content: Callable[[], bytes]
    sentence: str
    allowed: int = 0


def gzipped(beginning: bytes, zeros: int = ZEROS, wbits: int = 31) -> bytes:
    """`beginning` and that many zeros, at deflate's own best rate."""
    packer = zlib.compressobj(9, wbits=wbits)
    packed = packer.compress(beginning)
    for _ in range(zeros // MB):
        packed += packer.compress(bytes(MB))
    return packed + packer.flush()


def npy_header(*shape: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue()


def npz(x_train: bytes, **others: bytes) -> bytes:
    """With the good arrays beside it; entries that are deflated."""
    file = io.BytesIO()
    entries = {f"{name}.npy": saved(np.save, array) for name, array in SPLITS.items()}
    entries |= {"x_train.npy": x_train, **others}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def lying_npz(claimed: int) -> bytes:
    """Whose directory claims that many bytes for an entry of a few."""
    whole = npz(npy_header(claimed - 128))
    begin = whole.rindex(b"x_train.npy") - 46  # of its entry in the directory, which has the size at 24
    return whole[: begin + 24] + struct.pack("<I", claimed) + whole[begin + 28 :]


def overlapping_npz() -> bytes:
    """A trace of a hundred entries, all of which are one and the same 256 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a00.npy", npy_header(ZEROS) + bytes(ZEROS))
        (only,) = archive.infolist()
        archive.filelist += [_named(only, f"a{number:02d}.npy") for number in range(1, 100)]
        archive.NameToInfo |= {one.filename: one for one in archive.filelist}
    return file.getvalue()


def _named(entry: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    other = zipfile.ZipInfo(name, entry.date_time)
    for one in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits", "create_version"):
        setattr(other, one, getattr(entry, one))
    return other


def png(rows: int, columns: int, content: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@cache
def png_zeros(side: int) -> bytes:
    return png(side, side, gzipped(b"", side * (side + 1) // MB * MB + MB, wbits=15))


def png_record(content: bytes) -> bytes:
    import tensorflow as tf

    record = tf.train.Example.FromString(png_example())
    record.features.feature["image"].bytes_list.value[0] = content
    return records(record.SerializeToString())


def record_of(length: int) -> bytes:
    """A record that claims this length, with the checksum that this needs."""
    first = struct.pack("<Q", length)
    crc = crc32c(first)
    return first + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF) + bytes(64)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def long_table() -> bytes:
    """200 million rows of one number, in a few kilobytes."""
    rows = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**7, np.int8)), pa.array([1.5]))
    file = io.BytesIO()
    with parquet.ParquetWriter(file, pa.schema([("a", rows.type), ("b", rows.type)]), store_schema=False) as writer:
        for _ in range(20):
            writer.write_table(pa.table([rows, rows], ["a", "b"]))
    return file.getvalue()


BOMBS = {
    "gzip that goes on after what its header says": Bomb(
        "gzip", lambda: gzipped(header(10)), "must hold 10 bytes of data for its shape (10,), found more"
    ),
    "gzip that ends before": Bomb(
        "gzip", lambda: gzipped(header(ZEROS + 1)), f"must hold {ZEROS + 1:,} bytes of data", ZEROS
    ),
    "gzip whose header says more than it can unpack to": Bomb("gzip", lambda: gzipped(header(2**31, 2**31)), "claims"),
    "IDX of more than is read": Bomb(
        "gzip", lambda: gzipped(header(2**31 + 1), 0) + bytes(3 * MB), "are the most that is read"
    ),
    "npy of more than it is": Bomb("npy", lambda: npy_header(2**40), "must hold 1,099,511,627,776 bytes"),
    "npz whose array goes on": Bomb("npz", lambda: npz(npy_header(10) + bytes(ZEROS)), "must hold 10 bytes"),
    "npz whose array says more": Bomb("npz", lambda: npz(npy_header(2**40) + bytes(MB)), "must hold 1,099,511,627,776"),
    "npz whose directory says more": Bomb("npz", lambda: lying_npz(2**31), "must be stored or deflated as NumPy does"),
    "npz in an npz": Bomb("npz", lambda: npz(npz(npy_header(10) + bytes(ZEROS))), "the magic string is not correct"),
    "npz whose entries are one": Bomb("trace", overlapping_npz, "is damaged"),
    "PNG of more pixels than are read": Bomb("image", lambda: png_zeros(14_000), "decompression bomb"),
    "PNG that claims more": Bomb("image", lambda: png(2**30, 2**30, zlib.compress(b"")), "decompression bomb"),
    "PNG in a TFRecord": Bomb("TFRecord", lambda: png_record(png_zeros(14_000)), "decompression bomb"),
    "TFRecord longer than all memory": Bomb(
        "TFRecord", lambda: record_of(2**60), "must hold 1,152,921,504,606,846,976 bytes"
    ),
    "TFRecord longer than the file": Bomb("TFRecord", lambda: record_of(2**33), "must hold 8,589,934,592 bytes"),
    "Parquet of more rows than are read": Bomb("Parquet", long_table, "are the most that is read"),
}  # fmt: skip


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
    Image.open(io.BytesIO(encoded("PNG"))).load()
    for number, (name, bomb) in enumerate(BOMBS.items()):
        content = bomb.content()
        place = folder / str(number)
        damaged = Damaged(bomb.format, place)
        damaged.judge(FORMATS[bomb.format].seeds()[0])  # libraries take what they need
        damaged.path.write_bytes(content)
        peak = peak_memory()
        said = damaged.judge(content)
        print(json.dumps({"name": name, "bytes": len(content), "said": said, "memory": peak()}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
