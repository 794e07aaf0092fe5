"""Files and folders that cannot be used: each ends in one clear sentence and status 2, and leaves all as it was."""

import gzip
import os
import shutil
import tempfile
from pathlib import Path

import pytest

import training.runs.display
import training.runs.run_folder  # noqa: F401 - both before nobody tries, who may not read where they are
from training.commands.cli import main
from training.workloads.data.dataset import MNIST

from .processes import rawstep

QUICK = ["--batch-size", "500", "--hidden", "16", "--epochs", "1", "--save-every", "1"]
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert rawstep("train", *QUICK, "--checkpoint", folder).returncode == 0
    return folder


@pytest.fixture
def workplace(tmp_path, monkeypatch, finished_run):
    """A working directory with MNIST's four files in `data` and a finished run in `run`."""
    shutil.copytree(MNIST, tmp_path / "data")
    shutil.copytree(finished_run, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    """Every file by its bytes, every folder by its name."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_refused(arguments, folder, capfd, *words):
    """Run in this process, by the function that the console script calls."""
    before = contents(folder)
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("rawstep: ")
    for word in words:
        assert word in err
    assert contents(folder) == before


def rewrite(name, change):
    """Puts other bytes into one of the data files."""

    def spoil(folder):
        path = folder / "data" / name
        path.write_bytes(change(path.read_bytes()))

    return spoil


def swap(folder):
    images, labels = folder / "data" / IMAGES, folder / "data" / LABELS
    images.rename(folder / "aside")
    labels.rename(images)
    (folder / "aside").rename(labels)


def fewer_labels(content):
    header, labels = gzip.decompress(content)[:8], gzip.decompress(content)[8:-1]
    return gzip.compress(header[:4] + len(labels).to_bytes(4, "big") + labels)


DAMAGED_DATA = {
    "missing folder": (
        lambda folder: shutil.rmtree(folder / "data"),
        "data must be a folder of IDX or .npy files or a .npz file, found nothing",
    ),
    "missing file": (lambda folder: (folder / "data" / LABELS).unlink(), "must have one file train-labels-idx1-ubyte"),
    "truncated, gzipped": (
        rewrite(IMAGES, lambda c: c[: len(c) // 2]),
        f"{IMAGES} cannot be read: Compressed file ended",
    ),
    "truncated, plain": (rewrite(IMAGES, lambda c: gzip.decompress(c)[:-1]), "must hold 47,040,016 bytes"),
    "corrupted": (rewrite(IMAGES, lambda c: c[:999] + b"corrupted" + c[1008:]), f"{IMAGES} cannot be read"),
    "no IDX file": (rewrite(IMAGES, lambda c: b"<html>404 Not Found"), f"{IMAGES} is no IDX file"),
    "swapped": (
        swap,
        f"{IMAGES} must hold unsigned bytes or floats in 3 dimensions, or 4 with colours last, found uint8 in 1",
    ),
    "fewer labels": (rewrite(LABELS, fewer_labels), "found 59,999 for 60,000"),
}


@pytest.mark.parametrize(("spoil", "words"), DAMAGED_DATA.values(), ids=DAMAGED_DATA)
def test_data_that_cannot_be_used(workplace, capfd, spoil, words):
    spoil(workplace)
    outputs = ["--checkpoint", "new", "--tensorboard", "board", "--json", "run.json"]
    assert_refused(["train", *QUICK, "--data-dir", "data", *outputs], workplace, capfd, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rule", "adagrad", "--learning-rate", "0.01"], "is a checkpoint of another run: --rule adam, not adagrad."),
        (["--dialect", "keras"], "--dialect tf1, not keras"),
        (["--hidden", "17"], "--hidden 16, not 17"),
        (["--learning-rate", "-1"], "learning_rate must lie in [0, ∞), found -1"),
    ],
)
def test_a_checkpoint_of_another_run(workplace, capfd, arguments, words):
    assert_refused(["train", "--checkpoint", "run", "--resume", *arguments], workplace, capfd, words)


def changed_label(content):
    labels = gzip.decompress(content)
    return gzip.compress(labels[:8] + bytes([(labels[8] + 1) % 10]) + labels[9:])


@pytest.mark.parametrize("name", [LABELS, "t10k-labels-idx1-ubyte.gz"], ids=["validation", "test"])
def test_a_checkpoint_of_images_that_differ_in_one_label(workplace, capfd, name):
    """Of the first image, which is none to train on."""
    rewrite(name, changed_label)(workplace)
    arguments = ["train", "--checkpoint", "run", "--resume", "--data-dir", "data"]
    assert_refused(arguments, workplace, capfd, "the data differ.", "is a checkpoint of another run: ")


def test_a_checkpoint_of_other_images(workplace, capfd):
    for part in ("images-idx3", "labels-idx1"):
        shutil.copy(workplace / "data" / f"t10k-{part}-ubyte.gz", workplace / "data" / f"train-{part}-ubyte.gz")
    arguments = ["train", "--checkpoint", "run", "--resume", "--data-dir", "data"]
    words = "examples 55000, not 9167; validation first, not 833 drawn from seed 0; the data differ."
    assert_refused(arguments, workplace, capfd, words)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:-2]), Path.unlink])
@pytest.mark.parametrize("pattern", ["state.index", "state.data*", "SHA256SUMS"])
def test_a_damaged_checkpoint_is_not_evaluated(workplace, capfd, damage, pattern):
    damage(next((workplace / "run" / "step-00000110").glob(pattern)))
    words = (
        "run/step-00000110 is damaged (",
        "). The newest whole one is run/step-00000055: `rawstep train --resume` goes on from there; to use ",
    )
    assert_refused(["evaluate", "--checkpoint", "run"], workplace, capfd, *words)


def test_a_run_without_a_whole_checkpoint_is_not_resumed(workplace, capfd):
    for path in (workplace / "run").glob("step-*/state.index"):
        path.write_bytes(b"")
    words = "run holds no whole checkpoint: step-00000110 is damaged (state.index is not what SHA256SUMS"
    assert_refused(["train", "--resume", "--checkpoint", "run"], workplace, capfd, words)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["train", "--checkpoint", "run"], "run holds a run already; give --resume to go on with it"),
        (["evaluate", "--checkpoint", "absent"], "absent holds no run"),
        (["evaluate", "--checkpoint", "data"], "data holds no run"),
        (
            ["evaluate", "--checkpoint", "run", "--data-dir", "absent"],
            "absent must be a folder of IDX or .npy files or a .npz file, found nothing",
        ),
        (["evaluate"], "--checkpoint"),
        (["train", "--checkpoint", ""], "--checkpoint must not be empty."),
        (["train", "--checkpoint", "n" * 300], "File name too long."),
        (["train", "--json", "n" * 300], "cannot be written: File name too long."),
        (["train", "--data-dir", "n" * 300], "File name too long"),
        (["train", "--checkpoint", "new", "--json", "new"], "new is given for two things that are written"),
        (["train", "--json", "x.png", "--plot", "x.png"], "x.png is given for two things that are written"),
        (["train", "--batch-size", "100.7"], "--batch-size must be a whole number, found '100.7'."),
        (["train", "--hidden", "1.5"], "--hidden must be a whole number, found '1.5'."),
        (["train", "--hidden", "10000000000000"], "parameters; 2,147,483,647 are the most"),
        (["train", "--data-dir", "data", "--rule", "absent\n:Rule"], "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_folder_of_the_wrong_kind(workplace, capfd, command, words):
    assert_refused(command, workplace, capfd, words)


@pytest.fixture
def read_only(finished_run):
    """A folder, with a finished run in `run`, in which this process may not write; root, who may, becomes nobody."""
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(dir="/tmp" if root else None))  # where nobody may at least look
    shutil.copytree(finished_run, folder / "run")
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        if root:
            os.seteuid(65534)
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize("option", ["--checkpoint", "--tensorboard", "--json"])
@pytest.mark.parametrize("name", ["", "new", "new/deeper"], ids=["itself", "in it", "below"])
def test_a_folder_without_write_permission(read_only, capfd, option, name):
    path = read_only / name / "run.json" if option == "--json" else read_only / name
    reason = "No such file or directory" if option == "--json" and name else "Permission denied"
    words = f"{path} cannot be written: {reason}."
    assert_refused(["train", "--epochs", "1", option, path], read_only, capfd, words)


def test_a_run_that_may_not_be_written_is_not_resumed(read_only, capfd):
    arguments = ["train", "--checkpoint", read_only / "run", "--resume", "--epochs", "2"]
    assert_refused(arguments, read_only, capfd, f"{read_only / 'run'} cannot be written: Permission denied.")
