"""`rawstep replicate` as a person runs it: interrupted, gone on with, and where it cannot go on."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from core import InputError
from training.commands.cli import main
from training.notebook.place import Place

from ..disk import files_no_larger_than
from ..processes import rawstep, started

SMALL = ["replicate", "--experiments", "adam", "resume", "--seeds", "2", "--epochs", "1"]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A replication that Ctrl-C has ended after its first run, and what it said."""
    folder = tmp_path_factory.mktemp("replication") / "out"
    process = started(*SMALL, "--out", folder)
    while not list(folder.glob("runs/*.json")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return folder, process.returncode, out, err


@pytest.fixture(scope="module")
def finished(interrupted):
    """The same, gone on with to the end: the folder, and when its first run was written."""
    folder, *_ = interrupted
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*.json")}
    done = rawstep(*SMALL, "--out", folder, "--csv", folder / "beside.csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, before, done.stdout


def test_an_interruption_says_what_is_kept(interrupted):
    folder, status, out, err = interrupted
    assert (status, out) == (128 + signal.SIGINT, "")
    assert err == (f"rawstep: interrupted; finished runs are kept in {folder}, and the same command goes on.\n")


def test_the_same_command_goes_on_and_makes_no_finished_run_again(finished):
    folder, before, shown = finished
    assert before
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    assert len(list(folder.glob("runs/*.json"))) == 4
    results = json.loads((folder / "results.json").read_text())
    assert list(results["parts"]) == ["adam", "resume"]
    assert set(results["runs"]) == {path.stem for path in folder.glob("runs/*.json")}
    assert len(results["runs"]["adam-rate-0.001-batch-100-epochs-1-seed-0-resumed"]["epochs"]) == 5
    assert (folder / "beside.csv").read_text().startswith("experiment,what,printed,figures_0,figures_1,band_mean,")
    assert "few seeds" in (folder / "report.html").read_text()
    assert f"report: {folder}/report.html" in shown
    assert {path.name for path in (folder / "pictures").iterdir()} == {
        "activations.png", "confusion.svg", "experiments.svg", "misclassified.png", "weights.png"
    }  # fmt: skip


def spoiled(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:100])


REFUSED = {
    "damaged results": (lambda folder: spoiled(folder, "results.json"), "results.json is damaged"),
    "another's results": (
        lambda folder: (folder / "results.json").write_text('{"score": 1}'),
        "results.json is not of `rawstep replicate`",
    ),
    "a damaged run": (
        lambda folder: spoiled(folder, "runs/adam-rate-0.001-batch-100-epochs-1-seed-1.json"),
        "seed-1.json is damaged",
    ),
    "a state that is gone": (
        lambda folder: (
            [(folder / "runs" / name).unlink() for name in os.listdir(folder / "runs") if "resumed" in name]
            + [shutil.rmtree(folder / "states")]
        ),
        "has no whole state of the run from which another goes on; remove",
    ),
    "a run of other settings": (
        lambda folder: [
            path.write_text(path.read_text().replace('"tf1"', '"keras"')) for path in folder.glob("runs/*")
        ],
        ".json is of something else; remove it, and that run alone is repeated.",
    ),
    "a folder where the report goes": (
        lambda folder: [(folder / "report.html").unlink(), (folder / "report.html").mkdir()],
        "report.html must be a file, found a folder.",
    ),
    "a file where runs go": (
        lambda folder: [shutil.rmtree(folder / "pictures"), (folder / "pictures").touch()],
        "pictures must be a folder",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_gone_on_with_ends_in_a_sentence_and_keeps_the_rest(finished, tmp_path, capfd, spoil, words):
    shutil.copytree(finished[0], tmp_path / "out")
    spoil(tmp_path / "out")
    kept = {path: path.read_bytes() for path in (tmp_path / "out").glob("runs/*")}
    results = (tmp_path / "out/results.json").read_bytes()
    with pytest.raises(SystemExit) as stop:
        main([*SMALL, "--out", str(tmp_path / "out")])
    out, err = capfd.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words in err
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("runs/*")} == kept
    assert (tmp_path / "out/results.json").read_bytes() == results


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--experiments", "adamm"], "There is no experiment 'adamm'; there are: adam, adam-lr-0.005,"),
        (["--experiments", "adam", "--out", "file"], "file must be a folder"),
        (
            ["--experiments", "adam", "--out", "a[b]"],
            "a[b] has [ and ] in its name, which TensorFlow takes for a pattern.",
        ),
        (["--seeds", "0"], "Must be >= 1"),
        (["--experiments"], "--experiments"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused_before_anything_runs(tmp_path, capfd, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stop:
        main(["replicate", *arguments])
    assert stop.value.code == 2
    assert words in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_keeps_what_is_finished(tmp_path):
    place = Place(tmp_path)
    place.keep("first", {"epochs": []})
    with files_no_larger_than(100), pytest.raises(InputError, match=r"second.json cannot be written: File too large"):
        place.keep("second", {"epochs": list(range(1000))})
    assert place.outcome("first") == {"epochs": []}
    assert place.outcome("second") is None
    assert [path.name for path in tmp_path.rglob("*.json")] == ["first.json"]


def test_two_in_one_folder_are_refused(tmp_path):
    """Would catch two that train in each other's states."""
    first = Place(tmp_path)
    first.begin()
    with pytest.raises(InputError, match="is in use: another process makes a replication there"):
        Place(tmp_path).begin()
    del first
    Place(tmp_path).begin()


def test_a_sitting_ends_with_the_command_that_began_it(tmp_path):
    """Would catch a child that goes on training where the next command begins anew."""
    process = started("replicate", "--experiments", "question-5", "--seeds", "1", "--epochs", "3", "--out", tmp_path)
    while not list(tmp_path.glob("states/*-in-three-sittings")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "finished runs are kept" in err
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if str(tmp_path).encode() in command]
