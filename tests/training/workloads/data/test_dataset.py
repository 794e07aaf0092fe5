"""MNIST as it comes with the package, any four files like its own, and a .npz file."""

import gzip
import hashlib
import json
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_digits

from core import InputError
from training.commands.cli import main
from training.workloads.data import load_dataset
from training.workloads.data.dataset import MNIST
from training.workloads.data.idx import IdxFile
from training.workloads.mlp import MLP
from training.workloads.workload import fingerprint

from .idx_bytes import idx


@pytest.fixture(scope="module")
def mnist():
    return load_dataset()


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
    images = IdxFile.of(MNIST / "train-images-idx3-ubyte.gz").read().reshape(60_000, 784)
    labels = IdxFile.of(MNIST / "train-labels-idx1-ubyte.gz").read()
    np.testing.assert_array_equal(np.concatenate([mnist.validation.images, mnist.train.images]), images)
    np.testing.assert_array_equal(np.concatenate([mnist.validation.labels, mnist.train.labels]), labels)


@pytest.mark.parametrize(
    "line",
    [line for line in (MNIST / "README.md").read_text().splitlines() if "ubyte.gz |" in line],
)
def test_the_packaged_files_are_the_well_known_bytes(line):
    name, size, digest = (cell.strip() for cell in line.strip("|").split("|"))
    content = gzip.decompress((MNIST / name).read_bytes())
    assert len(content) == int(size.replace(",", ""))
    assert hashlib.sha256(content).hexdigest() == digest


NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_files(folder, arrays, names=NAMES):
    """The four files in a folder, every other one gzipped."""
    folder.mkdir(exist_ok=True)
    for number, (name, array) in enumerate(zip(names, arrays, strict=True)):
        if number % 2:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))
    return folder


def pictures(training=24, tests=5, rows=3, columns=2):
    """Small arrays for the four files, of which each image and label is known by its number."""
    return [
        np.arange(training * rows * columns).astype(np.uint8).reshape(training, rows, columns),
        np.arange(training).astype(np.uint8) % 4,
        np.arange(tests * rows * columns).astype(np.uint8).reshape(tests, rows, columns),
        np.arange(tests).astype(np.uint8),
    ]


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        [name.replace("-idx", ".idx") for name in NAMES],
        [f"emnist-letters-{name.replace('t10k', 'test')}" for name in NAMES],
    ],
    ids=["MNIST", "a point before idx", "EMNIST"],
)
def test_four_files_of_mnist_s_naming_are_a_dataset(tmp_path, names):
    arrays = pictures()
    dataset = load_dataset(write_files(tmp_path, arrays, names))
    assert dataset.classes == 5, "the greatest label, which is a test image's here, and 0"
    assert [len(split.images) for split in dataset[:3]] == [22, 2, 5]
    numbers = np.concatenate([split.images[:, 0] // 6 for split in (dataset.train, dataset.validation)])
    assert sorted(numbers.tolist()) == list(range(24)), "each training image is in one of the two"
    for split in (dataset.train, dataset.validation):
        np.testing.assert_array_equal(split.labels, arrays[1][split.images[:, 0] // 6])
    np.testing.assert_array_equal(dataset.test.images, arrays[2].reshape(5, 6))
    np.testing.assert_array_equal(dataset.test.labels, arrays[3])


def sorted_by_class(sizes):
    """Training files in which the images of class 0 come first, then those of class 1, and so on."""
    labels = np.repeat(np.arange(len(sizes)), sizes).astype(np.uint8)
    return [np.zeros((len(labels), 2, 2), np.uint8), labels, np.zeros((3, 2, 2), np.uint8), labels[[0, -1, -1]]]


def counts(split):
    return np.bincount(split.labels).tolist()


def test_of_files_that_are_sorted_by_class_validation_has_each_class_s_share(tmp_path):
    """Would catch the first twelfth, in which 26 classes of 120 leave 24 out."""
    dataset = load_dataset(write_files(tmp_path, sorted_by_class([120] * 26)))
    assert counts(dataset.validation) == [10] * 26
    assert counts(dataset.train) == [110] * 26
    assert dataset.notes == ["the test images lack 24 of 26 classes: 1, 2, 3, 4, 5, …"]


def test_validation_is_drawn_from_the_seed_and_stays_in_order(tmp_path):
    write_files(tmp_path, pictures(training=36))
    one, same, other = (load_dataset(tmp_path, "12", seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.validation.images, same.validation.images)
    assert not np.array_equal(one.validation.images, other.validation.images)
    for split in (one.train, one.validation):
        assert np.all(np.diff(split.images[:, 0].astype(int)) > 0)
    assert counts(one.validation) == [3] * 4
    assert [dataset.split for dataset in (one, other)] == ["12 drawn from seed 0", "12 drawn from seed 1"]


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [([50, 30, 20], 10, [5, 3, 2]), ([97, 1, 1, 1], 12, [12]), ([6, 6, 6, 6], 4, [1, 1, 1, 1]), ([1] * 12, 1, None)],
)
def test_each_class_has_its_share_to_one_image(tmp_path, sizes, count, expected):
    """Classes of one image stay with the training images where there is a choice."""
    dataset = load_dataset(write_files(tmp_path, sorted_by_class(sizes)), str(count))
    assert len(dataset.validation.labels) == count
    if expected is not None:
        assert counts(dataset.validation) == expected


def test_a_class_that_a_part_lacks_is_said(tmp_path):
    dataset = load_dataset(write_files(tmp_path, sorted_by_class([12, 12, 12])), "first")
    assert dataset.split == "first"
    assert dataset.notes == [
        "the validation images lack 2 of 3 classes: 1, 2",
        "the test images lack 1 of 3 classes: 1",
    ]


def test_mnist_in_a_folder_of_its_own_is_split_as_the_notebook_s(tmp_path):
    """Else a run could not go on where its images lie elsewhere. A number of images is drawn from MNIST too."""
    for path in MNIST.glob("*.gz"):
        (tmp_path / path.name).symlink_to(path)
    assert fingerprint(MLP(data_dir=tmp_path).data(0)) == fingerprint(MLP().data(0))
    drawn = load_dataset(None, "5000")
    assert len(drawn.validation.labels) == 5000
    assert drawn.split == "5,000 drawn from seed 0"


def test_validation_may_be_files_of_its_own(tmp_path):
    arrays = pictures()
    write_files(tmp_path / "data", arrays)
    write_files(tmp_path / "valid", arrays[2:], ["valid-images-idx3-ubyte", "valid-labels-idx1-ubyte"])
    dataset = load_dataset(tmp_path / "data", str(tmp_path / "valid"))
    assert [len(split.images) for split in dataset[:3]] == [24, 5, 5]
    np.testing.assert_array_equal(dataset.validation.images, arrays[2].reshape(5, 6))
    with pytest.raises(InputError, match=r"data must have one file …-images-idx3-ubyte .* found t10k-.*, train-"):
        load_dataset(tmp_path / "data", str(tmp_path / "data"))
    write_files(tmp_path / "wide", pictures(columns=4)[2:], ["v-images-idx3-ubyte", "v-labels-idx1-ubyte"])
    with pytest.raises(InputError, match="of 3×2 pixels like the training images, found 3×4 pixels"):
        load_dataset(tmp_path / "data", str(tmp_path / "wide"))
    for count in ("0", "24"):
        with pytest.raises(InputError, match=f"between 1 and 23 of the 24 training images, found {count}"):
            load_dataset(tmp_path / "data", count)


def test_of_a_file_that_is_there_twice_the_plain_one_is_read(tmp_path):
    write_files(tmp_path, pictures())
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"never read")
    assert len(load_dataset(tmp_path).train.images) == 22


def put(name, content):
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda folder: (folder / "train-images-idx3-ubyte").unlink(),
            "must have one file train-images-idx3-ubyte or the",
        ),
        (put("fashion-train-images-idx3-ubyte", b""), "found fashion-train-images-idx3-ubyte, train-images-idx3-ubyte"),
        (put("train-images-idx3-ubyte", b""), "is no IDX file: it begins with nothing"),
        (
            put("train-images-idx3-ubyte", idx(pictures()[1])),
            "must hold unsigned bytes or floats in 3 dimensions, or 4 with colours last, found uint8 in 1",
        ),
        (put("train-images-idx3-ubyte", idx(pictures()[0].astype("i4"))), "found int32 in 3"),
        (
            put("train-labels-idx1-ubyte", idx(pictures()[0])),
            "must hold labels in 1 dimension, found uint8 in 3",
        ),
        (
            put("train-labels-idx1-ubyte", idx(pictures()[3])),
            "a label for each image of train-images-idx3-ubyte, found 5 for 24",
        ),
        (
            put("t10k-images-idx3-ubyte", idx(pictures(columns=4)[2])),
            "of 3×2 pixels like the training images, found 3×4 pixels",
        ),
        (
            lambda folder: write_files(folder, pictures(training=11)),
            "must hold 12 or more images of at least one pixel, found 11",
        ),
        (
            lambda folder: write_files(folder, pictures(tests=0)),
            "must hold 1 or more images of at least one pixel, found 0",
        ),
        (lambda folder: write_files(folder, pictures(rows=0)), "of at least one pixel, found 24 of 0×2"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(tmp_path, spoil, sentence):
    write_files(tmp_path, pictures())
    spoil(tmp_path)
    with pytest.raises(InputError) as error:
        load_dataset(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert sentence in str(error.value)


def test_labels_of_another_number_are_seen_before_the_images_are_read(tmp_path):
    """Would catch memory taken for images that have no labels: unpacking these fails in another way."""
    write_files(tmp_path, pictures())
    broken = gzip.compress(idx(np.zeros((5_000, 30, 30), np.uint8)))[:-20]
    (tmp_path / "train-images-idx3-ubyte").write_bytes(broken)
    with pytest.raises(InputError, match="found 24 for 5,000"):
        load_dataset(tmp_path)


def test_a_place_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"data must be a folder of IDX or \.npy files or a \.npz file, found nothing"):
        load_dataset(tmp_path / "data")
    write_files(tmp_path / "data", pictures())
    for validation, found in (("train-labels-idx1-ubyte.gz", "a file"), ("-3", "nothing")):
        with pytest.raises(
            InputError, match=f"{validation} must be a folder of two IDX or .npy files, where .* found {found}"
        ):
            load_dataset(tmp_path / "data", str(tmp_path / "data" / validation))
    with pytest.raises(InputError, match=r"--validation must be a number, first or a folder .*, found an empty text"):
        MLP(validation="")


COLOUR = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3)).astype(np.uint8)
KERAS = dict(x_train=COLOUR[:24], y_train=np.arange(24)[:, np.newaxis] % 7, x_test=COLOUR[24:], y_test=np.arange(6) % 7)
"""As Keras returns CIFAR-10: images in colour, labels in a column, here of int64."""


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_images_in_colour_come_from_a_npz_file_and_from_idx_files(tmp_path, save, order):
    """Would catch rows, columns and colours in another order, and a column of labels that would broadcast."""
    save(tmp_path / "colour.npz", **{name: np.asarray(array, order=order) for name, array in KERAS.items()})
    found = load_dataset(tmp_path / "colour.npz", "first")
    assert (found.side, found.classes) == ((4, 5, 3), 7)
    np.testing.assert_array_equal(
        np.concatenate([found.validation.images, found.train.images]).reshape(24, 4, 5, 3), COLOUR[:24]
    )
    np.testing.assert_array_equal(found.train.labels, np.arange(2, 24).astype(np.uint8) % 7, strict=True)
    np.savez(tmp_path / "many.npz", **KERAS | {"y_test": np.arange(295, 301)})
    kinds = {part.labels.dtype for part in load_dataset(tmp_path / "many.npz", "first")[:3]}
    assert kinds == {np.dtype(np.int32)}, "splits of one kind"
    arrays = [KERAS["x_train"], KERAS["y_train"][:, 0].astype(np.uint8), KERAS["x_test"], KERAS["y_test"].astype("i4")]
    names = [name.replace("images-idx3", "images-idx4") for name in NAMES]
    same = load_dataset(write_files(tmp_path / "idx", arrays, names), "first")
    for one, other in zip(found[:3], same[:3], strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels, strict=True)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (dict(y_train=KERAS["y_train"] / 1), "y_train must hold integers, .*, found float64 from 0 to 6, all whole"),
        (dict(y_train=KERAS["y_train"] / 2), "y_train must hold integers, .*, found float64 .*, not all whole"),
        (dict(y_test=np.eye(6)), "y_test must hold class numbers, found one-hot labels of 6 classes: their argmax"),
        (dict(y_test=np.ones((6, 2), int)), "y_test must hold labels in 1 dimension, found int64 in 2"),
        (dict(y_train=KERAS["y_train"] - 1), "y_train must hold class numbers from 0 to 65,535, found -1 to 5"),
        (dict(y_train=KERAS["y_train"][:7]), "y_train must hold a label for each image of x_train, found 7 for 24"),
        (dict(x_train=np.moveaxis(COLOUR[:24], 3, 1)), r"x_train must hold 1 to 4 colours .*, found .*\[24, 3, 4, 5\]"),
        (dict(x_train=COLOUR[:24].astype(int)), "x_train must hold unsigned bytes or floats in .* found int64 in 4"),
        (dict(x_test=COLOUR[24:, :3]), "x_test must hold images of 4×5×3 pixels like .*, found 3×5×3 pixels"),
        (dict(x_train=np.array([{}, None])), "x_train must hold numbers, found object"),
        (dict(x_train=COLOUR[:3], y_train=np.zeros(3, int)), "x_train must hold 12 or more images .* found 3 of 4×5×3"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_by_file_and_name(tmp_path, arrays, sentence):
    """Would catch floats taken for labels, and pickled objects, which could run code."""
    np.savez(tmp_path / "wrong.npz", **KERAS | arrays)
    with pytest.raises(InputError, match=f"^{tmp_path}/wrong.npz, {sentence}"):
        load_dataset(tmp_path / "wrong.npz")


def without_y_test(path):
    np.savez(path, **{name: array for name, array in KERAS.items() if name != "y_test"})


def longer_in_its_header(path):
    """A whole file, of which a header claims three times the images."""
    np.savez(path, **KERAS)
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    contents["x_train.npy"] = contents["x_train.npy"].replace(b"(24, 4, 5, 3)", b"(24, 4, 5, 9)")
    with zipfile.ZipFile(path, "w") as file:
        for name, content in contents.items():
            file.writestr(name, content)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (without_y_test, " must hold the arrays x_train, y_train, x_test and y_test, found x_train, y_train, x_test"),
        (lambda path: path.touch(), " is no .npz file, or a damaged one: File is not a zip file"),
        (longer_in_its_header, ", x_train must hold 4,320 bytes for its shape .*, found 1,440"),
        (lambda path: (np.savez(path, **KERAS), path.write_bytes(path.read_bytes()[:-40])), " is no .npz file"),
    ],
)
def test_a_npz_file_that_is_damaged_or_lacks_an_array_is_refused(tmp_path, write, sentence):
    write(tmp_path / "wrong.npz")
    with pytest.raises(InputError, match=f"^{tmp_path}/wrong.npz{sentence}"):
        load_dataset(tmp_path / "wrong.npz")


def test_an_array_whose_bytes_were_changed_is_refused(tmp_path):
    np.savez(tmp_path / "wrong.npz", **KERAS)
    content = bytearray((tmp_path / "wrong.npz").read_bytes())
    place = content.index(COLOUR[7].tobytes())
    content[place] ^= 1
    (tmp_path / "wrong.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"wrong\.npz is no \.npz file, or a damaged one: Bad CRC-32"):
        load_dataset(tmp_path / "wrong.npz")


def test_another_data_set_trains_end_to_end(tmp_path, monkeypatch, capsys):
    """Scikit-learn's digits up to 6: 8×8 pixels and 7 classes. Trained, resumed from another folder, evaluated."""

    def run(*arguments, cwd=tmp_path):
        monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, arguments)))
        return stop.value.code

    digits = load_digits()
    wanted = digits.target < 7
    images, labels = (digits.images[wanted] * 15).astype(np.uint8), digits.target[wanted].astype(np.uint8)
    write_files(tmp_path / "digits", [images[:1000], labels[:1000], images[1000:], labels[1000:]])
    (tmp_path / "elsewhere").mkdir()

    options = ["--batch-size", "50", "--hidden", "32", "--init", "he", "--learning-rate", "0.003"]
    options += ["--validation", "100"]
    assert run("train", "--data-dir", "digits", *options, "--epochs", "1", "--checkpoint", "run") == 0
    resume = ["--checkpoint", tmp_path / "run", "--resume", "--epochs", "20", "--json", tmp_path / "run.json"]
    assert run("train", *resume, cwd=tmp_path / "elsewhere") == 0
    assert run("evaluate", "--checkpoint", "run", "--json", "figures.json") == 0
    trained, evaluated = (json.loads((tmp_path / name).read_text()) for name in ("run.json", "figures.json"))
    assert len(trained["epochs"]) == 20
    options = trained["settings"]["workload_options"]
    assert (options["data_dir"], options["validation"]) == (str(tmp_path / "digits"), "100")
    assert trained["test_accuracy"] == evaluated["test"]["accuracy"] > 0.9
    assert trained["epochs"][-1]["validation_accuracy"] == evaluated["validation"]["accuracy"]
    capsys.readouterr()
    assert run("evaluate", "--checkpoint", "run", "--data-dir", MNIST) == 2
    assert capsys.readouterr().err == ("rawstep: The run was trained on images of 8×8, found images of 28×28.\n")
