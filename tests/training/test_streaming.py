"""Runs that stream: within a limit of memory. What they bear is in tests/training/faults.

`make test` streams ten times the limit; `make faults` a hundred times, and sees that the limit would be broken.
"""

import os
import re
import subprocess
import sys

import pytest

from training.workloads.data import load_dataset

from .faults.runs import write_shards
from .processes import ENVIRONMENT

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
        "--hidden", "16", "--batch-size", "50", "--epochs", str(epochs), "--execution", "graph",
        "--window", str(window),
    ]  # fmt: skip
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
    digits = load_dataset().train
    write_shards(folder, digits.images.reshape(-1, 28, 28), digits.labels, min(count, 30), 1_000)
    for number in range(30, count):
        os.link(folder / f"train-{number % 30:05d}.npz", folder / f"train-{number:05d}.npz")
    return folder


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.whole)])
def test_data_of_ten_times_a_limit_are_streamed_within_it(tmp_path, times):
    """Beside a run of the same network on data of less than the limit."""
    few, calls = taken(many(tmp_path / "few", 25), 4_000, epochs=2)
    much, more_calls = taken(many(tmp_path / "many", int(times * LIMIT * 1e6 / 785_000)), 4_000)
    print(f"{calls} calls took {few:.0f} MB, {more_calls} took {much:.0f}")
    assert more_calls > times / 2 * calls
    assert much - few < LIMIT


@pytest.mark.whole
def test_data_in_one_window_are_beyond_the_limit(tmp_path):
    """What is measured is the stream's memory, and would show a window that is not let go."""
    few, _ = taken(many(tmp_path / "few", 25), 4_000)
    beyond, _ = taken(many(tmp_path / "many", int(10 * LIMIT * 1e6 / 785_000)), 10**9)
    print(f"in windows {few:.0f} MB, in one {beyond:.0f}")
    assert beyond - few > 10 * LIMIT / 2


def test_what_is_streamed_is_said(place, run_here):
    words = ["--stream", "shards", "--window", "400", "--hidden", "none", "--epochs", "1", "--execution", "graph"]
    assert (
        f"rawstep: streaming 20 shards, npz of uint8 28×28, 2,000 examples, from {place}/shards, each epoch in 5 "
        "windows of about 400; two windows take at most about 0.784 MB"
    ) in run_here("train", *words, cwd=place).stderr
