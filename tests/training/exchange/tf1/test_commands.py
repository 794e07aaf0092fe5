"""import-tf1 and export-tf1 as a person types them: what they print, what they write, and what they refuse."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from training.commands.cli import main
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

from ...processes import ROOT, rawstep
from .files import ADADELTA, ADAGRAD, ADAM, session_saves, tensors, write, write_images

IMAGES = ("--data-dir", "images")
UNNAMED = ("Variable", "Variable_1", "Variable_2", "Variable_3")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with images and rnn2.ckpt, which a session saved after three steps of Adam."""
    folder = tmp_path_factory.mktemp("once")
    session_saves(folder / "rnn2.ckpt", ADAM)
    write_images(folder / "images")
    return folder


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def ran(*arguments):
    """In this process, by the function that the console script calls."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code


def test_an_imported_run_is_evaluated_gone_on_with_and_exported(workplace, capfd):
    """As README.md has it; the training in a process of its own, whose epochs count from the import."""
    assert ran("import-tf1", "rnn2.ckpt", "--out", "run", "--batch-size", 7, *IMAGES) == 0
    out, err = capfd.readouterr()
    assert (
        err == "rawstep: no graph beside the file: TensorFlow 1's defaults taken: learning_rate 0.001, epsilon 1e-08\n"
    )
    assert re.fullmatch(r"Validation cost \d\.\d+: compare it with your session's\.", out.splitlines()[1])
    assert [*out.splitlines()[:1], *out.splitlines()[2:]] == [
        "Read rnn2.ckpt: layers 16-8-3, slots Adam of adam, step 3.",
        "Wrote run, at learning rate 0.001: rawstep train --checkpoint run --resume.",
    ]
    assert ran("evaluate", "--checkpoint", "run") == 0
    assert "run/step-00000003 (adam, tf1; step 3, epochs done: 0)" in capfd.readouterr().out
    done = rawstep("train", "--checkpoint", "run", "--resume", "--epochs", "2", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "resuming run/step-00000003 (adam, tf1; step 3, epochs done: 0)" in done.stderr
    assert "epoch 2/2" in done.stderr
    assert ran("export-tf1", "--checkpoint", "run", "--out", "back.ckpt") == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "Read run/step-00000069 (adam, tf1; step 69, epochs done: 2).",
        "Wrote back.ckpt: the run's weights, its slots as Adam.",
    ]
    assert tensors(workplace / "back.ckpt").keys() == tensors(workplace / "rnn2.ckpt").keys()


def weights_alone():
    write("weights.ckpt", {name: tensor for name, tensor in tensors("rnn2.ckpt").items() if name in UNNAMED})


def test_weights_alone_start_a_rule_afresh(workplace, capsys):
    weights_alone()
    assert ran("import-tf1", "weights.ckpt", "--out", "run", "--rule", "adagrad", "--learning-rate", 0.1, *IMAGES) == 0
    assert "layers 16-8-3, new slots of adagrad, step 0." in capsys.readouterr().out
    found = RunFolder(workplace / "run").newest()
    assert found.tensors["weights/h1"].tobytes() == tensors("rnn2.ckpt")["Variable"].tobytes()
    assert (found.tensors["optimizer/slots/h1/a"] == tf.constant(0.1)).numpy().all()
    assert (found.tensors["optimizer/step"], found.settings.learning_rate) == (0, 0.1)


def test_what_a_file_does_not_tell_is_said_on_standard_error(workplace, capsys):
    session_saves("adadelta.ckpt", ADADELTA)
    assert (
        ran("import-tf1", "adadelta.ckpt", "--out", "run", "--batch-size", 50, "--seed", 4, "--epochs", 7, *IMAGES) == 0
    )
    out, err = capsys.readouterr()
    assert "step 0.\n" in out
    assert err == (
        "rawstep: no graph beside the file: TensorFlow 1's defaults taken: learning_rate 0.001, epsilon 1e-08, rho "
        "0.95\n"
        "rawstep: the file has no global_step, and these slots do not show it: the step is taken to be 0 (--step N)\n"
    )
    settings = RunFolder(workplace / "run").newest().settings
    assert (settings.batch_size, settings.seed, settings.epochs, settings.learning_rate) == (50, 4, 7, None)


def text():
    Path("text.ckpt").write_text("a text\n" * 50)


def run(rule="adam", hidden="8", **settings):
    """Of a network like rnn2.ckpt's, before its first step."""
    options = {"hidden": (hidden,), "data_dir": ("images",)}
    settings = Settings(rule=rule, learning_rate=0.001, workload_options=options, **settings)
    RunFolder(Path("run")).save(Trainer(settings, settings.data()))


def run_and_several():
    run()
    session_saves("several.ckpt", ADAM, ADAM, ADADELTA)


IMPORT, EXPORT = ["import-tf1", "--out", "new", *IMAGES], ["export-tf1", "--checkpoint", "run", "--out", "new.ckpt"]
REFUSED = {
    "no such file": (None, [*IMPORT, "absent.ckpt"], "absent.ckpt must be a checkpoint that tf.train.Saver wrote"),
    "a text": (text, [*IMPORT, "text.ckpt"], "or something else: text.ckpt does not end as TensorFlow's tables"),
    "a folder": (lambda: Path("folder").mkdir(), [*IMPORT, "folder"], "found a folder"),
    "no name": (None, [*IMPORT, "."], "found a folder"),
    "an empty name": (None, [*IMPORT, ""], "FILE must not be empty"),
    "a name of patterns": (None, [*IMPORT, "rnn[2].ckpt"], "has [ and ] in its name, which TensorFlow takes for a"),
    "a name too long": (None, [*IMPORT, "n" * 300], "found neither"),
    "half of it": (lambda: Path("rnn2.ckpt.data-00000-of-00001").unlink(), [*IMPORT, "rnn2.ckpt"], "it is damaged or"),
    "a run's own checkpoint": (run, [*IMPORT, "run/step-00000000/state"], "is an object-based checkpoint"),
    "several optimizers": (
        lambda: session_saves("several.ckpt", ADAM, ADAM, ADADELTA),
        [*IMPORT, "several.ckpt"],
        "must name one set of slots; it has several: Adam (3 steps), Adam_2 (no step yet), Adadelta (unused).",
    ),
    "slots that are not there": (None, [*IMPORT, "rnn2.ckpt", "--slots", "Adagrad"], "there is no Adagrad: Adam (3 s"),
    "weights alone": (weights_alone, [*IMPORT, "weights.ckpt"], "must hold slots; found none (--rule starts one"),
    "--rule beside slots": (None, [*IMPORT, "rnn2.ckpt", "--rule", "adam"], "has slots to go on with: Adam (3 s"),
    "--rule and --slots": (None, [*IMPORT, "rnn2.ckpt", "--rule", "adam", "--slots", "Adam"], "neither --slots nor"),
    "an unknown rule": (None, [*IMPORT, "rnn2.ckpt", "--rule", "momentun"], "There is no rule 'momentun'; there are: "),
    "another step": (None, [*IMPORT, "rnn2.ckpt", "--step", "4"], "are of step 3, but --step is 4."),
    "a step below 0": (None, [*IMPORT, "rnn2.ckpt", "--step", "-1"], "Must be >= 0"),
    "Adagrad without a rate": (
        lambda: session_saves("adagrad.ckpt", ADAGRAD),
        [*IMPORT, "adagrad.ckpt"],
        "adagrad.ckpt holds no learning rate, as no TF1 checkpoint does, and adagrad has none of its own: give",
    ),
    "other images": (
        lambda: session_saves("digits.ckpt", ADAM, layers=(64, 8, 3)),
        [*IMPORT, "digits.ckpt"],
        "holds a network for images of 64 pixels in 3 classes; the images have 16 pixels and 3 classes",
    ),
    "more classes": (
        lambda: session_saves("letters.ckpt", ADAM, layers=(16, 8, 26)),
        [*IMPORT, "letters.ckpt"],
        "images of 16 pixels in 26 classes; the images have 16 pixels and 3 classes",
    ),
    "no images": (None, [*IMPORT[:-1], "absent", "rnn2.ckpt"], "absent must be a folder of IDX or .npy files"),
    "a run is there": (run, ["import-tf1", "rnn2.ckpt", "--out", "run", *IMAGES], "run holds a run already: give "),
    "a batch too large": (None, [*IMPORT, "rnn2.ckpt", "--batch-size", "232"], "232"),
    "no run": (None, EXPORT, "run holds no run"),
    "a rule of one's own": (
        lambda: run("core.rules.adam:Adam"), EXPORT, "must be of adam, nadam, adagrad, adadelta, ",
    ),
    "a file is there": (run, [*EXPORT[:-1], "rnn2.ckpt"], "is there already, and nothing is overwritten"),
    "a folder is not there": (run, [*EXPORT[:-1], "absent/new.ckpt"], "No such file or directory"),
    "--slots of nothing": (run, [*EXPORT, "--slots", "Adam"], "give --like FILE"),
    "--like and --named": (run, [*EXPORT, "--like", "rnn2.ckpt", "--named"], "does not go with --named"),
    "--like of nothing": (run, [*EXPORT, "--like", "absent.ckpt"], "absent.ckpt must be a checkpoint"),
    "--like of several": (
        run_and_several, [*EXPORT, "--like", "several.ckpt"], "must name one set of slots of adam; it has several",
    ),
    "--like without the rule": (
        lambda: run("adagrad"), [*EXPORT, "--like", "rnn2.ckpt"], "must hold slots of adagrad; found Adam (3 steps).",
    ),
    "--like of another rule": (
        run_and_several, [*EXPORT, "--like", "several.ckpt", "--slots", "Adadelta"], "there is no Adadelta",
    ),
    "--like of another network": (
        lambda: run(hidden="9"), [*EXPORT, "--like", "rnn2.ckpt"], "rnn2.ckpt holds another network than the run",
    ),
    "a rule of a group": (
        lambda: run(group=("biases:sgd,learning_rate=1",)), EXPORT, "must be of one rule and its settings to be",
    ),
    "accumulators of 0": (
        lambda: run("adagrad", dialect="torch"), EXPORT, "TensorFlow 1's Adagrad has no ε and would compute 0/0.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence_and_nothing_is_written(workplace, capfd, prepare, arguments, words):
    """And the status is 2."""
    if prepare is not None:
        prepare()
    before = contents(workplace)
    capfd.readouterr()
    status = ran(*arguments)
    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("rawstep: ")
    assert words in err
    assert contents(workplace) == before


@pytest.mark.parametrize("command", ["import-tf1", "export-tf1"])
def test_help_says_what_a_command_does_without_tensorflow(command):
    """Would catch an import at the top, for which a person would wait seconds."""
    program = f"import sys; from training.commands.cli import main\ntry: main(['{command}', '--help'])\n"
    program += "finally: print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[0].startswith(f"Usage: rawstep {command} ")
    assert done.stdout.splitlines()[-1] == "False"
