"""The command as a person runs it: a process of its own, its output, its exit status."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest
import tensorflow as tf

from core import RULES, Adam
from core.engine.executions import Execution
from core.engine.guard import OnNonfinite
from training.commands.cli import app, main
from training.runs.settings import Settings
from training.workloads.initial import INITIALIZERS

from .processes import ENVIRONMENT, ROOT, command, rawstep, started

QUICK = ["--batch-size", "500", "--hidden", "16", "--epochs", "1"]

USER_RULES = """
from dataclasses import dataclass
from typing import NamedTuple

from core import Rule, Step
from core.rules import Rate


class Nothing(NamedTuple):
    pass


@dataclass(frozen=True)
class Descent(Rule):
    learning_rate: Rate = 0.01

    def slots(self, x):
        return Nothing()

    def update(self, g, slots, x, at):
        return Step(self.learning_rate * g, slots, {})


@dataclass(frozen=True)
class Undecided(Rule):
    slots = Descent.slots
    update = Descent.update


class NoRule:
    pass
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A run of a process of its own: its folder, and what it said."""
    folder = tmp_path_factory.mktemp("run")
    outputs = ["--json", "run.json", "--tensorboard", "board", "--plot", "run.png"]
    return folder, rawstep("train", *QUICK, *outputs, cwd=folder)


def train_here(monkeypatch, folder, *arguments):
    """Trains in this process, which spares TensorFlow's start; returns what was reported."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["train", *QUICK, *arguments, "--json", "run.json"])
    return json.loads((folder / "run.json").read_text())


def test_a_run_prints_its_epochs_and_its_table_and_writes_its_files(ended):
    tmp_path, done = ended
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    for figure in ("epoch", "validation accuracy", "test accuracy", "steps/s", "compile seconds", "peak memory"):
        assert figure in done.stdout
    read, note, *lines = done.stderr.splitlines()
    assert read == (
        "rawstep: 55,000 images of 28×28 for training, uint8 from 0 to 255, 10 classes; 5,000 for validation, 10,000 "
        "for the test"
    )
    assert note.startswith("rawstep: small and dense: XLA merges loops")
    assert [line[:15] for line in lines] == ["epoch 1/1  cost"], "no chatter, and one plain line an epoch"
    report = json.loads((tmp_path / "run.json").read_text())
    assert set(report) == {
        "epochs", "best_epoch", "out_of_patience", "evaluated_with", "test_cost", "test_accuracy", "judged_by", "data",
        "dtypes", "steps_per_second", "training_seconds", "compile_seconds", "xla_options", "replicas",
        "peak_memory_mb", "nonfinite", "settings", "versions",
        "date", "command", "commit", "flags", "processor", "vector_instructions", "cores", "load_before",
    }  # fmt: skip
    assert [*report["epochs"][0]] == ["epoch", "cost", "validation_cost", "validation_accuracy"]
    assert report["epochs"][0]["epoch"] == 1
    assert 0.05 < report["test_accuracy"] <= 1
    assert report["settings"]["rule"] == "adam"
    assert report["settings"]["dialect"] == "tf1"
    assert report["settings"]["learning_rate"] == 0.001
    assert report["settings"]["workload_options"] == {
        "data_dir": None, "subset": None, "pixels": None, "transpose": False, "validation": None, "stream": None,
        "window": None, "hidden": [16],
        "init": "normal",
    }  # fmt: skip
    assert report["settings"]["rule_settings"]["epsilon_form"] == "epsilon-hat"
    assert report["versions"]["tensorflow"] == tf.__version__
    events = [
        value.tag
        for file in (tmp_path / "board").glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    ]
    assert events == ["cost", "validation_cost", "validation_accuracy"]
    assert not list(tmp_path.glob(".run.json*")), "the temporary file is gone"


def test_a_run_that_diverges_is_reported_with_null_for_what_is_no_number(tmp_path, monkeypatch):
    report = train_here(monkeypatch, tmp_path, "--learning-rate", "1e30", "--on-nonfinite", "continue")
    assert report["epochs"][0]["cost"] is None
    assert report["nonfinite"].startswith("step 2 left the finite numbers: the cost is ")


def test_an_interrupted_run_says_so_and_leaves_nothing(tmp_path):
    """A real SIGINT, once the first epoch is printed."""
    process = started("train", *QUICK[:-1], "1000", "--xla-options", "none", "--json", tmp_path / "run.json")
    assert process.stderr.readline().startswith("rawstep: 55,000 images")
    assert process.stderr.readline().startswith("epoch 1/1000")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "rawstep: interrupted; nothing was kept."
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def on_a_terminal(tmp_path_factory):
    """The same run again, with a real pseudo-terminal as standard error: its folder, and what was shown.

    40 columns would fold the bar, so it is given a hundred.
    """
    folder = tmp_path_factory.mktemp("terminal")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("train", *QUICK, "--json", folder / "run.json"),
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
        cwd=ROOT,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    assert process.wait() == 0
    return folder, shown.decode()


def test_a_terminal_gets_a_moving_bar(on_a_terminal):
    _, text = on_a_terminal
    assert "epoch 1/1" in text
    assert "steps/s" in text
    assert "validation accuracy" not in text


def test_the_figures_are_the_same_from_run_to_run(ended, on_a_terminal):
    """Two processes, of which one writes a table and a picture as well."""
    first, second = (json.loads((folder / "run.json").read_text()) for folder, _ in (ended, on_a_terminal))
    assert first["epochs"] == second["epochs"]
    assert first["test_accuracy"] == second["test_accuracy"]


def test_a_rule_of_the_user_s_own_is_found_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "my_rules.py").write_text(USER_RULES)
    monkeypatch.delitem(sys.modules, "my_rules", raising=False)
    report = train_here(monkeypatch, tmp_path, "--rule", "my_rules:Descent", "--init", "he")
    assert report["settings"]["learning_rate"] == 0.01
    assert report["settings"]["dialect"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--rule", "adamm"],
            f"There is no rule 'adamm'; there are: {', '.join(RULES)}, or give module:Class.",
        ),
        (["--dialect", "caffe"], "Adam has no dialect 'caffe'; it has: paper, tf1, keras, torch, optax."),
        (["--rule", "adagrad"], "Adagrad in the tf1 dialect has no default learning rate: give learning_rate."),
        (["--learning-rate", "0"], "The learning rate must be above 0, found 0: nothing would move."),
        (["--learning-rate", "-1"], "Adam: learning_rate must lie in [0, ∞), found -1."),
        (["--learning-rate", "nan"], "Adam: learning_rate must lie in [0, ∞), found nan."),
        (["--batch-size", "60000"], "between 1 and the 55000 examples there are, found 60000"),
        (["--batch-size", "0"], "found 0"),
        (["--hidden", "0"], "at least one unit"),
        (["--hidden", "many"], "--hidden"),
        (["--hidden"], "--hidden"),
        (["--epochs", "0"], "--epochs"),
        (["--seed", "-1"], "--seed"),
        (["--init", "hee"], "--init must be one of normal, he, glorot, sparse, found 'hee'. Did you mean he?\n"),
        (["--init", "xavier"], "found 'xavier'.\n"),
        (["--execution", "xla-lop"], "found 'xla-lop'. Did you mean xla-loop?\n"),
        (["--dialect", "kears"], "it has: paper, tf1, keras, torch, optax. Did you mean keras?\n"),
        (["extra"], "train takes no argument 'extra'. Its options: --rule, --dialect, "),
        (["epochs", "3"], "train takes no argument 'epochs'. Did you mean --epochs?\n"),
        (
            ["--tempo", "3"],
            "train has no option --tempo, nor has Adam or mlp such a setting. Its options: --rule, --dialect, ",
        ),
        (
            ["--no-resume=3"],
            "train has no option --no-resume, nor has Adam or mlp such a setting. Did you mean --resume?\n",
        ),
        (
            ["--rate", "3"],
            "train has no option --rate, nor has Adam or mlp such a setting. Did you mean --learning-rate?\n",
        ),
        (["--learning-rate", "high"], "--learning-rate must be a number, found 'high'.\n"),
        (["--json"], "--json needs a value.\n"),
        (["--schedule", "fast"], "--schedule must be a number or a schedule, such as cosine:3e-3,steps=5500, found"),
        (["--schedule", "cosin:1,steps=3"], "found 'cosin'. Did you mean cosine?\n"),
        (["--schedule", "cosine:1,steps=3", "--learning-rate", "1"], "--learning-rate cannot be given with it.\n"),
        (["--beta-1", "polynomial:0.9,step=3"], "Did you mean steps?\n"),
        (["--clip-value", "0"], "--clip-value must lie in (0, ∞), found 0.\n"),
        (["--clip-norm", "x"], "--clip-norm must be a number or a schedule"),
        (["--clip-global-norm", "-1"], "--clip-global-norm must lie in (0, ∞), found -1.\n"),
        (["--l2", "nan"], "--l2 must lie in [0, ∞), found nan.\n"),
        (["--weight-decay", "-1"], "--weight-decay must lie in [0, ∞), found -1.\n"),
        (["--ema", "1"], "--ema must lie in [0, 1), found 1.\n"),
        (["--decay-only", "matrices"], "--decay-only needs --weight-decay or --l2.\n"),
        (["--l2", "1", "--decay-only", "matrices", "b1"], "or patterns of their names, found 'matrices b1'.\n"),
        (
            ["--l2", "1", "--decay-only", "q*"],
            "--decay-only matches no variable; there are: h1, h2, ho, b1, b2, bo, and last-layer for some of them.\n",
        ),
        (["--rule", "adamw", "--weight-decay", "1", "--decay-only", "b*"], "a setting of AdamW itself, for all"),
        (["--group", "biases"], "--group must be MASK:RULE, such as biases:sgd,learning_rate=0.1, found 'biases'.\n"),
        (["--group", "biases:sgdd,learning_rate=1"], "There is no rule 'sgdd'"),
        (["--group", "biases:sgd,lr=1"], "--group biases:sgd,lr=1: SGD has no setting 'lr'; it has: learning_rate.\n"),
        (["--group", "q:sgd:keras"], "--group q:sgd:keras matches no variable; there are: h1,"),
        (["--group", "biases:sgd"], "SGD in the tf1 dialect has no default learning rate"),
        (["--accumulate", "0"], "--accumulate"),
        (
            ["--accumulate", "1000"],
            "--accumulate 1000 in batches of 100 takes 100,000 examples a step; there are 55,000.",
        ),
        (["--keep-best"], "--keep-best needs a folder: give --checkpoint DIR.\n"),
        (["--patience", "0"], "--patience"),
        (["--rule", "absent:Rule"], "absent:Rule cannot be imported: ModuleNotFoundError"),
        (["--rule", "my_rules:Absent"], "my_rules:Absent cannot be imported: AttributeError"),
        (["--rule", "my_rules:NoRule"], "my_rules:NoRule must be a subclass of core.Rule"),
        (
            ["--rule", "my_rules:Undecided"],
            "my_rules:Undecided cannot be built: TypeError: Undecided.__init__() missing 1 required",
        ),
        (["--rule", "my_rules:Descent", "--dialect", "tf1"], "Descent has no dialect 'tf1'; it has: none."),
        (["--json", "absent/run.json"], "absent/run.json cannot be written"),
        (["--plot", "run.xls"], "run.xls must end in .png or .svg or .pdf."),
        (["--plot", "absent/run.png"], "absent/run.png cannot be written: No such file or directory."),
        (["--json", "."], "must be a file, found a folder"),
        (["--tensorboard", "my_rules.py"], "my_rules.py must be a folder, found that"),
        (["--checkpoint", "my_rules.py"], "my_rules.py must be a folder, found that"),
        (["--checkpoint", "run", "--rule", "adamm"], "There is no rule 'adamm'"),
        (["--checkpoint", "run", "--batch-size", "60000"], "found 60000"),
        (["--checkpoint", "run", "--tensorboard", "board", "--learning-rate", "nan"], "found nan"),
        (["--resume"], "--resume needs a folder: give --checkpoint DIR."),
        (["--save-every", "10"], "--save-every needs a folder: give --checkpoint DIR."),
        (["--checkpoint", "run", "--save-every", "0"], "--save-every"),
        (["--validation", "60000"], "between 1 and 59,999 of the 60,000 training images, found 60,000."),
        (
            ["--validation", "absent"],
            "absent must be a folder of two IDX or .npy files, where the validation is neither",
        ),
        (["--data-dir", "absent"], "absent must be a folder of IDX or .npy files or a .npz file, found nothing."),
        (["--data-dir", "absent", "--checkpoint", "run", "--tensorboard", "board"], "found nothing"),
        (
            ["--data-dir", "."],
            "must have one file train-images-idx3-ubyte or the same with .gz, or idx4 in colour, found none.",
        ),
    ],
)
def test_what_is_given_wrongly_ends_in_one_sentence_and_status_two(tmp_path, monkeypatch, capfd, arguments, sentence):
    """In this process, by the function that the console script calls."""
    (tmp_path / "my_rules.py").write_text(USER_RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_rules", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as stop:
        main(["train", *arguments])
    out, err = capfd.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert sentence in err
    assert err.startswith("rawstep: ")
    assert len(err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"my_rules.py", "__pycache__"}


def test_a_mistake_in_a_process_of_its_own_shows_no_traceback(tmp_path):
    done = rawstep("train", "--rule", "adamm", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"rawstep: There is no rule 'adamm'; there are: {', '.join(RULES)}, or give module:Class. Did you mean adam?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "There is no command 'trian'; there are: train, evaluate, "),
        (["trian"], "export-tf1. Did you mean train?\n"),
        (["evaluate"], "evaluate needs --checkpoint.\n"),
        (["explain", "adam", "extra"], "explain takes no argument 'extra'. Its options: --dialect, "),
        (
            ["translate", "adm", "--from", "tf1", "--to", "keras"],
            f"There is no rule 'adm'; there are: {', '.join(RULES)}. Did you mean adam?\n",
        ),
        (["race", "--landscape", "beal"], "quadratic, slice. Did you mean beale?\n"),
    ],
)
def test_every_command_says_what_can_be_given_instead(capfd, arguments, sentence):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert sentence in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["explain", "adam", "--csv", "steps.csv"]])
def test_whoever_reads_the_output_may_leave_early(tmp_path, arguments):
    """As head does: the command goes on to its end, writes its files, and says nothing of it."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(*arguments), stdout=writer, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "steps.csv").exists() == ("--csv" in arguments)


def test_a_network_without_hidden_layers_is_trained_gone_on_with_evaluated_and_exported(tmp_path, monkeypatch):
    """Softmax regression, which reaches 92 % on MNIST. Its exports compute the same."""

    def run(*arguments):
        with pytest.raises(SystemExit, match=r"^0$"):
            main([*arguments])

    monkeypatch.chdir(tmp_path)
    run("train", "--hidden", "none", "--init", "glorot", "--epochs", "2", "--checkpoint", "run")
    run("train", "--checkpoint", "run", "--resume", "--hidden", "none", "--epochs", "3", "--json", "run.json")
    report = json.loads((tmp_path / "run.json").read_text())
    assert report["settings"]["workload_options"]["hidden"] == []
    assert [epoch["epoch"] for epoch in report["epochs"]] == [1, 2, 3]
    assert 0.915 < report["test_accuracy"] < 0.93
    run("export", "--checkpoint", "run", "--saved-model", "served")
    images, labels = Settings().data().test
    served = tf.saved_model.load("served").signatures["serving_default"](images=tf.constant(images))
    assert (served["classes"].numpy() == labels).mean() == pytest.approx(report["test_accuracy"], abs=2e-4)
    run("export-tf1", "--checkpoint", "run", "--out", "notebook.ckpt")
    run("import-tf1", "notebook.ckpt", "--out", "imported")
    run("evaluate", "--checkpoint", "imported", "--json", "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text())["test"]["accuracy"] == report["test_accuracy"]


def test_help_answers_without_tensorflow_and_names_every_choice():
    done = rawstep("train", "--workload", "mlp", "--help")
    assert done.returncode == 0
    for word in (*Adam.DIALECTS, *get_args(Execution), *INITIALIZERS, "rawstep train --learning-rate 0.005"):
        assert word in done.stdout
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, training.commands.cli; print('tensorflow' in sys.modules)"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert loaded.stdout == "False\n"


def test_the_examples_of_every_command_s_help_are_understood():
    """Would catch an example with an option that is gone; they are parsed, not run."""
    commands = [name for name in app if not name.startswith("-") and app[name].show]
    for name in commands:
        examples = re.findall(r"^\s*- `rawstep ([^`>]+)", app[name].default_command.__doc__, re.MULTILINE)
        assert len(examples) >= 2, name
        for example in examples:
            command, _, _ = app.parse_args(shlex.split(example), exit_on_error=False, print_error=False)
            assert command is app[name].default_command, example


def test_the_choices_of_the_command_line_are_those_of_core():
    """Typed twice, so that --help need not import TensorFlow."""
    hints = get_type_hints(Settings)
    assert get_args(hints["on_nonfinite"]) == get_args(OnNonfinite)
    assert get_args(get_args(hints["execution"])[0]) == get_args(Execution)


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("rawstep 0.")
