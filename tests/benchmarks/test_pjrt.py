"""TensorFlow's program under JAX: it runs where neither TensorFlow nor rawstep is, and errors are seen before times."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import training.exchange.stablehlo
import training.runs.building
from benchmarks import pjrt
from core import Adam
from tests.training.striped import SETTINGS, striped_data, trained
from training.commands.cli import main
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings

ROOT = Path(__file__).parents[2]

ALONE = """
import runpy, sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
sys.argv = ["pjrt.py", *{arguments}]
runpy.run_path("pjrt.py", run_name="__main__")
print([name for name in ("tensorflow", "core", "training", "benchmarks") if name in sys.modules])
"""


def alone(folder, *arguments, absent=("tensorflow", "core", "training", "benchmarks")):
    """pjrt.py, copied to a folder of its own, in a process without these packages."""
    shutil.copy(ROOT / "benchmarks" / "pjrt.py", folder)
    script = ALONE.format(absent=absent, arguments=[str(argument) for argument in arguments])
    command = [sys.executable, "-I", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A folder with `epoch`, exported from a short run of MNIST by the commands that a person gives."""
    folder = tmp_path_factory.mktemp("mnist")
    small = ["--hidden", "16", "--batch-size", "500", "--epochs", "1"]
    for arguments in (["train", *small], ["export", "--stablehlo", str(folder / "epoch")]):
        with pytest.raises(SystemExit, match=r"^0$"):
            main([*arguments, "--checkpoint", str(folder / "run")])
    return folder


def test_jax_alone_runs_what_tensorflow_compiled(mnist):
    """Of MNIST, against TensorFlow's costs of that epoch, its weights and its slots, and beside a scan."""
    done = alone(mnist, "epoch", "--rounds", "2", "--json", "pjrt.json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("adam (tf1), mlp 784-16-10, 110 steps in batches of 500; ")
    assert lines[-1] == "[]"
    record = json.loads((mnist / "pjrt.json").read_text())
    assert {"date", "command", "versions", "flags", "device", "exported", "rounds"} <= set(record)
    assert [(row["name"], row["precision"]) for row in record["figures"]] == [
        ("program", "default"),
        ("scan", "default"),
    ]
    for row in record["figures"]:
        assert len(row["seconds"]) == 2
        assert row["donated"]
        assert row["differences"]["first_costs"] < 1e-5
        assert all(value < 1e-4 for value in row["differences"].values()), "16 units are too few for rounding to grow"
        ratio = row["times_as_long"]
        assert ratio["low"] <= ratio["median"] <= ratio["high"]
        assert any(line.startswith(f"{row['name']:<8} {row['precision']:<9}") and "×" in line for line in lines)


@pytest.mark.parametrize("package", ["jax", "optax"])
def test_a_package_that_is_not_there_ends_in_a_sentence(tmp_path, package):
    done = alone(tmp_path, "epoch", absent=(package,))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"pjrt: {package} is not installed: pip install jax optax\n"


@pytest.fixture(autouse=True)
def x64_as_before():
    before = jax.config.read("jax_enable_x64")
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def run(capsys):
    """Runs the command in this process; its exit status and what it prints."""

    def run(*arguments):
        status = 0
        try:
            pjrt.main([*map(str, arguments), "--rounds", "2"])
        except SystemExit as stop:
            status = stop.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


def export(folder, formula=None, **settings):
    """Of the striped images, after an epoch; by a rule that no option gives, or by what the settings say.

    Trained as a graph, which needs no compiler: what is exported is compiled all the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "data", lambda self: striped_data())
        if formula is not None:
            patch.setattr(training.runs.building, "choose_rule", lambda *_: formula)
        run_folder = RunFolder(folder / "run")
        run_folder.save(trained(replace(SETTINGS, execution="graph", **settings), calls=2))
        exported = training.exchange.stablehlo.epoch_program(run_folder.newest())
        training.exchange.stablehlo.write_epoch_program(folder / "epoch", exported)
    return folder / "epoch"


@pytest.fixture(scope="module")
def adam(tmp_path_factory):
    return export(tmp_path_factory.mktemp("adam"))


def test_the_portable_artifact_is_the_same_program(adam):
    """Would catch one that JAX cannot read, or that has lost what the text says of the variables' places."""
    exported = pjrt.load(adam)
    jax.config.update("jax_enable_x64", True)
    arguments = {name: jax.device_put(array) for name, array in exported.arguments.items()}
    contestants = [
        pjrt.program(exported._replace(text=form), arguments, "default")
        for form in (exported.text, (adam / "program.bc").read_bytes())
    ]
    text, artifact = (contestant.named(contestant.call()[0]) for contestant in contestants)
    for name, array in text.items():
        np.testing.assert_array_equal(artifact[name], array, strict=True)
    assert all(contestant.donated for contestant in contestants)


FORMS = {"epsilon-hat": "tf1", "algorithm-1": "torch"}


@pytest.mark.parametrize("form", FORMS)
def test_the_scan_has_the_epsilon_of_the_run(tmp_path, form):
    """An ε of 0.1 at step 32, where it matters greatly on which side of the bias correction it stands."""
    exported = pjrt.load(export(tmp_path, Adam.dialect(FORMS[form], learning_rate=0.01, epsilon=0.1)))
    jax.config.update("jax_enable_x64", True)
    arguments = {name: jax.device_put(array) for name, array in exported.arguments.items()}
    assert exported.rule["epsilon_form"] == form
    for each in FORMS:
        contestant = pjrt.scan(exported._replace(rule={**exported.rule, "epsilon_form": each}), arguments, "highest")
        off = pjrt.differences(contestant.named(contestant.call()[0]), exported.results)
        assert (max(off.values()) < 1e-4) == (each == form)


@pytest.mark.parametrize("rule", ["adagrad", "adadelta"])
def test_programs_of_other_rules_run_without_a_scan(tmp_path, run, rule):
    """In both precisions, which are a GPU's default."""
    done = run(export(tmp_path, rule=rule, learning_rate=0.1), "--precision", "default", "highest")
    assert (done.status, done.err) == (0, "")
    assert f"There is no scan of mlp by {rule} to compare with" in done.out
    for precision in ("default", "highest"):
        assert re.search(f"^program +{precision} .*×", done.out, re.MULTILINE)
    assert not re.search("^scan", done.out, re.MULTILINE)


@pytest.fixture
def epoch(adam, tmp_path):
    """A copy to be spoilt."""
    return shutil.copytree(adam, tmp_path / "epoch")


def change_array(file, name, change):
    def spoil(folder):
        with np.load(folder / file) as arrays:
            changed = dict(arrays)
        changed[name] = change(changed[name])
        np.savez(folder / file, **changed)

    return spoil


def change_text(file, change):
    def spoil(folder):
        text = (folder / file).read_text()
        assert change(text) != text
        (folder / file).write_text(change(text))

    return spoil


def change_rule(name, value):
    def change(text):
        manifest = json.loads(text)
        manifest["rule"][name] = value
        return json.dumps(manifest)

    return change_text("manifest.json", change)


DIFFERENT = {
    "weights 0.1 % larger": (
        change_array("arguments.npz", "weights/h1", lambda w: w * np.float32(1.001)),
        "program, default precision: the first 10 costs differ by ",
    ),
    "a program whose rate is 1 % larger": (
        change_text("program.mlir", lambda text: text.replace("dense<0.00999999977>", "dense<0.0101>")),
        "program, default precision: the first 10 costs differ by ",
    ),
    "a scan whose rate is 1 % larger": (
        change_rule("learning_rate", 0.0101),
        "scan, default precision: the first 10 costs differ by ",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_computes_something_else_is_not_timed(epoch, run, spoil, words):
    spoil(epoch)
    done = run(epoch)
    assert done.status == 1
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(f"pjrt: {words}")
    assert "×" not in done.out


WRONG = {
    "the costs of two steps exchanged": ("costs", lambda costs: costs[[0, 2, 1, *range(3, len(costs))]], "first 10"),
    "costs of the last half": ("costs", lambda costs: costs * np.where(np.arange(len(costs)) < 16, 1, 1.2), "the mean"),
    "no cost at all": ("costs", lambda costs: costs * np.nan, "the first 10 costs differ by nan"),
    "a step too few": ("optimizer/step", lambda step: step - 1, "it is at step 63, not 64"),
}


@pytest.mark.parametrize(("name", "change", "words"), WRONG.values(), ids=WRONG)
def test_results_of_anything_else_are_told_apart(adam, name, change, words):
    expected = pjrt.load(adam).results
    contestant = pjrt.Contestant("program", "default", 0.0, None, lambda copies: None, lambda outputs: outputs)
    assert set(pjrt.check(contestant, expected, expected).values()) == {0.0}
    with pytest.raises(pjrt.DifferenceError, match=f"^program, default precision: .*{words}"):
        pjrt.check(contestant, {**expected, name: change(expected[name])}, expected)


def cut(file):
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:-1000])


def flip(file):
    """A byte in the middle, of an array's compressed content."""

    def spoil(folder):
        content = bytearray((folder / file).read_bytes())
        content[len(content) // 2] ^= 255
        (folder / file).write_bytes(content)

    return spoil


UNUSABLE = {
    "no folder": (shutil.rmtree, "manifest.json is missing: give a folder that rawstep export --stablehlo wrote."),
    "no program": (lambda folder: (folder / "program.mlir").unlink(), "program.mlir is missing"),
    "no arguments": (lambda folder: (folder / "arguments.npz").unlink(), "arguments.npz is missing"),
    "half a manifest": (cut("manifest.json"), "epoch cannot be read: JSONDecodeError"),
    "no manifest at all": (lambda folder: (folder / "manifest.json").write_text("[]"), "epoch cannot be read: TypeEr"),
    "another format": (change_text("manifest.json", lambda text: text.replace('"format": 2', '"format": 1')), "is of "),
    "a rule without ε": (change_text("manifest.json", lambda text: text.replace("epsilon", "e")), "has no 'epsilon"),
    "arguments cut off": (cut("arguments.npz"), "epoch cannot be read: BadZipFile"),
    "a flipped byte": (flip("arguments.npz"), "epoch cannot be read: "),
    "another shape": (change_array("results.npz", "costs", lambda costs: costs[1:]), "costs in results.npz is float64"),
    "a program cut off": (cut("program.mlir"), "JAX "),
    "a program that is none": (lambda folder: (folder / "program.mlir").write_text("none"), "JAX "),
}


@pytest.mark.parametrize(("spoil", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_ends_in_one_sentence(epoch, run, spoil, words):
    spoil(epoch)
    done = run(epoch)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("pjrt: ")
    assert words in done.err


def test_a_file_that_cannot_be_written_is_known_before_the_rounds(adam, run, tmp_path):
    done = run(adam, "--json", tmp_path / "absent" / "pjrt.json")
    assert (done.status, done.out) == (2, "")
    assert done.err == f"pjrt: {tmp_path / 'absent' / 'pjrt.json'} cannot be written.\n"


@pytest.mark.parametrize("rounds", ["1", "-3", "many"])
def test_rounds_are_two_or_more(adam, capsys, rounds):
    with pytest.raises(SystemExit, match=r"^2$"):
        pjrt.main([str(adam), f"--rounds={rounds}"])
    assert f"must be a whole number of at least 2, found '{rounds}'" in capsys.readouterr().err
