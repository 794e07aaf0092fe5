"""Every command on every workload, at a small size, as a person types it."""

import gc
import json
import re
import sys
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

from .processes import ROOT
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


OWN = "my_task:Spirals"
"""README's."""
SMALL[OWN] = ["--width", "4"]


@pytest.fixture(params=[*WORKLOADS, OWN])
def name(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (x_train, y_train), (x_test, y_test) = striped_images(250, 0), striped_images(50, 1)
    images = [array.reshape(-1, 4, 4) for array in (x_train, x_test)]
    np.savez("images.npz", x_train=images[0], y_train=y_train, x_test=images[1], y_test=y_test)
    blocks = re.findall("```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    Path("my_task.py").write_text(next(block for block in blocks if block.startswith("# my_task.py")))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_task", raising=False)
    return request.param


def ran(*arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    del end
    gc.collect()  # a run's folder is locked until the run is gone, as it is with its process


def content(name):
    return json.loads(Path(name).read_text())


@pytest.mark.filterwarnings("ignore::core.SlowExecutionWarning")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's own
def test_all_commands_take_it(name, tmp_path):
    """Would catch a command that knows the perceptron alone: its names, its shapes, its accuracy, its execution."""
    options = ["--workload", name, *SMALL[name]]
    of, judged_by, run = chosen(name, dict(_grouped(SMALL[name]))), kind_of(name).judged_by, ["--checkpoint", "run"]
    ran("train", *options, "--batch-size", "20", "--epochs", "1", *run, "--keep-best", "--plot", "run.png")
    ran("train", *run, "--resume", "--epochs", "2", "--json", "run.json", "--csv", "run.csv")
    report = content("run.json")
    best = report["epochs"][report["best_epoch"] - 1][f"validation_{judged_by}"]
    assert np.isfinite([best, report[f"test_{judged_by}"], report["epochs"][0]["cost"]]).all()
    assert Path("run.csv").read_text() == csv_text(report["epochs"])
    ran("evaluate", *run, "--json", "evaluated.json")
    # Weights that are constants are folded into what they are multiplied by.
    assert content("evaluated.json")["test"][judged_by] == pytest.approx(report[f"test_{judged_by}"], rel=1e-6)
    if name != OWN:  # which names no outputs
        exported_as_rawstep_computes_it(of.data(0).test[0][:7], *run)

    short = ["--batch-size", "20", "--steps", "2"]
    # As a graph: XLA takes ten times as long to compile a recorded loop as all the rest of this takes.
    ran("trace", *options, *short[:2], "--epochs", "1", "--every", "4", "--no-cost", "--execution", "graph")
    assert of.title(of.data(0)) in (tmp_path / "trace" / "trace.html").read_text()
    ladder = ["--rounds", "2", "--compilations", "1"] if name == OWN else ["--no-ladder", "--execution", "xla-step"]
    ran("inspect", *options, *short, *ladder)
    few = ["--rules", "sgd", "--steps", "3", "--rates", "2"]
    ran("race", *options, "--landscape", "slice", *few, "--json", "race.json")
    assert of.title(of.data(0)) in content("race.json")["landscapes"]["slice"]["source"]
    # A rule by its module is judged in this process.
    of_paper = ["--rule", "core:SGD", "--reference", "sgd:paper", "--dtype", "float64", "--execution", "graph"]
    ran("verify", *options, *of_paper, "--steps", "20")


@pytest.mark.filterwarnings("ignore::core.SlowExecutionWarning")
@pytest.mark.parametrize("name", ["mlp"], indirect=True)
def test_commands_take_a_stream(name):
    """Would catch a command that looks for training examples in memory, where a few stand for a stream's."""
    ran("shard", "images.npz", "--out", "shards", "--size", "0.001")
    assert len([*Path("shards").glob("train-*")]) > 2
    options = ["--workload", name, "--stream", "shards", "--hidden", "4", "--batch-size", "20"]
    ran("train", *options, "--epochs", "1", "--checkpoint", "run", "--json", "run.json")
    ran("evaluate", "--checkpoint", "run", "--json", "evaluated.json")
    assert content("evaluated.json")["data"] == content("run.json")["data"]
    assert content("evaluated.json")["test"]["cost"] == pytest.approx(content("run.json")["test_cost"], rel=1e-6)
    ran("trace", *options, "--epochs", "1", "--every", "4", "--no-cost", "--execution", "graph")
    ran("inspect", *options, "--steps", "2", "--no-ladder", "--execution", "xla-step")
    few = ["--rules", "sgd", "--steps", "3", "--rates", "2"]
    ran("race", *options[:-2], "--landscape", "slice", *few, "--json", "race.json")
    assert content("race.json")["landscapes"]["slice"]["source"]


def exported_as_rawstep_computes_it(inputs, *run):
    ran("export", *run, "--saved-model", "served", "--keras", "model.keras")
    newest = RunFolder(Path("run")).newest()
    inputs = inputs.astype(newest.workload.input_dtype or inputs.dtype)
    expected = newest.workload.outputs(newest.served()[0], tf.constant(inputs))
    served = tf.saved_model.load("served").signatures["serving_default"](tf.constant(inputs))
    assert served.keys() == expected.keys()
    model = tf.keras.models.load_model("model.keras")
    for found in (model.predict(inputs, verbose=0), served[next(iter(expected))]):  # sums in another order
        np.testing.assert_allclose(found, next(iter(expected.values())), rtol=1e-4, atol=1e-6)


def _grouped(words):
    """--data-dir images.npz --hidden 4 as fields with their words."""
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    return [(words[a][2:].replace("-", "_"), tuple(words[a + 1 : b])) for a, b in pairwise([*starts, len(words)])]
