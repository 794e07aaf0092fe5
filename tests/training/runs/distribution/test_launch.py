"""Runs in several processes, as `rawstep launch` starts them; what becomes of lost ones is in tests/training/faults."""

import json
import re
import subprocess

import numpy as np
import pytest

from training.commands.cli import main

from ....clusters import environments
from ...faults.runs import reported, undisturbed
from ...processes import command, rawstep


@pytest.mark.whole
def test_logical_devices_leave_what_workers_leave(place, tmp_path):
    left = [undisturbed(run, place, tmp_path / run, 2) for run in ("two workers", "mirrored")]
    assert left[0] == left[1]
    assert {json.loads(path.read_text())["replicas"] for path in tmp_path.glob("*.json")} == {2}


@pytest.mark.whole
def test_a_run_goes_on_with_another_number_of_workers(tmp_path):
    """With three, every step adds the shares in another order; the accuracy stays within what other seeds make of it,
    0.5 points."""
    run = ["train", "--hidden", "32", "--init", "he", "--batch-size", "1200"]
    figures = []
    for later in ("2", "3"):
        folder = tmp_path / later
        for workers, epochs in (("2", "3"), (later, "6")):
            words = ["launch", "--workers", workers, *run, "--epochs", epochs, "--checkpoint", folder, "--resume"]
            done = rawstep(*words, "--json", folder.with_suffix(".json"))
            assert done.returncode == 0, done.stderr
            assert "worker" not in done.stderr, "the chief alone speaks"
        figures.append(reported(folder.with_suffix(".json")))
    assert len(figures[1][0]) == 6
    assert abs(figures[0][1]["test_accuracy"] - figures[1][1]["test_accuracy"]) < 0.005


@pytest.mark.whole
def test_evaluate_and_trace_run_in_workers(tmp_path):
    """Shares of 1,667 and 1,666 images weigh as they should; and what is recorded is the whole batch's."""
    short = ["--hidden", "8", "--init", "he", "--epochs", "1", "--batch-size", "600"]
    folder = tmp_path / "run"
    assert rawstep("train", *short, "--checkpoint", folder).returncode == 0
    figures = []
    for name, start in (("one", []), ("three", ["launch", "--workers", "3"])):
        done = rawstep(*start, "evaluate", "--checkpoint", folder, "--json", tmp_path / f"{name}.json")
        assert done.returncode == 0, done.stderr
        figures.append(json.loads((tmp_path / f"{name}.json").read_text()))
        done = rawstep(*start, "trace", *short, "--figures", "norms", "--no-cost", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    for split in ("validation", "test"):
        assert figures[0][split]["accuracy"] == pytest.approx(figures[1][split]["accuracy"], abs=1e-12)
        assert figures[0][split]["cost"] == pytest.approx(figures[1][split]["cost"], rel=1e-6)
    one, three = (np.load(tmp_path / name / "trace.npz", allow_pickle=True) for name in ("one", "three"))
    assert {*one.files} == {*three.files}


@pytest.mark.parametrize(
    ("differs", "sentence"),
    [
        pytest.param(
            ["--seed", "1"],
            r"All workers must have the same --seed: worker 1 \(\S+\) has 1, worker 0 \(\S+\) 0\.",
            marks=pytest.mark.whole,
        ),
        (["--validation", "500"], r"the same data \(examples\): worker 1 \(\S+\) has 59500, worker 0 \(\S+\) 55000\."),
    ],
    ids=["options", "data"],
)
def test_a_worker_with_something_else_ends_all_before_anything_is_written(tmp_path, differs, sentence):
    arguments = ["train", "--strategy", "multi-worker", "--checkpoint", tmp_path / "run"]
    processes = [
        subprocess.Popen(command(*arguments, *own), env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        for own, env in zip(([], differs), environments(2), strict=True)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert re.fullmatch(rf"rawstep: .*{sentence}\n", said)
    assert not [*tmp_path.iterdir()]


def test_a_batch_that_the_replicas_do_not_divide_is_refused_before_anything_is_written(tmp_path):
    done = rawstep("train", "--strategy", "mirrored", "--replicas", "3", "--checkpoint", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr == "rawstep: A batch of 100 examples cannot be divided equally among 3 replicas.\n"
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["launch", "--workers", "2"], "needs a command, train, evaluate, trace, found none"),
        (["launch", "--workers", "2", "explain", "adam"], "needs a command, train, evaluate, trace, found 'explain'"),
        (["launch", "--workers", "2", "train", "--strategy", "one"], "sets --strategy multi-worker itself"),
        (["train", "--replicas", "2"], "--replicas is for --strategy mirrored, found one"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err
