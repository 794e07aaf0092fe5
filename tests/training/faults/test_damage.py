"""Shards and checkpoints that are damaged: a run that loses a shard ends in a sentence, and one whose newest checkpoint
is damaged goes on from the newest whole one.

`make test` damages one shard while it is read; `make faults` does all of it.
"""

import re
import shutil
from pathlib import Path

import pytest

from training.runs.checkpoint import read

from ..processes import rawstep, running
from .runs import arguments, finished, outcome, undisturbed


def remove(file):
    file.unlink()


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)


def truncate(file):
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [pytest.param(remove, "No such file", marks=pytest.mark.whole), (flip, "Bad CRC-32")],
)
def test_a_shard_that_is_lost_while_it_trains_ends_the_run_in_a_sentence_and_its_checkpoint_goes_on(
    place, tmp_path, change, sentence
):
    folder, shard = tmp_path / "run", Path("shards", "train-00007.npz")
    shutil.copytree(place / "shards", tmp_path / "shards")
    with running(*arguments("streamed", folder, 10**6), cwd=tmp_path) as process:
        next(line for line in process.stderr if line.startswith("epoch 1/"))
        change(tmp_path / shard)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 2, said[-2000:]
    last = said.rstrip("\n").splitlines()[-1]
    assert last.startswith(f"rawstep: {tmp_path / shard}")
    assert sentence in last
    assert "Traceback" not in said
    epochs = len(read(max(folder.glob("step-*"))).run["epochs"]) + 1
    shutil.copy(place / shard, tmp_path / shard)
    left, _ = finished("streamed", tmp_path, folder, epochs)
    assert len(left["epochs"]) == epochs


EPOCHS = 4


@pytest.fixture(scope="module")
def trained(place, tmp_path_factory):
    """What runs left after some epochs, and what the same ones leave after one more, by name."""
    remembered = {}

    def of(run):
        if run not in remembered:
            folder = tmp_path_factory.mktemp("trained")
            undisturbed(run, place, folder / "run", EPOCHS)
            remembered[run] = folder / "run", undisturbed(run, place, folder / "whole", EPOCHS + 1)
        return remembered[run]

    return of


@pytest.mark.whole
@pytest.mark.parametrize(
    ("run", "change", "pattern", "count"),
    [
        ("regression", flip, "state.data*", 1),
        ("regression", truncate, "state.index", 1),
        ("regression", remove, "state.data*", 1),
        ("regression", flip, "*", 2),
        ("streamed", truncate, "state.data*", 1),
        ("two workers", flip, "state.data*", 1),
    ],
)
def test_a_run_whose_newest_checkpoints_are_damaged_goes_on_from_the_newest_whole_one(
    place, tmp_path, trained, run, change, pattern, count
):
    """Would catch one that trusts a name, one that starts afresh, one that does so silently, and workers that do not
    go on from the same."""
    source, expected = trained(run)
    folder = tmp_path / "run"
    shutil.copytree(source, folder)
    *_, whole, first, second = sorted(folder.glob("step-*"))
    damaged = [second] if count == 1 else [second, first]
    for path in damaged:
        for file in path.glob(pattern):
            change(file)
    report = tmp_path / "run.json"
    done = rawstep(*arguments(run, folder, EPOCHS + 1, "--resume", "--json", report), cwd=place)
    assert done.returncode == 0, done.stderr[-2000:]
    going_on = first if count == 1 else whole
    notes = re.findall(r"(\S+) is damaged \(.+\), kept as (\S+): going on from (\S+)$", done.stderr, re.MULTILINE)
    assert notes == [(str(path), f"{path.name}.damaged", str(going_on)) for path in damaged]
    assert outcome(folder) == expected[0]
