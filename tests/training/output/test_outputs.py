"""What a command has found is printed, whatever becomes of its files; and the other way round."""

import json
import os
import sys

import pytest

from core import InputError
from training.commands.cli import main
from training.output.outputs import outputs

from ..disk import files_no_larger_than

QUICK = ["--batch-size", "500", "--hidden", "16", "--epochs", "2", "--execution", "graph"]
FULL = "/dev/full"


def test_all_is_tried_and_each_failure_is_said(capsys):
    def fail(sentence):
        raise InputError(sentence)

    def command():
        with outputs() as attempt:
            assert not attempt(fail, "One.")
            assert attempt(print, "two")
            assert not attempt(open, "/absent/three")

    with pytest.raises(InputError) as error:
        command()
    assert str(error.value) == "One. /absent/three: No such file or directory."
    assert capsys.readouterr().out == "two\n"


COMMANDS = {
    "train": (["train", *QUICK], "test accuracy", "epoch,cost,validation_cost,validation_accuracy", 2),
    "race": (["race", "--landscape", "beale", "--steps", "5", "--rates", "2"], "Beale", "landscape,rule", 4),
    "explain": (["explain", "adam"], "Adam", "t,gradient,m,v,correction_1", 2),
    "translate": (
        ["translate", "sgd", "--from", "torch", "--to", "keras", "--steps", "9"],
        "torch", "what,steps,distance,share", 2,
    ),
    "inspect": (["inspect", "--hidden", "8", "--no-ladder"], "update", "phase,launches_fusion", 6),
    "verify": (
        ["verify", "--rule", "sgd", "--dialect", "torch", "--reference", "torch", "--dtype", "float64",
         "--execution", "eager", "--steps", "9"],
        "certified", "rule,dialect,reference,dtype,execution,steps,units,of", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "shown", "columns", "rows"), COMMANDS.values(), ids=COMMANDS)
def test_a_full_disk_costs_neither_what_is_printed_nor_the_table_in_another_file(
    tmp_path, capfd, arguments, shown, columns, rows
):
    """A device on which every write fails, as on a full disk."""
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--json", FULL, "--csv", str(tmp_path / "table.csv")])
    out, err = capfd.readouterr()
    assert shown in out
    assert err.splitlines()[-1] == f"rawstep: {FULL} cannot be written: No space left on device."
    assert "Traceback" not in err
    table = (tmp_path / "table.csv").read_text().splitlines()
    assert table[0].startswith(columns)
    assert len(table) == 1 + rows


def test_a_disk_that_fills_up_costs_no_other_file_and_no_result(tmp_path, monkeypatch, capfd):
    """TensorBoard's events do not fit after the first of two epochs, nor does the picture; the JSON file does."""
    monkeypatch.chdir(tmp_path)
    arguments = ["train", *QUICK, "--tensorboard", "board", "--plot", "run.png", "--json", "run.json"]
    with files_no_larger_than(5_000), pytest.raises(SystemExit, match="2"):
        main(arguments)
    out, err = capfd.readouterr()
    assert "test accuracy" in out
    last = err.splitlines()[-1]
    assert last.startswith("rawstep: ")
    assert "run.png cannot be written: File too large." in last
    assert len(json.loads((tmp_path / "run.json").read_text())["epochs"]) == 2
    assert not (tmp_path / "run.png").exists()


def test_a_result_that_cannot_be_printed_is_written(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with open(FULL, "w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit, match="2"):
            main(["train", *QUICK, "--json", "run.json"])
        with open(os.devnull, "w") as null:
            os.dup2(null.fileno(), full.fileno())  # for what it still holds, when it is closed
    assert json.loads((tmp_path / "run.json").read_text())["epochs"]
    assert capfd.readouterr().err.splitlines()[-1] == "rawstep: the output: No space left on device."
