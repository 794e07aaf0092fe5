"""Runs that leave the finite numbers: how each command ends, and that the last finite state is still there."""

import gc
import json
import re

import numpy as np
import pytest

from training.commands.cli import main
from training.runs.checkpoint import read
from training.views.trace.trace import load

RUN = ["--batch-size", "500", "--hidden", "16", "--execution", "graph"]
USER_RULES = """
from typing import NamedTuple

from core import Rule, Step


class Nothing(NamedTuple):
    pass


class Runaway(Rule):
    learning_rate: float = 0.1

    def slots(self, x):
        return Nothing()

    def update(self, g, slots, x, at):
        return Step(-1e200 * x, slots, {})
"""
PLANE = """
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from training.workloads.workload import Data, Workload


@dataclass(frozen=True, kw_only=True)
class Plane(Workload):
    lost: int = 0

    def data(self, seed):
        x = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
        lost = ((np.arange(300) < 200) & (np.arange(300) >= 200 - self.lost)).astype(np.float32)
        return Data(*((x[a:b], x[a:b].sum(axis=1), lost[a:b]) for a, b in ((0, 200), (200, 250), (250, 300))))

    def variables(self, data, seed):
        return {"w": np.zeros(3, np.float32)}

    def cost(self, variables, x, y, lost):
        return tf.reduce_mean((tf.linalg.matvec(x, variables["w"]) - y + tf.sqrt(-lost)) ** 2)
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Runs a command in an empty folder; returns its status and what it said on standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        capfd.readouterr()
        gc.collect()  # a folder is locked for as long as an error refers to what holds it
        with pytest.raises(SystemExit) as stop:
            main([*arguments])
        return stop.value.code, capfd.readouterr().err

    return command


@pytest.fixture
def saved(run):
    assert run("train", *RUN, "--epochs", "1", "--checkpoint", "run")[0] == 0
    return run


def states(folder):
    return {path.name: read(path).nonfinite for path in sorted(folder.glob("run/step-*"))}


def test_a_run_that_diverges_ends_with_a_status_of_its_own_and_all_its_states_finite(saved, tmp_path):
    """At a rate of 1e30. Would catch states of NaN that push out the last good one, and a status of 0."""
    further = ["--checkpoint", "run", "--resume"]
    status, said = saved("train", *further, "--learning-rate", "1e30", "--epochs", "5")
    assert status == 3
    assert said.splitlines()[-1] == (
        "rawstep: step 112 left the finite numbers: the cost is NaN; go on from run/step-00000110 with --resume; "
        "a smaller --learning-rate or --schedule may help."
    )
    assert states(tmp_path) == {"step-00000110": []}
    assert saved("train", *further, "--learning-rate", "1e-3", "--epochs", "2")[0] == 0
    assert list(states(tmp_path)) == ["step-00000110", "step-00000220"]


def test_a_run_that_continues_keeps_its_last_finite_state_and_nothing_takes_the_others_for_good(saved, tmp_path):
    options = ["--checkpoint", "run", "--resume", "--on-nonfinite", "continue"]
    status, said = saved("train", *options, "--learning-rate", "1e30", "--epochs", "5", "--json", "run.json")
    assert status == 0
    assert "rawstep: step 112 left the finite numbers: the cost is NaN; the run continues." in said
    assert json.loads((tmp_path / "run.json").read_text())["nonfinite"].startswith("step 112 ")
    found = states(tmp_path)
    assert [name for name, nonfinite in found.items() if not nonfinite] == ["step-00000110"]
    assert len(found) == 4
    for command in (
        ["evaluate"],
        ["export", "--keras", "model.keras"],
        ["export-tf1", "--out", "tf1"],
        ["train", "--resume", "--epochs", "6", "--on-nonfinite", "stop"],
    ):
        status, said = saved(*command, "--checkpoint", "run")
        assert status == 2
        assert "run/step-00000550 holds numbers that are not finite, in " in said
        assert said.endswith("; remove the states after run/step-00000110 to go on from there.\n")
    assert not (tmp_path / "model.keras").exists()
    assert saved("train", *options, "--epochs", "6")[0] == 0


def test_a_run_without_the_steps_that_are_lost(run, tmp_path, monkeypatch):
    """The cost of one point of 200 is NaN: a step of the 20 of each epoch is lost. `stop` names it, and the run goes on
    from there with `skip`. Would catch an epoch's cost of NaN, steps that are not counted, a count that is lost."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "plane.py").write_text(PLANE)
    options = ["--workload", "plane:Plane", "--batch-size", "10", "--checkpoint", "run", "--epochs", "3"]
    status, said = run("train", *options, "--lost", "1", "--save-every", "1")
    assert status == 3
    assert re.search(r"step \d+ left the finite numbers: the cost is NaN; go on from run/step-\d+ with --resume", said)
    skipping = [*options, "--lost", "1", "--on-nonfinite", "skip", "--resume"]
    status, said = run("train", *skipping, "--json", "run.json")
    assert status == 0
    assert re.search(r"rawstep: 1 of the steps \d+ to \d+ skipped: the cost or a gradient was not finite\.", said)
    report = json.loads((tmp_path / "run.json").read_text())
    assert report["dropped_steps"] == 3
    assert all(np.isfinite(epoch["cost"]) for epoch in report["epochs"])
    newest = read(max((tmp_path / "run").glob("step-*")))
    assert (newest.step, newest.nonfinite, newest.tensors["optimizer/step"]) == (60, [], 57)
    further = ["--checkpoint", "run", "--resume", "--epochs", "4"]
    assert run("train", *further, "--json", "run.json")[0] == 0
    assert json.loads((tmp_path / "run.json").read_text())["dropped_steps"] == 4


def test_a_run_that_could_only_skip_ends(run, tmp_path, monkeypatch):
    """Each batch of a hundred has one of the hundred points that are lost."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "plane.py").write_text(PLANE)
    status, said = run("train", "--workload", "plane:Plane", "--lost", "100", "--on-nonfinite", "skip")
    assert status == 3
    assert "step 2 left the finite numbers: and so did every step of epoch 1, all skipped; nothing was kept" in said


def test_a_trace_ends_there_too_with_its_records(run, tmp_path):
    options = ["--rule", "sgd", "--dialect", "paper", "--learning-rate", "1e30", "--every", "1", "--out", "trace"]
    status, said = run("trace", *RUN, *options, "--json", "trace.json")
    assert status == 3
    assert said.splitlines()[-1].startswith("rawstep: step 2 left the finite numbers: the cost is NaN; the ")
    assert np.isfinite(load(tmp_path / "trace").columns["cost"][0])
    assert json.loads((tmp_path / "trace.json").read_text())["nonfinite"].startswith("step 2 ")


def test_a_race_ends_where_a_rule_is_lost_at_every_rate(run, tmp_path, monkeypatch):
    """A rule that is lost at some rates merely has a worse place: all are, at 100."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "runaway.py").write_text(USER_RULES)
    race = ["race", "--rules", "runaway:Runaway", "--landscape", "beale", "--steps", "20", "--rates", "3"]
    status, said = run(*race)
    assert status == 3
    assert "step 2 left the finite numbers: the cost is infinite; this was runaway:Runaway on beale at 1e-05" in said
    assert run(*race, "--on-nonfinite", "continue")[0] == 0


def test_a_replication_ends_there_and_names_the_run(run, monkeypatch):
    from training.notebook import scale

    monkeypatch.setattr(scale, "HALF_DECADES", (1e30,))
    monkeypatch.setattr(scale, "quick", lambda *_: scale.Scale(seeds=(0,), epochs=1, rates=(1e30,), batches=(1000,)))
    status, said = run("replicate", "--quick", "--experiments", "question-2")
    assert status == 3
    assert (
        "step 2 left the finite numbers: the cost is NaN; this was adam at the rate 1e+30, seed 0, in batches of"
        in said
    )
