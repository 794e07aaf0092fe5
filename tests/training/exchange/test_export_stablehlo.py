"""`rawstep export --stablehlo`: the next epoch of a run leaves the house, whole or not at all, and is that epoch."""

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from core import InputError
from training.commands.cli import main
from training.exchange.stablehlo import check_signature, epoch_program, portable_artifact, write_epoch_program
from training.runs.checkpoint import variables
from training.runs.resuming import restore
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

from ..disk import files_no_larger_than
from ..striped import SETTINGS, striped_data, trained

THE_IMAGES_THEMSELVES = Settings.data
RULES = {"adam": None, "adagrad": 0.1, "adadelta": 0.01}


@pytest.fixture(autouse=True)
def striped_images_exported(monkeypatch):
    monkeypatch.setattr(Settings, "data", lambda self: striped_data())


@pytest.fixture(params=RULES)
def checkpoint(request, tmp_path):
    """Of a run that stands in the middle of its second epoch, in an execution that has no compiler."""
    settings = replace(SETTINGS, rule=request.param, learning_rate=RULES[request.param], execution="graph")
    folder = RunFolder(tmp_path / "run")
    folder.save(trained(settings, calls=3))
    return folder.newest()


def test_the_epoch_is_the_one_with_which_the_run_goes_on(checkpoint):
    """Would catch batches or a step of another moment, and variables under each other's names."""
    exported = epoch_program(checkpoint)
    assert list(exported.arguments)[:3] == ["data-0", "data-1", "batches"]
    assert list(exported.arguments)[3:] == list(exported.results)[1:]
    held = {name: tensor for name, tensor in checkpoint.tensors.items() if name != "optimizer/dropped"}  # by no step
    assert set(exported.results) == {"costs", *held}
    for name, tensor in held.items():
        np.testing.assert_array_equal(exported.arguments[name], tensor, strict=True)
    trainer = Trainer(checkpoint.settings, striped_data())
    restore(checkpoint, trainer)
    for name, array in zip(("data-0", "data-1"), trainer.data.train, strict=True):
        np.testing.assert_array_equal(exported.arguments[name], array, strict=True)
    _, batches = trainer.feed.take(32)
    np.testing.assert_array_equal(exported.arguments["batches"], batches, strict=True)
    costs = trainer.program.run([exported.arguments[name] for name in ("data-0", "data-1")], batches)
    np.testing.assert_allclose(exported.results["costs"], costs, rtol=1e-5)
    for name in held:
        np.testing.assert_allclose(exported.results[name], variables(trainer)[name], rtol=1e-3, atol=1e-5)
    assert exported.results["optimizer/step"] == checkpoint.tensors["optimizer/step"] + 32


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Of Adam, whose two slots have one shape."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "data", lambda self: striped_data())
        folder = RunFolder(tmp_path_factory.mktemp("exported") / "run")
        folder.save(trained(SETTINGS, calls=1))
        return epoch_program(folder.newest())


def exchanged(arrays, one, other):
    """Two entries in each other's place."""
    names = {one: other, other: one}
    return {names.get(name, name): arrays[names.get(name, name)] for name in arrays}


M, V = "optimizer/slots/h1/m", "optimizer/slots/h1/v"
WRONG = {
    "arguments of two shapes exchanged": lambda a, r: (exchanged(a, "weights/h1", "weights/b1"), r),
    "results of two shapes exchanged": lambda a, r: (a, exchanged(r, "weights/h1", "weights/b1")),
    "arguments of one shape exchanged": lambda a, r: (exchanged(a, M, V), r),
    "results of one shape exchanged": lambda a, r: (a, exchanged(r, M, V)),
    "an argument left out": lambda a, r: ({name: a[name] for name in a if name != M}, r),
    "a result left out": lambda a, r: (a, {name: r[name] for name in r if name != M}),
    "another dtype": lambda a, r: (a | {"batches": a["batches"].astype(np.int64)}, r),
    "another shape": lambda a, r: (a | {"data-1": a["data-1"][:-1]}, r),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_signature_that_is_not_the_programs_is_refused(exported, wrong):
    check_signature(exported.text, exported.arguments, exported.results)
    with pytest.raises(
        InputError, match=r"^TensorFlow's program (has the (arguments|results)|updates other variables)"
    ):
        check_signature(exported.text, *wrong(exported.arguments, exported.results))


def test_a_program_without_main_is_refused(exported):
    with pytest.raises(InputError, match="has no function main"):
        check_signature(exported.text.replace("@main", "@other"), exported.arguments, exported.results)


def test_the_program_is_stablehlo_and_nothing_else(exported):
    """Would catch an operation of TensorFlow's own, which no other compiler has."""
    operations = set(re.findall(r"(?:= |^ +)\"?(\w+)\.(?=\w+[ (\"])", exported.text, re.MULTILINE))
    assert operations == {"stablehlo", "func"}
    assert "stablehlo.while" in exported.text
    assert "custom_call" not in exported.text
    with pytest.raises(
        InputError, match=r"^TensorFlow's program is not StableHLO alone: failed to serialize module\.$"
    ):
        portable_artifact(exported.text.replace("stablehlo.reshape", "mhlo.copy", 1))


def test_the_folder_says_what_it_holds(exported, tmp_path):
    write_epoch_program(tmp_path / "epoch", exported)
    assert {path.name for path in tmp_path.rglob("*")} == {
        "epoch", "program.mlir", "program.bc", "arguments.npz", "results.npz", "manifest.json",
    }  # fmt: skip
    assert (tmp_path / "epoch" / "program.mlir").read_text() == exported.text
    assert (tmp_path / "epoch" / "program.bc").read_bytes() == exported.artifact
    manifest = json.loads((tmp_path / "epoch" / "manifest.json").read_text())
    assert manifest["settings"] == json.loads(json.dumps(asdict(SETTINGS.settled())))
    assert manifest["rule"]["epsilon_form"] == "epsilon-hat"
    assert {"format", "commit", "command", "versions", "steps"} <= set(manifest)
    for name in ("arguments", "results"):
        with np.load(tmp_path / "epoch" / f"{name}.npz") as file:
            assert [each["name"] for each in manifest[name]] == list(file) == list(getattr(exported, name))
            for each in manifest[name]:
                assert (each["dtype"], tuple(each["shape"])) == (file[each["name"]].dtype, file[each["name"]].shape)
                np.testing.assert_array_equal(file[each["name"]], getattr(exported, name)[each["name"]])


def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(exported, tmp_path):
    with (
        files_no_larger_than(4096),
        pytest.raises(InputError, match=r"epoch cannot be written: File too large\.$"),
    ):
        write_epoch_program(tmp_path / "epoch", exported)
    assert list(tmp_path.iterdir()) == []


def test_images_that_are_gone_end_in_a_sentence_before_anything_is_written(tmp_path, monkeypatch, capfd):
    """Would catch a SavedModel that is written before the other turns out to be impossible."""
    monkeypatch.setattr(Settings, "data", THE_IMAGES_THEMSELVES)
    RunFolder(tmp_path / "run").save(trained(SETTINGS.with_options({"data_dir": (str(tmp_path / "absent"),)}), calls=1))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["export", "--checkpoint", "run", "--saved-model", "served", "--stablehlo", "epoch"])
    assert re.fullmatch(
        r"rawstep: \S+/absent must be a folder of IDX or .npy files or a .npz file, found nothing\.\n",
        capfd.readouterr().err,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
