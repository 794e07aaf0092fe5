"""Small runs of every workload, feed, chain and strategy, to be disturbed: each is saved after every call."""

import json
import re

import numpy as np

from training.runs.checkpoint import read
from training.workloads.data import load_dataset

from ..processes import ROOT, rawstep, started
from ..striped import striped_images

DIGITS = ["--data-dir", "digits.npz", "--hidden", "16", "--batch-size", "50"]
"""18 steps an epoch, in two calls."""
STREAM = ["--stream", "shards", "--window", "400", "--hidden", "16"]
"""Five windows an epoch, which batches of 30 do not divide."""
STRIPES = ["--data-dir", "stripes.npz", "--batch-size", "20"]
AROUND = [
    "--schedule", "cosine:3e-3,steps=20000,warmup=200", "--clip-global-norm", "1", "--weight-decay", "0.01",
    "--decay-only", "matrices", "--ema", "0.99", "--group", "biases:sgd,learning_rate=0.1", "--accumulate", "2",
    "--keep-best", "--patience", "100000",
]  # fmt: skip
TWO_WORKERS = ["launch", "--workers", "2", "train"]

RUNS = {
    "one process": ["train", *DIGITS, *AROUND],
    "streamed": ["train", *STREAM, "--execution", "graph", "--batch-size", "30"],
    "two workers": [*TWO_WORKERS, *DIGITS],
    "two workers, streamed": [*TWO_WORKERS, *STREAM, "--microbatches", "2"],
    "two microbatches, streamed": ["train", *STREAM, "--microbatches", "2"],
    "mirrored": ["train", *DIGITS, "--strategy", "mirrored"],
    "adagrad": ["train", *DIGITS, "--rule", "adagrad", "--learning-rate", "0.01"],
    "adadelta": ["train", *DIGITS, "--rule", "adadelta", "--learning-rate", "1"],
    "float16, with a loss scale": ["train", *DIGITS, "--compute", "float16"],
    "bfloat16 parameters": ["train", *DIGITS, "--parameters", "bfloat16"],
    "cnn": ["train", "--workload", "cnn", *STRIPES, "--channels", "2"],
    "autoencoder": ["train", "--workload", "autoencoder", *STRIPES, "--units", "5", "2"],
    "transformer": [
        "train", "--workload", "transformer", "--modulus", "11", "--width", "4", "--heads", "2", "--depth", "1",
        "--batch-size", "10",
    ],
    "regression": ["train", "--workload", "regression", "--hidden", "4", "--batch-size", "20"],
    "a workload of one's own": ["train", "--workload", "my_task:Spirals", "--width", "4"],
}  # fmt: skip


def make_data(folder):
    """What the runs read: real digits, also as shards, stripes, and README's workload."""
    digits = load_dataset()
    x, y = digits.train.images.reshape(-1, 28, 28), digits.train.labels
    test = {"x_test": digits.test.images[:100].reshape(-1, 28, 28), "y_test": digits.test.labels[:100]}
    np.savez(folder / "digits.npz", x_train=x[:1000], y_train=y[:1000], **test)
    write_shards(folder / "shards", x, y)
    (x_train, y_train), (x_test, y_test) = striped_images(500, 0), striped_images(50, 1)
    stripes = {"x_train": x_train.reshape(-1, 4, 4), "x_test": x_test.reshape(-1, 4, 4)}
    np.savez(folder / "stripes.npz", **stripes, y_train=y_train, y_test=y_test)
    blocks = re.findall("```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "my_task.py").write_text(next(block for block in blocks if block.startswith("# my_task.py")))


def write_shards(folder, x, y, train=20, size=100):
    """train-….npz of `size` examples each, and one for validation and test."""
    folder.mkdir()
    names = [f"train-{number:05d}" for number in range(train)] + ["validation-00000", "test-00000"]
    for number, name in enumerate(names):
        rows = slice(number * size, (number + 1) * size)
        np.savez(folder / f"{name}.npz", x=x[rows], y=y[rows])


def arguments(run, folder, epochs, *more):
    return [*RUNS[run], "--save-every", "1", "--checkpoint", folder, "--epochs", str(epochs), *more]


def outcome(folder):
    """The last checkpoint of a finished run: every tensor by its bytes, every figure, the place of the feed."""
    newest = read(max(folder.glob("step-*")))
    tensors = {name: tensor.tobytes() for name, tensor in newest.tensors.items()}
    return tensors | {name: newest.run[name] for name in ("epochs", "best", "costs", "feed")}


def reported(path):
    """The costs, metrics and figures of the test of a run that wrote this file."""
    figures = json.loads(path.read_text())
    return figures["epochs"], {name: figure for name, figure in figures.items() if name.startswith("test_")}


def finished(run, place, folder, epochs):
    """Resumes a run, or starts it, in the folder `place` with the data; returns what it leaves and reports."""
    report = folder.with_suffix(".json")
    done = rawstep(*arguments(run, folder, epochs, "--resume", "--json", report), cwd=place)
    assert done.returncode == 0, done.stderr[-2000:]
    return outcome(folder), reported(report)


def undisturbed(run, place, folder, epochs):
    """What a run leaves and reports that nobody interrupts. Nobody reads what it says, either: its standard error is
    closed after the first line, as by `2>&1 | head -1`."""
    report = folder.with_suffix(".json")
    with started(*arguments(run, folder, epochs, "--json", report), cwd=place) as process:
        process.stderr.readline()
        process.stderr.close()
        process.stdout.read()
    assert process.returncode == 0
    return outcome(folder), reported(report)
