"""Images in every format, each from a file that another tool wrote: NumPy, idx2numpy, PyTorch, Keras and Pillow."""

import gzip
import tracemalloc

import idx2numpy
import keras
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.preprocessing import scale

from core import InputError
from training.workloads.data import Form, load_dataset
from training.workloads.data.files import ARRAYS
from training.workloads.data.npy import NpyFile
from training.workloads.data.sources import source_of
from training.workloads.mlp import MLP

DIGITS = load_digits()
BYTES, LABELS = (DIGITS.images[:60] * 15).astype(np.uint8), DIGITS.target[:60]
"""Handwritten digits of 8×8 pixels, of which the first 48 are trained on."""
UNIT = (DIGITS.images[:60] / 16).astype(np.float32)
STANDARDISED = scale(DIGITS.data[:60]).reshape(60, 8, 8)
IDX_NAMES = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")


def arrays(images, labels=LABELS):
    return dict(zip(ARRAYS, (images[:48], labels[:48], images[48:], labels[48:]), strict=True))


def npz(folder, images, labels=LABELS, save=np.savez_compressed):
    save(folder / "data.npz", **arrays(images, labels))
    return folder / "data.npz"


def npy(folder, images, labels=LABELS):
    for name, array in arrays(images, labels).items():
        np.save(folder / f"{name}.npy", array)
    return folder


def idx(folder, images, labels=LABELS, before="", kind="ubyte"):
    """Gzipped, as EMNIST's are; IDX has no integers of 8 bytes."""
    labels = labels.astype(np.int32) if labels.dtype.itemsize == 8 else labels
    names = [name.replace("idx3", f"idx{images.ndim}") for name in IDX_NAMES]
    for name, array in zip(names, arrays(images, labels).values(), strict=True):
        with gzip.open(folder / f"{before}{name}-{kind}.gz", "wb", compresslevel=1) as file:
            idx2numpy.convert_to_file(file, array)
    return folder


def by_pytorch(folder, _):
    """As one keeps the tensors of a loader whose transform is ToTensor, without their axis of one colour."""
    return npy(folder, torch.tensor(UNIT).numpy(), torch.tensor(LABELS).numpy())


def by_keras(folder, images):
    """Pictures that Pillow wrote and Keras reads, which are float32 from 0 to 255 with an axis of one colour."""
    read = []
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
        read.append(keras.utils.img_to_array(keras.utils.load_img(folder / f"{number}.png", color_mode="grayscale")))
    return npz(folder, np.stack(read), keras.utils.to_categorical(LABELS).argmax(axis=1, keepdims=True))


WRITTEN = {
    "bytes, .npy": (npy, BYTES, None, BYTES),
    "bytes, .npz": (npz, BYTES, "bytes", BYTES),
    "bytes, IDX": (idx, BYTES, None, BYTES),
    "bytes in float32, Keras": (by_keras, BYTES, "bytes", BYTES.astype(np.float32)),
    "bytes in float64, IDX": (idx, BYTES.astype(float), "bytes", BYTES.astype(np.float32)),
    "unit float32, PyTorch": (by_pytorch, UNIT, "unit", UNIT),
    "unit float16, .npz": (npz, UNIT.astype(np.float16), "unit", UNIT),
    "unit float32, IDX": (idx, UNIT, "unit", UNIT),
    "unit, big-endian columns first": (npy, np.asfortranarray(UNIT.astype(">f8")), "unit", UNIT),
    "standardised float64, .npy": (npy, STANDARDISED, "standardised", STANDARDISED.astype(np.float32)),
    "standardised float64, IDX": (idx, STANDARDISED, "standardised", STANDARDISED.astype(np.float32)),
}


@pytest.mark.parametrize(("write", "images", "pixels", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_images_that_another_tool_wrote_are_read_as_they_are(tmp_path, write, images, pixels, expected):
    """Would catch bytes in the wrong order, floats that are scaled on reading, and images beside others' labels.

    The digits are multiples of 1/16, which float16 holds too.
    """
    found = load_dataset(write(tmp_path, images), "first", form=Form(pixels))
    read = np.concatenate([found.validation.images, found.train.images, found.test.images])
    np.testing.assert_array_equal(read, expected.reshape(60, 64), strict=True)
    read = np.concatenate([found.validation.labels, found.train.labels, found.test.labels])
    np.testing.assert_array_equal(read, LABELS.astype(np.uint8), strict=True)


INTEGERS = ["u1", "i1", "i2", "i4", ">u2", "u4", ">i8", "u8"]


@pytest.mark.parametrize(
    ("write", "dtype"),
    [(npz, one) for one in INTEGERS] + [(npy, one) for one in INTEGERS] + [(idx, one) for one in INTEGERS[:4]],
)
def test_labels_of_every_integer_type_are_read_as_a_row_and_as_a_column(tmp_path, write, dtype):
    for labels in (LABELS.astype(dtype), LABELS.astype(dtype)[:, np.newaxis]):
        found = load_dataset(write(tmp_path, BYTES, labels), "first")
        np.testing.assert_array_equal(found.test.labels, LABELS[48:].astype(np.uint8), strict=True)


@pytest.mark.parametrize("write", [npz, npy, idx])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_transposed_images_are_those_that_pillow_transposes(tmp_path, write, colours):
    """Would catch a rotation, which is no transposition, colours that are mixed, sides that are not exchanged, and a
    split that is left as it is: the tests of IDX files, or the validation of a folder of its own."""
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 7, *colours)).astype(np.uint8)
    (tmp_path / "valid").mkdir()
    names = [f"valid-{name}" for name in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    for name, kind, array in zip(names, "xy", (images[:9], LABELS[:9].astype(np.uint8)), strict=True):
        if write is idx:
            idx2numpy.convert_to_file(str(tmp_path / "valid" / name.replace("idx3", f"idx{images.ndim}")), array)
        else:
            np.save(tmp_path / "valid" / f"{kind}_valid.npy", array)
    found = load_dataset(write(tmp_path, images), str(tmp_path / "valid"), form=Form(transpose=True))
    turned = np.stack([np.asarray(Image.fromarray(one).transpose(Image.Transpose.TRANSPOSE)) for one in images])
    assert found.side == (7, 4, *colours)
    for split, expected in zip(found[:3], (turned[:48], turned[:9], turned[48:]), strict=True):
        np.testing.assert_array_equal(split.images.reshape(-1, 7, 4, *colours), expected)


def test_one_set_is_taken_of_a_folder_like_emnist_s(tmp_path):
    """Would catch images of one set with the labels of another: their labels differ by one."""
    for before, more in (("emnist-letters-", 1), ("emnist-balanced-", 0), ("emnist-byclass-", 2)):
        idx(tmp_path, BYTES, (LABELS + more).astype(np.uint8), before)
    for subset in ("letters", "emnist-letters"):
        found = load_dataset(tmp_path, "first", subset=subset)
        np.testing.assert_array_equal(found.test.labels, LABELS[48:] + 1)
        assert len(found.train.images) == 44
    sets = "emnist-balanced, emnist-byclass, emnist-letters"
    with pytest.raises(InputError, match=f"has 3 sets, of which --subset must name one: {sets}"):
        load_dataset(tmp_path)
    for subset in ("digits", "etters", ""):
        with pytest.raises(InputError, match=f"has no train images of '{subset}', found {sets}"):
            load_dataset(tmp_path, subset=subset)
    with pytest.raises(InputError, match=r"--subset is for a folder with the IDX files of several sets, found .*\.npz"):
        load_dataset(npz(tmp_path, BYTES), subset="letters")
    with pytest.raises(InputError, match="has no train images of 'letters', found one without a name"):
        load_dataset(None, subset="letters")
    with pytest.raises(InputError, match=r"--subset is one of the sets in a folder: give --data-dir DIR\."):
        MLP(subset="letters")
    with pytest.raises(InputError, match=r"x_train\.npy is one array: give the folder of x_train\.npy, y_train\.npy"):
        load_dataset(npy(tmp_path, BYTES) / "x_train.npy")


def test_validation_may_be_two_npy_files(tmp_path):
    (tmp_path / "valid").mkdir()
    np.save(tmp_path / "valid" / "x_valid.npy", UNIT[:5])
    np.save(tmp_path / "valid" / "y_valid.npy", LABELS[:5])
    found = load_dataset(npy(tmp_path, UNIT), str(tmp_path / "valid"), form=Form("unit"))
    assert [len(part.images) for part in found[:3]] == [48, 5, 12]
    np.testing.assert_array_equal(found.validation.images, UNIT[:5].reshape(5, 64))


@pytest.mark.parametrize("part", ["val", "validation"])
@pytest.mark.parametrize("folder", [False, True])
def test_arrays_for_validation_are_used_and_said(tmp_path, part, folder):
    """Would catch a twelfth of the training images that is drawn in their place, in shards too."""
    own = arrays(BYTES) | {f"x_{part}": BYTES[:7], f"y_{part}": LABELS[:7]}
    np.savez(tmp_path / "data.npz", **own)
    (tmp_path / "data").mkdir()
    for name, array in own.items():
        np.save(tmp_path / "data" / f"{name}.npy", array)
    place = tmp_path / ("data" if folder else "data.npz")
    found = load_dataset(place)
    assert [len(split.images) for split in found[:3]] == [48, 7, 12]
    np.testing.assert_array_equal(found.validation.images, BYTES[:7].reshape(7, 64))
    x, y = (f"{kind}_{part}{'.npy' if folder else ''}" for kind in "xy")
    assert (found.split, found.notes[0]) == (f"{x} and {y}", f"{x} and {y} are the validation")
    other = load_dataset(place, "4")
    assert len(other.validation.images) == 4
    assert other.notes[0] == f"{x} and {y} are not used, since --validation is 4"
    assert [piece.examples for piece in source_of([place], None, None).parts["validation"]] == [7]


def test_half_of_a_validation_and_two_of_them_are_refused(tmp_path):
    np.savez(tmp_path / "half.npz", **arrays(BYTES), y_val=LABELS)
    with pytest.raises(InputError, match=r"half\.npz must have x_val and y_val, found y_val alone"):
        load_dataset(tmp_path / "half.npz")
    two = {f"{kind}_{part}": of[:3] for kind, of in (("x", BYTES), ("y", LABELS)) for part in ("val", "valid")}
    np.savez(tmp_path / "two.npz", **arrays(BYTES), **two)
    with pytest.raises(InputError, match=r"two\.npz must have one pair for validation, found x_val and x_valid"):
        load_dataset(tmp_path / "two.npz")


def test_images_of_one_set_are_not_taken_with_labels_or_tests_of_another(tmp_path):
    """Both are EMNIST's, as long, and of other classes."""
    for lacking in IDX_NAMES:
        folder = tmp_path / lacking
        folder.mkdir()
        idx(folder, BYTES, before="emnist-letters-")
        name = f"{lacking}-ubyte.gz"
        (folder / f"emnist-letters-{name}").rename(folder / f"emnist-digits-{name}")
        with pytest.raises(
            InputError, match=f"{lacking} must have images and labels of one set, .* emnist-digits-{name}"
        ):
            load_dataset(folder)


@pytest.mark.parametrize("names", [["x", "y"], ["x_a", "x_b", "y_a"], ["x_a"]])
def test_a_folder_of_npy_files_for_validation_that_is_no_pair_is_refused_as_such(tmp_path, names):
    (tmp_path / "valid").mkdir()
    for name in names:
        np.save(tmp_path / "valid" / f"{name}.npy", BYTES)
    found = ", ".join(f"{name}.npy" for name in names)
    with pytest.raises(InputError, match=f"valid must have one file x_….npy and one y_….npy, found {found}"):
        load_dataset(npy(tmp_path, BYTES), str(tmp_path / "valid"))


def with_one(value):
    """The images in float64, of which one in the tests is this number."""
    images = UNIT.astype(float)
    images[50, 3, 3] = value
    return images


WRONG = {
    "nothing is said": (UNIT, None, r"x_train holds float32 from 0 to 1: give --pixels bytes \(from 0 to 255, .* tak"),
    "nothing is said of 0 to 16": (DIGITS.images[:60], None, "x_train holds float64 from 0 to 16: give --pixels bytes"),
    "bytes as unit": (BYTES.astype("f4"), "unit", "x_train must hold pixels from 0 to 1, found float32 from 0 to 240"),
    "unit as bytes": (UNIT, "bytes", "x_train must hold pixels from 0 to 255, found float32 from 0 to 1, as of --pix"),
    "below 0": (with_one(-0.5), "unit", "x_test must hold pixels from 0 to 1, found float64 from -0.5 to 1"),
    "above 255": (with_one(256) * 2, "bytes", "x_test must hold pixels from 0 to 255, found float64 from 0 to 512"),
    "NaN": (with_one(np.nan), "unit", "x_test must hold pixels that are finite in float32, found 1 of 768"),
    "too large": (with_one(1e39), "standardised", "x_test must hold pixels that are finite in float32, found 1 of 768"),
    "unsigned bytes": (BYTES, "unit", "x_train holds unsigned bytes, uint8 from 0 to 240, which are --pixels bytes in"),
    "integers": (BYTES.astype(int), "bytes", "x_train must hold unsigned bytes or floats in .*, found int64 in 3"),
    "extended": (UNIT.astype(np.longdouble), "unit", "x_train must hold unsigned bytes or floats .*, found float128"),
    "complex": (UNIT.astype(complex), "unit", "x_train must hold unsigned bytes or floats .*, found complex128 in 3"),
}  # fmt: skip


@pytest.mark.parametrize(("images", "pixels", "sentence"), WRONG.values(), ids=WRONG)
def test_a_claim_that_the_numbers_contradict_is_refused_with_what_was_found(tmp_path, images, pixels, sentence):
    """Would catch a scale that is guessed, and a check of the training images alone."""
    with pytest.raises(InputError, match=sentence):
        load_dataset(npz(tmp_path, images), "first", form=Form(pixels))


def test_bytes_and_floats_are_not_mixed(tmp_path):
    np.savez(tmp_path / "mixed.npz", **arrays(BYTES) | {"x_test": BYTES[48:].astype(np.float32)})
    with pytest.raises(
        InputError, match=r"mixed\.npz, x_train and its test .* of one kind, found unsigned bytes and fl"
    ):
        load_dataset(tmp_path / "mixed.npz", form=Form("bytes"))


def put(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def claiming(folder, shape):
    """Another shape in the header of x_train.npy."""
    with (folder / "x_train.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.write(BYTES[:48].tobytes())


def lengthened(folder):
    path = folder / "x_train.npy"
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "y_test.npy").unlink(), "must have x_train.npy, .*, found no y_test.npy"),
        (put("train-images-idx3-ubyte", b""), "must have .npy files or IDX files, found train-images-idx3-ubyte be"),
        (put("x_train.npy", b""), "x_train.npy is no .npy file, or a damaged one: EOF: reading magic string"),
        (put("x_train.npy", b"plain text, and more of it"), "is no .npy file, or a damaged one: the magic string is"),
        (put("x_train.npy", b"\x93NUMPY\x09\x00" + bytes(100)), "version .9, 0. of NumPy's format is not read"),
        (lambda folder: np.save(folder / "x_test.npy", [{}, None]), "x_test.npy must hold numbers, found object"),
        (lambda folder: claiming(folder, (48, 8, 9)), "must hold 3,456 bytes for its shape .*, found 3,072"),
        (lambda folder: claiming(folder, (-48, -8, 8)), "must hold 3,072 bytes for its shape .*, found 3,072"),
        (lengthened, "must hold 3,072 bytes .*, found 3,073"),
        (lambda folder: np.save(folder / "y_train.npy", np.eye(10)[LABELS[:48]]), "found one-hot labels of 10 classes"),
        (lambda folder: np.save(folder / "y_train.npy", LABELS[:48] + 0.5), "found float64 from 0.5 to 9.5, not all"),
    ],
)  # fmt: skip
def test_npy_files_that_are_not_what_they_claim_are_refused_by_name(tmp_path, spoil, sentence):
    spoil(npy(tmp_path, BYTES))
    with pytest.raises(InputError, match=sentence) as error:
        load_dataset(tmp_path, "first")
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_no_memory_is_taken_for_what_a_header_alone_claims(tmp_path):
    """Would catch an array that is made by its header: 3 GB here, of a file of 3 kB, and of a longer one that is all
    there, beyond the most that is read."""
    claiming(npy(tmp_path, BYTES), (48, 8000, 8000))
    (tmp_path / "long").mkdir()
    claiming(npy(tmp_path / "long", BYTES), (48, 1, 2**26))
    with (tmp_path / "long" / "x_train.npy").open("r+b") as file:
        file.truncate(128 + 48 * 2**26)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="must hold 3,072,000,000"):
            load_dataset(tmp_path)
        with pytest.raises(InputError, match="are the most that is read: `rawstep shard` cuts it"):
            NpyFile.of(tmp_path / "long" / "x_train.npy").read()
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
