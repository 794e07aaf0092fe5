"""Images of floats in every workload on images: cost, gradients, Keras models, slices, commands and exports."""

import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.preprocessing import scale

from core import Adam, InputError, Optimizer, Program
from training.commands.cli import main
from training.workloads.autoencoder import Autoencoder
from training.workloads.cnn import CNN
from training.workloads.data.files import ARRAYS
from training.workloads.images import unit_pixels
from training.workloads.mlp import MLP
from training.workloads.regression import Regression
from training.workloads.transformer import Transformer
from training.workloads.workload import fingerprint

from . import test_autoencoder, test_cnn, test_mlp
from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64, torch_pixels

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

DIGITS, LABELS = load_digits(return_X_y=True)
IMAGES = {
    "uint8": (DIGITS * 15).astype(np.uint8).reshape(-1, 8, 8),
    "bytes": (DIGITS * 15).astype(np.float64).reshape(-1, 8, 8),
    "unit": (DIGITS / 16).astype(np.float32).reshape(-1, 8, 8),
    "standardised": scale(DIGITS).astype(np.float32).reshape(-1, 8, 8),
}
IN_TORCH = {
    "bytes": torch_pixels,
    "unit": lambda images: images.double(),
}
SMALL = {
    MLP: (test_mlp, {"hidden": (7,)}),
    CNN: (test_cnn, {"channels": (3,)}),
    Autoencoder: (test_autoencoder, {"units": (7, 2)}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """By what their pixels are, a folder of four .npy files each."""
    root = tmp_path_factory.mktemp("digits")
    for name, images in IMAGES.items():
        (root / name).mkdir()
        for array, part in zip(ARRAYS, (images[:1500], LABELS[:1500], images[1500:], LABELS[1500:]), strict=True):
            np.save(root / name / f"{array}.npy", part)
    return root


KINDS = [(MLP, "bytes"), *((kind, "unit") for kind in SMALL)]
"""All ask `Images.divides`: one shows that floats of bytes are divided, as unsigned bytes are in each one's own tests;
standardised pixels are taken as those from 0 to 1 are."""


@pytest.mark.parametrize(("kind", "pixels"), KINDS, ids=[f"{kind.__name__}, {pixels}" for kind, pixels in KINDS])
def test_cost_gradients_and_keras_model_take_floats_as_they_are_said_to_be(monkeypatch, folders, kind, pixels):
    """Against PyTorch, in float64. Would catch floats from 0 to 1 that are divided by 255, and those up to 255 that are
    not, in the network or in the model that is exported."""
    module, sizes = SMALL[kind]
    workload = kind(data_dir=folders / pixels, pixels=pixels, init="he", **sizes)
    data = workload.data(0)
    batch = [array[:9] for array in data.train]
    values = workload.variables(data, seed=1)
    between = ({2: lambda x: x},) if kind is Autoencoder else ()
    monkeypatch.setattr(module, "torch_pixels", IN_TORCH[pixels])
    assert_same_cost_and_gradients(workload, in_float64(values), batch, lambda *all: module.in_torch(*all, *between))
    assert_keras_is_the_same(workload, values, batch[0])
    monkeypatch.setattr(module, "torch_pixels", IN_TORCH["unit" if pixels == "bytes" else "bytes"])
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(
            workload, in_float64(values), batch, lambda *all: module.in_torch(*all, *between)
        )


def test_unsigned_bytes_keep_their_graph_and_floats_that_hold_such_their_bits(folders):
    """Would catch a cast that is added to the graph of MNIST, whose bits records have."""
    spec = tf.TensorSpec([None, 64], tf.uint8)
    graphs = [
        tf.function(lambda images, of=of: of(images)).get_concrete_function(spec).graph.as_graph_def()
        for of in (unit_pixels, MLP().unit)
    ]
    assert [node.op for node in graphs[0].node] == [node.op for node in graphs[1].node]
    costs = []
    for name, pixels in (("uint8", None), ("bytes", "bytes")):
        workload = MLP(data_dir=folders / name, pixels=pixels, hidden=(16,), init="he")
        data = workload.data(0)
        variables = {key: tf.Variable(value) for key, value in workload.variables(data, 0).items()}
        program = Program(workload.cost, variables, Optimizer(Adam(), variables))
        batches = np.random.default_rng(0).integers(0, len(data.train[0]), (20, 50)).astype(np.int32)
        costs.append(program.run([tf.constant(array) for array in data.train], batches).numpy())
    np.testing.assert_array_equal(*costs)
    assert costs[0][-1] < costs[0][0]


@pytest.mark.parametrize("pixels", IN_TORCH)
def test_a_slice_of_the_cost_is_that_of_the_cost_itself(folders, pixels):
    """`MLP.along` has a body of its own. Would catch another scale in it."""
    workload = MLP(data_dir=folders / pixels, pixels=pixels, hidden=(7,), init="he")
    data = workload.data(0)
    examples = tuple(array[:9] for array in data.train)
    origin, *ways = (workload.variables(data, seed) for seed in range(3))
    points = tf.constant([[0.0, 0.0], [0.5, -0.25]], tf.float64)
    found, expected = (of(examples, origin, ways)(points) for of in (workload.along, super(MLP, workload).along))
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # float64 in another order of sums


def test_an_autoencoder_refuses_what_is_no_probability():
    with pytest.raises(InputError, match="An autoencoder's pixels are probabilities, from 0 to 1: found --pixels stan"):
        Autoencoder(pixels="standardised")


def test_what_floats_are_said_to_be_is_a_part_of_what_identifies_data(folders):
    """The same files, of which something else is said, are other data; those of a run before keep their kind."""
    one, other = (MLP(data_dir=folders / "unit", pixels=pixels).data(0) for pixels in ("unit", "standardised"))
    assert fingerprint(one)["sha256"] == fingerprint(other)["sha256"]
    assert [fingerprint(data)["kind"] for data in (one, other)] == [
        f"float32 [64], uint8 [] (--pixels {pixels})" for pixels in ("unit", "standardised")
    ]
    assert fingerprint(MLP(data_dir=folders / "uint8").data(0))["kind"] == "uint8 [64], uint8 []"


def test_what_was_read_is_one_line_of_every_workload(folders):
    split = "; 125 for validation, 297 for the test"
    expected = {
        MLP(data_dir=folders / "uint8"): f"1,375 images of 8×8 for training, uint8 from 0 to 240, 10 classes{split}",
        CNN(data_dir=folders / "unit", pixels="unit"): (
            f"1,375 images of 8×8 for training, float32 from 0 to 1 (--pixels unit), 10 classes{split}"
        ),
        Autoencoder(data_dir=folders / "uint8"): f"1,375 images of 8×8 for training, uint8 from 0 to 240{split}",
        Regression(): (
            "352 rows of 10 columns for training, progression from 25 to 346, all standardised; 45 for validation, 45 "
            "for the test"
        ),
        Transformer(modulus=11, share=0.5): (
            "60 sums a + b modulo 11 for training, 121 in all; 29 for validation, 32 for the test"
        ),
    }
    for workload, line in expected.items():
        assert workload.data(0).summary == line


def test_a_run_is_evaluated_on_images_that_are_turned_as_its_own(folders):
    """Would catch 5×6 pixels in a network for 6×5, whose rows of pixels are as long."""
    np.savez(folders / "oblong.npz", **{
        name: np.load(folders / "uint8" / f"{name}.npy")[:, :6, :5] if name[0] == "x" else
        np.load(folders / "uint8" / f"{name}.npy") for name in ARRAYS
    })  # fmt: skip
    run = MLP(data_dir=folders / "oblong.npz").data(0)
    for there, transpose in (("oblong.npz", True), ("uint8", False)):
        other = MLP(data_dir=folders / there, transpose=transpose)
        with pytest.raises(InputError, match=r"^The run was trained on images of 6×5, found images of (5×6|8×8)\.$"):
            other.with_schema(run.schema).data(0)
    assert MLP(data_dir=folders / "oblong.npz").with_schema(run.schema).data(0).schema == run.schema


def test_floats_are_trained_on_gone_on_with_evaluated_and_exported(folders, tmp_path, monkeypatch, capsys):
    """Would catch an export that divides what it is handed by 255, or that takes bytes."""

    def run(*arguments, status=0):
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        assert stop.value.code == status, said.err
        return said.err

    monkeypatch.chdir(tmp_path)
    data = ["--data-dir", folders / "unit", "--pixels", "unit"]
    quick = ["--hidden", "32", "--init", "he", "--batch-size", "50", "--learning-rate", "0.01"]
    line = "1,375 images of 8×8 for training, float32 from 0 to 1 (--pixels unit), 10 classes; 125 for validation, 297"
    assert line in run("train", *data, *quick, "--epochs", "2", "--checkpoint", "run")
    resume = ["train", "--checkpoint", "run", "--resume", "--epochs", "4"]
    assert "kind float32 [64], uint8 [] (--pixels unit), not float32 [64], uint8 [] (--pixels standardised)" in run(
        *resume, "--pixels", "standardised", status=2
    )
    run(*resume, "--json", "run.json")
    assert line in run("evaluate", "--checkpoint", "run", "--json", "figures.json")
    report, figures = (json.loads((tmp_path / name).read_text()) for name in ("run.json", "figures.json"))
    assert report["data"] == figures["data"]
    assert report["data"].startswith(line)
    assert report["test_accuracy"] == figures["test"]["accuracy"] > 0.8
    run("evaluate", "--checkpoint", "run", "--data-dir", folders / "uint8", "--pixels", "bytes", "--json", "bytes.json")
    # 240/255 for 1: the same digits, a little darker.
    assert json.loads((tmp_path / "bytes.json").read_text())["test"]["accuracy"] == pytest.approx(
        report["test_accuracy"], abs=0.03
    )
    # Another place's pixels are not those of the run's own.
    run("evaluate", "--checkpoint", "run", "--data-dir", folders / "uint8", "--json", "bytes.json")
    assert "holds float32 from 0 to 1: give --pixels" in run(
        "evaluate", "--checkpoint", "run", "--data-dir", folders / "unit", status=2
    )
    other = ["--data-dir", folders / "standardised", "--pixels", "standardised"]
    assert run("evaluate", "--checkpoint", "run", *other, status=2) == (
        "rawstep: The run was trained on pixels from 0 to 1, or bytes, found --pixels standardised.\n"
    )
    run("export", "--checkpoint", "run", "--saved-model", "served", "--stablehlo", "epoch")
    served = tf.saved_model.load("served").signatures["serving_default"]
    assert served.structured_input_signature[1]["images"].dtype == tf.float32
    found = served(images=tf.constant(IMAGES["unit"][1500:].reshape(-1, 64)))["classes"].numpy()
    assert (found == LABELS[1500:]).mean() == pytest.approx(report["test_accuracy"], abs=1e-6)
    run("race", "--landscape", "slice", *data, "--steps", "20", "--rates", "2", "--rules", "adam")
    run("inspect", *data, *quick, "--no-ladder", "--steps", "8")
