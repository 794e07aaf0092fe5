"""The IDX reader: it returns what was written, and refuses what is not what it claims; `hostile` has it fuzzed."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import InputError
from training.workloads.data.idx import MOST_BYTES, IdxFile

from .idx_bytes import TYPE_BYTES, header, idx

arrays = hnp.arrays(
    st.sampled_from([np.dtype(name) for name in TYPE_BYTES]),
    hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file"


@given(array=arrays, packed=st.booleans())
def test_the_reader_returns_what_was_written(path, array, packed):
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    read = IdxFile.of(path).read()
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()


def test_the_description_s_own_example_is_read(path):
    """Would catch a writer and a reader here that are wrong alike: these bytes are spelt out."""
    path.write_bytes(bytes.fromhex("00000c02 00000002 00000003 00000001 00000002 ffffffff 00010000 7fffffff 80000000"))
    np.testing.assert_array_equal(IdxFile.of(path).read(), [[1, 2, -1], [65536, 2**31 - 1, -(2**31)]])


ABC = idx(np.frombuffer(b"abc", np.uint8))


def gzipped(content):
    """Without the time: bytes that name a test are the same in all processes that collect it."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"plain text", "begins with 70 6c 61 69"),
        (b"\0\0\x0a\x01" + ABC[4:], "begins with 00 00 0a 01"),
        (ABC[:6], "its header claims 1 dimensions"),
        (bytes([0, 0, 8, 200]) + bytes(800), "its header claims 200 dimensions"),
        (ABC[:-1], "must hold 11 bytes for its shape (3,), found 10"),
        (ABC + b"d", "must hold 11 bytes for its shape (3,), found 12"),
        (gzipped(ABC[:-1]), "must hold 3 bytes of data for its shape (3,), found 2"),
        (gzipped(ABC + b"d"), "must hold 3 bytes of data for its shape (3,), found more"),
        (gzipped(ABC)[:-9], "cannot be read: Compressed file ended before"),
        (gzipped(ABC)[:-8] + bytes(8), "cannot be read: CRC check failed"),
        (gzipped(ABC)[:12] + b"x" + gzipped(ABC)[13:], "cannot be read: "),
        (gzipped(ABC) + b"garbage", "cannot be read: Not a gzipped file"),
        (header(2**31), f"must hold {2**31 + 8:,} bytes"),
        (header(2**32 - 1, 2**32 - 1, type_byte=0x0E), "found 12"),
        (header(2**32 - 1, 2**32 - 1, 0), f"{MOST_BYTES:,} bytes are the most that is read"),
        (gzipped(header(2**31) + bytes(100)), f"claims {2**31 + 8:,} bytes for its shape"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_claims_is_refused_by_name(path, content, sentence):
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        IdxFile.of(path).read()
    assert str(error.value).startswith(f"{path} ")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("make", "sentence"), [(lambda p: None, "is not there"), (lambda p: p.mkdir(), "is no file")])
def test_what_is_no_file_is_named(tmp_path, make, sentence):
    make(tmp_path / "absent")
    with pytest.raises(InputError, match=f"absent {sentence}"):
        IdxFile.of(tmp_path / "absent")
