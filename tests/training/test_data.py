"""MNIST as it comes with the package, the IDX reader, and the sampler of batches."""

import gzip
import hashlib
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import InputError
from core.seeds import generator
from training.data import Sampler, load_mnist
from training.data.idx import read_idx


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def test_mnist_is_whole_and_in_the_notebook_s_split(mnist):
    assert [len(split.images) for split in mnist[:3]] == [55_000, 5_000, 10_000]
    assert [len(split.labels) for split in mnist[:3]] == [55_000, 5_000, 10_000]
    assert mnist.train.images.shape[1] == 784
    assert mnist.train.images.dtype == np.uint8
    assert mnist.classes == 10


def test_validation_images_are_the_first_of_the_training_file(mnist):
    """As in TensorFlow 1's read_data_sets; the first digit of MNIST's training file is a 5, then 0, 4, 1, 9."""
    assert mnist.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_validation_and_training_images_are_the_whole_file_once(mnist):
    """Would catch a split that overlaps, which shows in no accuracy."""
    folder = files("training.data") / "mnist"
    images = read_idx(folder / "train-images-idx3-ubyte.gz", dimensions=3).reshape(60_000, 784)
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz", dimensions=1)
    np.testing.assert_array_equal(np.concatenate([mnist.validation.images, mnist.train.images]), images)
    np.testing.assert_array_equal(np.concatenate([mnist.validation.labels, mnist.train.labels]), labels)


@pytest.mark.parametrize(
    "line",
    [
        line
        for line in (files("training.data") / "mnist" / "README.md").read_text().splitlines()
        if "ubyte.gz |" in line
    ],
)
def test_the_packaged_files_are_the_well_known_bytes(line):
    name, size, digest = (cell.strip() for cell in line.strip("|").split("|"))
    content = gzip.decompress((files("training.data") / "mnist" / name).read_bytes())
    assert len(content) == int(size.replace(",", ""))
    assert hashlib.sha256(content).hexdigest() == digest


def idx(shape, data, magic=b"\0\0\x08"):
    return magic + bytes([len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape) + data


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_reader_returns_what_was_written(tmp_path_factory, shape, random):
    data = random.randbytes(int(np.prod(shape)))
    path = tmp_path_factory.mktemp("idx") / "file.gz"
    path.write_bytes(gzip.compress(idx(shape, data)))
    array = read_idx(path, dimensions=len(shape))
    assert array.shape == tuple(shape)
    assert array.tobytes() == data


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"plain", "cannot be read as a gzipped IDX file"),
        (gzip.compress(idx([2], b"ab"))[:-9], "cannot be read as a gzipped IDX file"),
        (gzip.compress(b""), "found nothing"),
        (gzip.compress(idx([2], b"ab", magic=b"\0\0\x0d")), "must begin with 00 00 08 01"),
        (gzip.compress(idx([2, 1], b"ab")), "found 00 00 08 02"),
        (gzip.compress(idx([3], b"ab")), "must hold 11 bytes for its shape (3,), found 10"),
        (gzip.compress(idx([1], b"ab")), "must hold 9 bytes for its shape (1,), found 10"),
        (gzip.compress(idx([2], b"")[:6]), "must hold"),
    ],
)
def test_a_file_that_is_no_idx_file_is_refused_by_name(tmp_path, content, sentence):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_idx(path, dimensions=1)
    assert str(path) in str(error.value)
    assert sentence in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.gz cannot be read"):
        read_idx(tmp_path / "absent.gz", dimensions=1)


sizes = st.integers(1, 30).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


@given(sizes, st.integers(0, 10), st.lists(st.integers(0, 7), max_size=6))
def test_batches_are_permutations_laid_end_to_end(size_and_batch, seed, calls):
    """Would catch a remainder thrown away, one that is drawn twice, and a permutation repeated every epoch."""
    size, batch_size = size_and_batch
    sampler = Sampler(size, batch_size, seed)
    taken = [sampler.take(steps) for steps in calls]
    assert [batches.shape for batches in taken] == [(steps, batch_size) for steps in calls]
    sequence = np.concatenate([np.empty(0, np.int32), *(batches.ravel() for batches in taken)])
    random = generator(seed, "sampler")
    whole = [random.permutation(size) for _ in range(-(-len(sequence) // size))]
    np.testing.assert_array_equal(sequence, np.concatenate([np.empty(0), *whole])[: len(sequence)])


@given(sizes, st.integers(0, 10), st.integers(0, 9), st.integers(0, 9))
def test_how_the_steps_are_divided_into_calls_does_not_matter(size_and_batch, seed, first, second):
    divided, whole = Sampler(*size_and_batch, seed), Sampler(*size_and_batch, seed)
    np.testing.assert_array_equal(
        np.concatenate([divided.take(first), divided.take(second)]), whole.take(first + second)
    )


def test_two_epochs_are_two_orders():
    first, second = np.split(Sampler(100, 10).take(20), 2)
    assert sorted(first.ravel()) == sorted(second.ravel()) == list(range(100))
    assert np.any(first != second)


@pytest.mark.parametrize("batch_size", [0, -1, 11])
def test_a_batch_that_cannot_be_drawn_is_refused(batch_size):
    with pytest.raises(InputError, match=f"between 1 and the 10 examples there are, found {batch_size}"):
        Sampler(10, batch_size)


def test_generators_of_other_names_or_seeds_are_other_generators():
    draws = [generator(seed, name).integers(2**63) for seed in (0, 1) for name in ("weights", "sampler")]
    assert len(set(draws)) == 4
    assert generator(0, "weights").integers(2**63) == draws[0]
