"""Runs that stream: within a limit of memory, killed and resumed, and with shards that are damaged while they train.

`make test` kills twice; `make streaming` twenty times, and streams ten times as much in less.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from training.runs.checkpoint import read
from training.workloads.data import load_dataset

from .processes import ENVIRONMENT, rawstep, started
from .test_faults import interrupted, outcome

PIECE = 500


def shards_of_mnist(folder, count, examples=PIECE):
    """Real digits: train-….npz of so many each, with validation and test of 500."""
    folder.mkdir()
    found = load_dataset()
    for part, split, pieces in (
        ("train", found.train, count),
        ("validation", found.validation, 1),
        ("test", found.test, 1),
    ):
        for number in range(pieces):
            rows = slice(number * examples, (number + 1) * examples)
            np.savez(
                folder / f"{part}-{number:05d}.npz", x=split.images[rows].reshape(-1, 28, 28), y=split.labels[rows]
            )
    return folder


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """20,000 digits in 40 shards."""
    return shards_of_mnist(tmp_path_factory.mktemp("shards") / "shards", 40)


def arguments(shards, folder, epochs):
    """Five windows an epoch, and two calls, of batches that do not divide a window: saved after every call."""
    return [
        "train", "--stream", shards, "--window", "4000", "--hidden", "16", "--batch-size", "130", "--epochs",
        str(epochs), "--execution", "graph", "--save-every", "1", "--checkpoint", folder,
    ]  # fmt: skip


KILLS = [pytest.param(2, 4, id="2"), pytest.param(20, 60, id="20", marks=pytest.mark.whole)]


@pytest.mark.parametrize(("kills", "epochs"), KILLS)
def test_a_streamed_run_killed_at_random_moments_ends_with_the_bits_of_an_undisturbed_one(
    shards, tmp_path, kills, epochs
):
    whole = rawstep(*arguments(shards, tmp_path / "whole", epochs))
    assert whole.returncode == 0, whole.stderr[-1000:]
    folder, chance, steps = tmp_path / "run", random.Random(kills), []
    for _ in range(kills):
        status, said = interrupted([*arguments(shards, folder, epochs), "--resume"], chance, signal.SIGKILL)
        assert status == -signal.SIGKILL, f"it was over before it could be killed, or failed: … {said[-500:]}"
        saved = sorted(path.name for path in folder.glob("step-*"))
        steps.append(int(saved[-1].removeprefix("step-")) if saved else 0)
    print(f"killed after the steps {steps}")
    assert steps[-1] > 0
    done = rawstep(*arguments(shards, folder, epochs), "--resume")
    assert done.returncode == 0, done.stderr[-1000:]
    assert outcome(folder) == outcome(tmp_path / "whole")


MEASURED = """
import resource, sys
from training.commands.cli import main
from training.runs import trainer

def anonymous():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["RssAnon"].split()[0]) / 1e3

call, seen = trainer.Trainer._call, []

def measured(self, steps, then):
    costs = call(self, steps, then)
    seen.append(anonymous())
    return costs

trainer.Trainer._call = measured
trainer.most_steps = lambda work: 50
try:
    main(sys.argv[1:])
finally:
    print("took", max(seen), "MB in", len(seen), "calls", file=sys.stderr)
"""


def taken(folder, window, epochs=1):
    """The most MB of anonymous memory between a run's calls, of 50 steps, and how many calls there were."""
    options = [
        "--hidden",
        "16",
        "--batch-size",
        "50",
        "--epochs",
        str(epochs),
        "--execution",
        "graph",
        "--window",
        str(window),
    ]
    command = [sys.executable, "-c", MEASURED, "train", "--stream", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.search(r"took ([\d.]+) MB in (\d+) calls", done.stderr)
    assert found is not None
    return float(found[1]), int(found[2])


LIMIT = 30
"""MB. Of 784 bytes an image, two windows take 8, and a call 2; the rest is how memory is divided among threads."""


def many(folder, count):
    """A thousand digits in each of so many shards; after thirty they are links to those, by other names."""
    shards_of_mnist(folder, min(count, 30), 1_000)
    for number in range(30, count):
        os.link(folder / f"train-{number % 30:05d}.npz", folder / f"train-{number:05d}.npz")
    return folder


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.whole)])
def test_data_of_ten_times_a_limit_are_streamed_within_it(tmp_path, times):
    """Beside a run of the same network on data of less than the limit. All in one window are beyond it: so what is
    measured is the stream's memory, and would show a window that is not let go."""
    few, calls = taken(many(tmp_path / "few", 25), 4_000, epochs=4)
    folder = many(tmp_path / "many", int(times * LIMIT * 1e6 / 785_000))
    much, more_calls = taken(folder, 4_000)
    print(f"{calls} calls took {few:.0f} MB, {more_calls} took {much:.0f}")
    assert more_calls > times / 4 * calls
    assert much - few < LIMIT
    if times == 10:
        beyond, _ = taken(folder, 10**9)
        print(f"in one window {beyond:.0f} MB")
        assert beyond - few > times * LIMIT / 2


def vanish(shard):
    shard.unlink()


def damage(shard):
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)


@pytest.mark.parametrize(("change", "sentence"), [(vanish, "No such file"), (damage, "Bad CRC-32")])
def test_a_shard_that_is_lost_while_it_trains_ends_the_run_in_a_sentence_and_its_checkpoint_goes_on(
    shards, tmp_path, change, sentence
):
    folder, own = tmp_path / "run", tmp_path / "shards"
    shutil.copytree(shards, own)
    process = started(*arguments(own, folder, 300))
    while "epoch 1/" not in process.stderr.readline():
        pass
    change(own / "train-00007.npz")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2, said[-2000:]
    last = said.rstrip("\n").splitlines()[-1]
    assert last.startswith(f"rawstep: {own / 'train-00007.npz'}")
    assert sentence in last
    assert "Traceback" not in said
    newest = read(max(folder.glob("step-*")))
    epochs = len(newest.run["epochs"]) + 1
    shutil.copy(shards / "train-00007.npz", own)
    done = rawstep(*arguments(own, folder, epochs), "--resume")
    assert done.returncode == 0, done.stderr[-1000:]
    whole = rawstep(*arguments(shards, tmp_path / "whole", epochs))
    assert whole.returncode == 0, whole.stderr[-1000:]
    assert outcome(folder) == outcome(tmp_path / "whole")


def test_two_workers_stream_to_the_bits_of_one_process_with_two_microbatches(shards, tmp_path):
    """Each reads all shards, and keeps its own half of every batch alone."""
    options = [
        "--stream", shards, "--window", "4000", "--hidden", "16", "--epochs", "1", "--microbatches", "2",
    ]  # fmt: skip
    one = rawstep("train", *options, "--checkpoint", tmp_path / "one")
    assert one.returncode == 0, one.stderr[-1000:]
    two = rawstep("launch", "--workers", "2", "train", *options, "--checkpoint", tmp_path / "two")
    assert two.returncode == 0, two.stderr[-1000:]
    assert outcome(tmp_path / "two") == outcome(tmp_path / "one")


def test_what_is_streamed_is_said(shards, tmp_path):
    done = rawstep("train", "--stream", shards, "--window", "4000", "--hidden", "none", "--epochs", "1")
    assert (
        f"rawstep: streaming 40 shards, npz of uint8 28×28, 20,000 examples, from {shards}, each epoch in 5 windows of "
        "about 4,000; two windows take at most about 7.06 MB"
    ) in done.stderr
