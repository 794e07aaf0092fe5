"""Every command on every workload, at a small size, as a person types it."""

import gc
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from training.commands.cli import main
from training.output.csv_table import csv_text
from training.runs.run_folder import RunFolder
from training.workloads import WORKLOADS
from training.workloads.choice import chosen, kind_of

from .striped import striped_images

IMAGES = ["--data-dir", "images.npz"]
SMALL = {
    "mlp": [*IMAGES, "--hidden", "4"],
    "cnn": [*IMAGES, "--channels", "2"],
    "transformer": ["--modulus", "7", "--width", "4", "--heads", "2", "--depth", "1"],
    "autoencoder": [*IMAGES, "--units", "5", "2"],
    "regression": ["--hidden", "4"],
}
"""Options by which each is quick; of those on images, 4×4 pixels."""


@pytest.fixture(params=WORKLOADS)
def name(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (x_train, y_train), (x_test, y_test) = striped_images(250, 0), striped_images(50, 1)
    images = [array.reshape(-1, 4, 4) for array in (x_train, x_test)]
    np.savez("images.npz", x_train=images[0], y_train=y_train, x_test=images[1], y_test=y_test)
    return request.param


def ran(*arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    del end
    gc.collect()  # a run's folder is locked until the run is gone, as it is with its process


@pytest.mark.filterwarnings("ignore::core.SlowExecutionWarning")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's own
def test_all_commands_take_it(name, capsys, tmp_path):
    """Would catch a command that knows the perceptron alone: its names, its shapes, its accuracy, its execution."""
    workload = ["--workload", name, *SMALL[name]]
    judged_by, run = kind_of(name).judged_by, ["--checkpoint", "run"]
    ran("train", *workload, "--batch-size", "20", "--epochs", "1", *run, "--keep-best", "--plot", "run.png")
    ran("train", *run, "--resume", "--epochs", "2", "--json", "run.json", "--csv", "run.csv")
    report = json.loads((tmp_path / "run.json").read_text())
    best = report["epochs"][report["best_epoch"] - 1][f"validation_{judged_by}"]
    assert np.isfinite([best, report[f"test_{judged_by}"], report["epochs"][0]["cost"]]).all()
    assert (tmp_path / "run.csv").read_text() == csv_text(report["epochs"])
    capsys.readouterr()

    ran("evaluate", *run, "--json", "evaluated.json")
    evaluated = json.loads((tmp_path / "evaluated.json").read_text())
    assert evaluated["test"][judged_by] == pytest.approx(report[f"test_{judged_by}"], rel=1e-6)  # constants are folded

    ran("export", *run, "--saved-model", "served", "--keras", "model.keras")
    settings = {option.removeprefix("--").replace("-", "_"): tuple(words) for option, words in _grouped(SMALL[name])}
    of = chosen(name, settings)
    inputs = of.data(0).test[0][:7]
    expected = of.outputs(RunFolder(Path("run")).newest().served()[0], tf.constant(inputs))
    served = tf.saved_model.load("served").signatures["serving_default"](tf.constant(inputs))
    assert served.keys() == expected.keys()
    model = tf.keras.models.load_model("model.keras")
    for found in (model.predict(inputs, verbose=0), served[next(iter(expected))]):  # sums in another order
        np.testing.assert_allclose(found, next(iter(expected.values())), rtol=1e-4, atol=1e-6)

    ran("trace", *workload, "--batch-size", "20", "--epochs", "1", "--every", "4", "--no-cost")
    assert name in (tmp_path / "trace" / "trace.html").read_text() or of.title(of.data(0)) in capsys.readouterr().out
    ran("inspect", *workload, "--batch-size", "20", "--steps", "2", "--no-ladder", "--execution", "xla-step")
    ran("race", *workload, "--landscape", "slice", "--rules", "sgd", "--steps", "3", "--rates", "2")
    shown = capsys.readouterr().out
    assert of.small().title(of.data(0)) in shown or "slice" in shown
    ran(
        "verify",
        *workload,
        "--rule",
        "sgd",
        "--reference",
        "paper",
        "--dtype",
        "float64",
        "--execution",
        "graph",
        "--steps",
        "20",
    )


def _grouped(words):
    """--data-dir images.npz --hidden 4 as pairs."""
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    return [(words[a], words[a + 1 : b]) for a, b in pairwise([*starts, len(words)])]
