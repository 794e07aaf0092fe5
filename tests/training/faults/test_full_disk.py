"""Commands on a disk that is full: a real one of a few bytes.

`make test` trains on one until it is full; `make faults` runs every command that writes.
"""

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from training.runs.checkpoint import read

from ..disk import disk_of
from ..processes import ENVIRONMENT, command, rawstep
from .runs import DIGITS

PAGE = 4096
NO_SPACE = "cannot be written: No space left on device"
TRAIN = ["train", *DIGITS, "--execution", "graph", "--epochs", "2"]
COMPARE = ["compare", "--engines", "graph", "xla-step", "--hidden", "8", "--rounds", "2"]
VERIFY = ["verify", "--rule", "sgd", "--reference", "keras", "--execution", "graph", "--steps", "50"]
RACE = ["race", "--steps", "20", "--rates", "3", "--landscape", "beale", "--rules", "adam"]


class Case(NamedTuple):
    """arguments: of a command, which writes into the folder `disk` and beside it. size: of the disk, in pages.
    named:     what on the disk the sentence names. written: what is beside it afterwards.
    whole:     what is on the disk, if anything.
    """

    arguments: list[str]
    named: str
    written: set[str]
    size: int = 0
    whole: tuple[str, ...] = ()
    program: str = "training"


CASES = {
    "train --json": Case(
        [*TRAIN, "--json", "disk/a", "--csv", "b.csv", "--plot", "c.svg"], "disk/a", {"b.csv", "c.svg"}
    ),
    "train --csv": Case(
        [*TRAIN, "--csv", "disk/a", "--json", "b.json", "--plot", "c.svg"], "disk/a", {"b.json", "c.svg"}
    ),
    "train --plot": Case(
        [*TRAIN, "--plot", "disk/a.png", "--json", "b.json", "--csv", "c.csv"], "disk/a.png", {"b.json", "c.csv"}, 2
    ),
    "train --tensorboard": Case(
        [*TRAIN[:-1], "99", "--tensorboard", "disk/a", "--json", "b.json"], "disk/a", {"b.json"}, 1, ("a",)
    ),
    "launch": Case(
        ["launch", "--workers", "2", *TRAIN, "--checkpoint", "disk/run", "--save-every", "1"],
        "disk/run/step-", set(), 5, ("run",),
    ),
    "evaluate --json": Case(
        ["evaluate", "--checkpoint", "run", "--json", "disk/a", "--csv", "b.csv"], "disk/a", {"b.csv"}
    ),
    "trace": Case(
        ["trace", *TRAIN[1:], "--no-cost", "--out", "disk/trace", "--json", "b.json", "--csv", "c.csv"],
        "disk/trace", {"b.json", "c.csv"}, 16,
    ),
    "shard": Case(["shard", "digits.npz", "--out", "disk/a", "--json", "b.json"], "disk/a", set(), 16),
    "export": Case(
        ["export", "--checkpoint", "run", "--saved-model", "disk/a", "--keras", "b.keras", "--stablehlo", "c"],
        "disk/a", {"b.keras", "c"}, 8,
    ),
    "export --keras": Case(
        ["export", "--checkpoint", "run", "--keras", "disk/a.keras", "--saved-model", "b"], "disk/a.keras", {"b"}, 8
    ),
    "export --stablehlo": Case(
        ["export", "--checkpoint", "run", "--stablehlo", "disk/a", "--saved-model", "b"], "disk/a", {"b"}, 8
    ),
    "export-tf1": Case(["export-tf1", "--checkpoint", "run", "--out", "disk/a.ckpt"], "disk/a.ckpt", set(), 8),
    "verify": Case(
        [*VERIFY, "--json", "disk/a", "--csv", "b.csv", "--junit", "c.xml"], "disk/a", {"b.csv", "c.xml"}
    ),
    "verify --junit": Case([*VERIFY, "--junit", "disk/a", "--json", "b.json"], "disk/a", {"b.json"}),
    "verify --save-streams": Case(
        [*VERIFY, "--save-streams", "disk/a.npz", "--json", "b.json"], "disk/a.npz", {"b.json"}
    ),
    "race": Case([*RACE, "--out", "disk/race", "--json", "b.json"], "disk/race/", {"b.json"}, 8, ("race",)),
    "explain": Case(["explain", "adam", "--html", "disk/a.html", "--json", "b.json"], "disk/a.html", {"b.json"}),
    "inspect": Case(
        ["inspect", "--html", "disk/a.html", "--json", "b.json", "--hlo", "c.hlo"], "disk/a.html", {"b.json", "c.hlo"}
    ),
    "translate": Case(
        ["translate", "adam", "--from", "torch", "--to", "keras", "--json", "disk/a", "--csv", "b.csv"],
        "disk/a", {"b.csv"},
    ),
    "compare": Case(
        [*COMPARE, "--out", "disk/a", "--json", "b.json", "--csv", "c.csv"],
        "disk/a/", {"b.json", "c.csv"}, whole=("a",), program="benchmarks",
    ),
    "overhead": Case(
        ["overhead", "--out", "disk/a", "--json", "b.json"], "disk/a/", {"b.json"}, whole=("a",), program="benchmarks"
    ),
}  # fmt: skip


def run_on(disk, *words, cwd):
    """A command with the disk, in a folder, to its end."""
    inside = disk.on("sh", "-c", 'cd "$0" && exec "$@"', cwd, *words)
    return subprocess.run(inside, capture_output=True, text=True, env=ENVIRONMENT, timeout=600)


def test_a_run_whose_checkpoints_fill_the_disk_ends_in_a_sentence_and_goes_on_when_there_is_room(place, tmp_path):
    """Five checkpoints of 0.15 MB, of which four are there for a moment. Would catch an error that is lost in the
    thread, a half-written folder, and a checkpoint that is removed before the next one is on the disk."""
    with disk_of(450_000, tmp_path) as disk:
        folder, words = disk.path / "run", ["train", *DIGITS, "--execution", "graph", "--epochs", "5"]
        done = run_on(disk, *command(*words, "--checkpoint", folder), cwd=place)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert done.stderr.splitlines()[-1] == f"rawstep: {folder}/step-00000054 {NO_SPACE}."
        assert "Traceback" not in done.stderr
        left = sorted((disk.seen / "run").iterdir())
        assert [(path.name, read(path).step) for path in left] == [("step-00000018", 18), ("step-00000036", 36)]
        disk.resize(4_000_000)
        done = run_on(disk, *command(*words, "--checkpoint", folder, "--resume"), cwd=place)
        assert done.returncode == 0, done.stderr
        assert f"resuming {folder}/step-00000036" in done.stderr
        assert read(max((disk.seen / "run").iterdir())).step == 90


@pytest.fixture(scope="module")
def filled(place):
    """The folder with data, with a run in it."""
    done = rawstep(*TRAIN, "--checkpoint", "run", cwd=place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.whole
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_full_disk_ends_in_one_sentence_and_costs_nothing_else(filled, tmp_path, case):
    """Would catch a file that is half written under its name, one output that costs the others, and a traceback."""
    for path in filled.iterdir():
        (tmp_path / path.name).symlink_to(path)
    before = {path.name for path in tmp_path.iterdir()} | {"disk"}
    (tmp_path / "disk").mkdir()
    with disk_of(PAGE * max(case.size, 1), tmp_path / "disk") as disk:
        if not case.size:
            (disk.seen / "full").write_bytes(bytes(PAGE))
        words = [sys.executable, "-m", case.program, *case.arguments]
        done = run_on(disk, *words, cwd=tmp_path)
        left = {*os.listdir(disk.seen)} - {"full"}
        hidden = [path.name for path in disk.seen.rglob(".*")]
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("rawstep")
    assert f"{case.named}" in last
    assert NO_SPACE in last
    assert done.stderr.count(NO_SPACE) == last.count(NO_SPACE)
    assert (left, hidden) == ({*case.whole}, [])
    assert {path.name for path in tmp_path.iterdir()} - before == case.written
