"""`rawstep export`: a run of MNIST leaves the house, and says the same where there is no rawstep."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import training.exchange.serving  # noqa: F401 - before nobody tries, who may not read where it is
from training.commands.cli import main
from training.exchange.serving import ServedModel
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.workloads.data import load_dataset
from training.workloads.images import unit_pixels
from training.workloads.mlp import MLP
from training.workloads.perceptron import logits

from .. import test_hostile
from ..predictions import assert_same, predictions
from ..processes import ENVIRONMENT, command, rawstep

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SETTINGS = Settings(
    epochs=1, batch_size=500, learning_rate=0.01, workload_options={"hidden": ("32", "32"), "init": ("he",)}
)

read_only, assert_refused = test_hostile.read_only, test_hostile.assert_refused

READER = """
import sys

class Absent:
    def find_spec(self, name, *_):
        if name.startswith({absent}):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import numpy as np
images = np.load("images.npy")
"""

TENSORFLOW = (
    READER.format(absent=("core.", "training.", "keras."))
    + """
import tensorflow as tf
model = tf.saved_model.load("served")
found, served = model(images), model.signatures["serving_default"](images=tf.constant(images))
assert all(np.array_equal(found[name], served[name]) for name in ("probabilities", "classes"))
np.savez("tensorflow", **found)
print([name for name in ("core", "training", "keras") if name in sys.modules])
"""
)

KERAS = (
    READER.format(absent=("core.", "training."))
    + """
import keras
probabilities = keras.models.load_model("model.keras").predict(images, verbose=0)
np.savez("keras", probabilities=probabilities, classes=probabilities.argmax(axis=1))
print([name for name in ("core", "training") if name in sys.modules])
"""
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of MNIST, its weights, the test images and what `rawstep evaluate` says of them."""
    folder = tmp_path_factory.mktemp("trained")
    with RunFolder(folder / "run") as run_folder:
        trainer, _ = run_folder.begin(SETTINGS, resume=False)
        for _ in trainer.train():
            run_folder.save_if_due(trainer)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(
            ["evaluate", "--checkpoint", str(folder / "run"), "--json", str(folder / "figures.json"),
             "--csv", str(folder / "figures.csv")]
        )  # fmt: skip
    figures = json.loads((folder / "figures.json").read_text())
    accuracy = figures["test"]["accuracy"]
    last = f"test,{figures['test']['cost']},{accuracy}"
    assert (folder / "figures.csv").read_text().splitlines()[::2] == ["split,cost,accuracy", last]
    return SimpleNamespace(
        folder=folder / "run", weights=run_folder.newest().variables, accuracy=accuracy, test=load_dataset().test
    )


@pytest.fixture(scope="module")
def finished_run(run):
    """What test_hostile's folder without write permission asks for."""
    return run.folder


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """A folder with both exports, made by a process of its own, and the test images."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "model.keras").write_text("an older one, which is replaced")
    done = rawstep(
        "export", "--checkpoint", run.folder, "--saved-model", "served", "--keras", "model.keras", cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{name} of {run.folder}/step-00000110 (adam, tf1; step 110, epochs done: 1)"
        for name in ("served: a SavedModel", "model.keras: a Keras model")
    ]
    assert {path.name for path in folder.iterdir()} == {"served", "model.keras"}, "and nothing unfinished"
    np.save(folder / "images.npy", run.test.images)
    return folder


@pytest.mark.parametrize(("name", "program"), [("tensorflow", TENSORFLOW), ("keras", KERAS)])
def test_a_process_without_rawstep_reads_it_and_says_what_rawstep_says(run, exported, name, program):
    """Of 10,000 real images. Would catch an export that needs rawstep, and whatever WRONG has."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=exported, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    with np.load(exported / f"{name}.npz") as found:
        assert_same(found, run.weights, run.test.images)
        assert np.mean(found["classes"] == run.test.labels) == pytest.approx(run.accuracy, abs=1e-12)
    assert run.accuracy > 0.9, "it has learned something to be compared"


def of_keras(weights, factor):
    """Of grey levels that are multiplied by a factor too."""
    model = MLP().keras(weights | {"h1": weights["h1"] * factor}, tf.TensorSpec([None, 784], tf.uint8))

    def wrong(images):
        probabilities = model.predict(images, verbose=0)
        return {"probabilities": probabilities, "classes": probabilities.argmax(axis=1)}

    return wrong


def served(weights):
    model = ServedModel(MLP(), weights, tf.TensorSpec([None, 784], tf.uint8, "images"))
    return lambda images: {name: value.numpy() for name, value in model(tf.constant(images)).items()}


def exchanged(weights, one, other):
    return weights | {one: weights[other], other: weights[one]}


def with_logits(weights):
    return lambda images: (
        predictions(weights, images) | {"probabilities": logits(weights, unit_pixels(tf.constant(images))).numpy()}
    )


WRONG = {
    "pixels from 0 to 255": lambda weights: of_keras(weights, 255),
    "divided by 256": lambda weights: of_keras(weights, 255 / 256),
    "two biases exchanged": lambda weights: served(exchanged(weights, "b1", "b2")),
    "two units' biases exchanged": lambda weights: served(weights | {"bo": tf.reverse(weights["bo"], [0])}),
    "a matrix transposed": lambda weights: served(weights | {"h2": tf.transpose(weights["h2"])}),
    "no softmax": with_logits,
    "classes from one": lambda weights: (
        lambda images: {name: value + (name == "classes") for name, value in predictions(weights, images).items()}
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_the_comparison_sees_a_wrong_export(run, wrong):
    """On a tenth of the images that it is made on."""
    images = run.test.images[:1000]
    assert_same(served(run.weights)(images), run.weights, images)
    with pytest.raises(AssertionError):
        assert_same(wrong(run.weights)(images), run.weights, images)


@pytest.fixture
def workplace(tmp_path, monkeypatch, run):
    """A working directory with a run in `run`, a file, a folder and a link to nothing."""
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "file").touch()
    (tmp_path / "folder.keras").mkdir()
    (tmp_path / "link").symlink_to("absent")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to write: give --saved-model DIR, --keras FILE.keras or --stablehlo DIR."),
        (["--saved-model", "run"], "run is there already, and nothing is overwritten: give a new folder."),
        (["--saved-model", "folder.keras"], "folder.keras is there already"),
        (["--saved-model", "file"], "file is there already"),
        (["--saved-model", "link"], "link is there already"),
        (["--saved-model", "file/below"], "file/below must be a folder, found that"),
        (["--saved-model", "a[b]"], "a[b] has [ and ] in its name, which TensorFlow takes for a pattern."),
        (["--saved-model", "n" * 300], "File name too long."),
        (["--saved-model", ""], "--saved-model must not be empty."),
        (["--keras", "model.h5"], "model.h5 must end in .keras."),
        (["--keras", "folder.keras"], "folder.keras must be a file, found a folder."),
        (["--keras", "absent/model.keras"], "absent/model.keras cannot be written: No such file or directory."),
        (["--keras", "file/model.keras"], "file/model.keras cannot be written: Not a directory."),
        (["--keras", "n" * 300 + ".keras"], "File name too long."),
        (["--keras", "new.keras", "--saved-model", "new.keras"], "is given for two things that are written"),
        (["--keras", "new.keras", "--saved-model", "new.keras/new"], "new.keras cannot be a file, since new.keras/new"),
        (["--stablehlo", "run"], "run is there already, and nothing is overwritten: give a new folder."),
        (["--stablehlo", "link"], "link is there already"),
        (["--stablehlo", "file/below"], "file/below must be a folder, found that"),
        (["--stablehlo", "n" * 300], "File name too long."),
        (["--stablehlo", ""], "--stablehlo must not be empty."),
        (["--stablehlo", "new", "--saved-model", "new"], "is given for two things that are written"),
        (
            ["--stablehlo", "new", "--saved-model", "new/new"],
            "new cannot be a new folder, since new/new would be inside it",
        ),
        (
            ["--stablehlo", "new/new", "--saved-model", "new"],
            "new cannot be a new folder, since new/new would be inside it",
        ),
        (["--stablehlo", "new", "--saved-model", "run"], "run is there already"),
        (["--stablehlo", "run", "--saved-model", "new"], "run is there already"),
        (["--stablehlo", "new", "--checkpoint", "absent"], "absent holds no run"),
        (["--keras", "new.keras", "--saved-model", "run"], "run is there already"),
        (["--keras", "model.h5", "--saved-model", "new"], "model.h5 must end in .keras."),
        (["--keras", "model.h5", "--checkpoint", "absent"], "model.h5 must end in .keras."),
        (["--keras", "new.keras", "--saved-model", "new", "--checkpoint", "absent"], "absent holds no run"),
        (["--keras", "new.keras", "--saved-model", "new", "--checkpoint", "folder.keras"], "folder.keras holds no run"),
        (["--keras", "new.keras", "--saved-model", "new", "--checkpoint", "file"], "file holds no run"),
    ],
)
def test_what_cannot_be_written_or_read_ends_in_one_sentence(workplace, capfd, arguments, words):
    """Would catch half an export, an overwritten folder, and outputs tried only after the checkpoint is read."""
    checkpoint = [] if "--checkpoint" in arguments else ["--checkpoint", "run"]
    assert_refused(["export", *checkpoint, *arguments], workplace, capfd, words)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:-1]), os.unlink])
@pytest.mark.parametrize("pattern", ["state.index", "state.data*"])
def test_a_damaged_checkpoint_is_not_exported(workplace, capfd, damage, pattern):
    damage(next((workplace / "run" / "step-00000110").glob(pattern)))
    arguments = [
        "export",
        "--checkpoint",
        "run",
        "--saved-model",
        "new",
        "--keras",
        "new.keras",
        "--stablehlo",
        "epoch",
    ]
    assert_refused(arguments, workplace, capfd, "run holds no whole checkpoint: step-00000110 is damaged (")


@pytest.mark.parametrize(
    ("option", "name", "reason"),
    [
        ("--saved-model", "new", "Permission denied"),
        ("--saved-model", "new/deeper", "Permission denied"),
        ("--stablehlo", "new", "Permission denied"),
        ("--keras", "new.keras", "Permission denied"),
        ("--keras", "new/deeper.keras", "No such file or directory"),
    ],
)
def test_a_folder_without_write_permission(read_only, capfd, option, name, reason):
    arguments = ["export", "--checkpoint", read_only / "run", option, read_only / name]
    assert_refused(arguments, read_only, capfd, f"{read_only / name} cannot be written: {reason}.")


def test_a_keras_that_cannot_start_ends_in_a_sentence_and_leaves_nothing(workplace):
    """Would catch a SavedModel that is written before the other turns out to be impossible."""
    before = test_hostile.contents(workplace)
    done = subprocess.run(
        command("export", "--checkpoint", "run", "--saved-model", "new", "--keras", "new.keras"),
        env=ENVIRONMENT | {"KERAS_BACKEND": "abacus"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rawstep: Keras cannot be imported: Unable to import backend : abacus.\n"
    assert test_hostile.contents(workplace) == before
