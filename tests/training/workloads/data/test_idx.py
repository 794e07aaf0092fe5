"""The IDX reader: it returns what was written, and no file, however made, brings it to anything but a sentence."""

import gzip
import random
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import InputError
from training.workloads.data.idx import MOST_BYTES, MOST_INFLATION, IdxFile

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


def zeros_gzipped(beginning, size):
    """A gzip bomb: `beginning` and that many zeros, at deflate's own best rate."""
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(beginning)
    for _ in range(size >> 20):
        packed += packer.compress(bytes(1 << 20))
    return packed + packer.flush()


def peak_memory(read):
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as error:
            read()
        return tracemalloc.get_traced_memory()[1], str(error.value)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("beginning", "announced", "sentence"),
    [
        (header(10), 10, "must hold 10 bytes of data for its shape (10,), found more"),
        (header(2**20, 2**20), 0, "claims"),
        (header(2**28 + 1), 2**28, "must hold 268,435,457 bytes of data"),
    ],
    ids=["says little", "says too much", "says almost what it is"],
)
def test_a_gzip_bomb_takes_no_memory_but_for_what_it_truly_holds_and_announces(path, beginning, announced, sentence):
    """256 MB from 0.26. The last is one byte short, which shows at its end only: what it announced, it did hold."""
    path.write_bytes(zeros_gzipped(beginning, 2**28))
    peak, said = peak_memory(lambda: IdxFile.of(path).read())
    assert sentence in said
    assert peak < announced + 8e6


def test_more_than_the_most_is_refused_before_it_is_unpacked(path):
    """It is honest, but nobody's data: its header is true to what it could unpack to."""
    path.write_bytes(gzipped(header(MOST_BYTES + 1)) + bytes(MOST_BYTES >> 10))
    peak, said = peak_memory(lambda: IdxFile.of(path))
    assert f"{MOST_BYTES:,} bytes are the most that is read" in said
    assert peak < 1e6


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled or put in: in most files the first ones, where the header is."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(len(content), chance.choice([4, 24, 10**6])) + 1)
        length = chance.choice([1, 1, 4, 50])
        new = chance.choice([chance.randbytes(length), b"", bytes(length), b"\xff" * length, content[place:] * 2])
        content = content[:place] + new + content[place + length * chance.randint(0, 1) :]
    return content


@given(array=arrays, packed=st.booleans(), seed=st.integers(0, 2**64))
def test_no_damage_brings_the_reader_to_anything_but_an_array_or_a_sentence(path, array, packed, seed):
    """Nor to more memory than the file could fill. `make fuzz` tries 100,000 files."""
    content, chance = idx(array), random.Random(seed)
    if packed and chance.random() < 0.5:
        content = damaged(gzipped(content), chance)
    elif packed:
        content = gzipped(damaged(content, chance))
    else:
        content = damaged(content, chance)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        read = IdxFile.of(path).read()
        assert read.size == 0 or read.nbytes < MOST_INFLATION * len(content)
    except InputError as error:
        assert str(error).startswith(f"{path} ")  # noqa: PT017 - either way is right
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_INFLATION * len(content) + 2e6
