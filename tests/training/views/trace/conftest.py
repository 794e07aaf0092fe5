"""Two traced runs on striped images, made once by the command as a person gives it, and read by all tests."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from training.commands.cli import main
from training.views.trace.trace import load

from ...striped import striped_images
from ...workloads.data.idx_bytes import idx

QUICK = ["--hidden", "8", "--init", "he", "--batch-size", "7", "--epochs", "2"]
"""64 steps."""
GRAPH = ["--execution", "graph"]
"""It needs no compilation, which takes the most of a short run."""
ADAM = ["--learning-rate", "0.01", "--every", "3", "--follow", "h1[5,2]", "bo[1]", "--values", "m_hat"]
ADAGRAD = ["--rule", "adagrad", "--dialect", "keras", "--learning-rate", "0.1", "--every", "4"]

AROUND = [
    "--schedule", "cosine:0.01,steps=90,warmup=9", "--clip-value", "0.1", "--clip-norm", "0.3", "--l2", "0.01",
    "--weight-decay", "0.1", "--decay-only", "matrices", "--ema", "0.9", "--accumulate", "2",
    "--group", "b*:sgd,learning_rate=0.1",
]  # fmt: skip


def traced(images, *arguments):
    """Runs the command in this process, to its end."""
    with pytest.raises(SystemExit) as stop:
        main(["trace", *QUICK, "--data-dir", str(images), *map(str, arguments)])
    assert stop.value.code == 0


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of four IDX files."""
    train, test = striped_images(250, 0), striped_images(50, 1)
    folder = tmp_path_factory.mktemp("striped")
    for part, (pixels, labels) in {"train": train, "t10k": test}.items():
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels.reshape(-1, 4, 4)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


@pytest.fixture(scope="session")
def runs(images, tmp_path_factory):
    """Folders adam and adagrad, the first shown beside the second; the traces; and the second one's JSON and CSV."""
    root = tmp_path_factory.mktemp("traces")
    adam, adagrad, written = root / "adam", root / "adagrad", root / "adam.json"
    traced(images, *GRAPH, *ADAM, "--out", adam, "--no-cost")
    traced(images, *GRAPH, *ADAGRAD, "--out", adagrad, "--beside", adam, "--json", written, "--csv", root / "table.csv")
    return SimpleNamespace(
        adam=adam, adagrad=adagrad, traces={folder: load(folder) for folder in (adam, adagrad)},
        json=json.loads(written.read_text()), csv=(root / "table.csv").read_text(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def around(images, tmp_path_factory):
    """The folder of a trace of two steps with all kinds of pieces around two rules, around.json beside it."""
    folder = tmp_path_factory.mktemp("traces") / "around"
    follow = ["--follow", "h1[5,2]", "bo[1]", "--every", "30", "--json", folder.with_suffix(".json")]
    traced(images, *GRAPH, *AROUND, *follow, "--no-cost", "--out", folder)
    return folder


@pytest.fixture
def assert_same_columns():
    def same(one, other):
        assert one.keys() == other.keys()
        for name, column in one.items():
            np.testing.assert_array_equal(column, other[name], err_msg=name)

    return same
