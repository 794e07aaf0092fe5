"""Settings of a rule, and what stands around it, as options of the commands; classes and instances by name."""

import json
from dataclasses import MISSING, fields

import numpy as np
import pytest
import tensorflow as tf

from core import RULES, SGD, Adam, AdamW, around, only, schedules
from training.commands.cli import main
from training.runs.display import run_title
from training.runs.rule_choice import choose_rule, option, usual_dialect
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.workloads.images import unit_pixels
from training.workloads.perceptron import logits

MINE = """
from core import Adam, Rule

my_adam = Adam(0.01, beta_2=0.98)
nothing = 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)


def ran(*arguments, status=0):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == status


def failure(capsys, *arguments):
    """What a command says that ends with status 2."""
    ran(*arguments, status=2)
    return capsys.readouterr().err


def test_a_run_has_the_settings_of_its_options_and_resumes_with_them(capsys, tmp_path):
    """Would catch an option that is dropped, in the run or in its checkpoint; the learning rate alone may change."""
    small = ["--hidden", "4", "--batch-size", "5000", "--init", "he", "--checkpoint", "run"]
    ran("train", *small, "--epochs", "1", "--beta-2", "0.95", "--epsilon", "1e-7", "--json", "run.json")
    rule = json.loads((tmp_path / "run.json").read_text())["settings"]["rule_settings"]
    assert (rule["beta_2"], rule["epsilon"], rule["beta_1"]) == (0.95, 1e-7, 0.9)
    ran("train", "--checkpoint", "run", "--resume", "--epochs", "2", "--json", "run.json")
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["rule_settings"]["beta_2"] == 0.95
    assert "beta_2 0.95, not 0.9" in failure(capsys, "train", "--checkpoint", "run", "--resume", "--beta-2", "0.9")


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # Keras's own
def test_averages_of_the_weights_are_evaluated_and_exported_unless_the_raw_ones_are_asked_for(capsys, tmp_path):
    small = ["--hidden", "4", "--batch-size", "5000", "--accumulate", "2", "--init", "he", "--epochs", "3"]
    ran("train", *small, "--ema", "0.9", "--keep-best", "--checkpoint", "run", "--json", "run.json")
    said, average = capsys.readouterr(), "the average of the weights (ema 0.9)"
    assert f"rawstep: evaluated with {average}\n" in said.err
    assert "the best epoch is 3, with validation accuracy 0." in said.err
    report = json.loads((tmp_path / "run.json").read_text())
    assert (report["best_epoch"], report["evaluated_with"]) == (3, average)
    assert run_title(report) == "adam (tf1), learning rate 0.001, ema 0.9, accumulate 2, seed 0"
    found = {}
    for how in ((), ("--raw",), ("--best",)):
        ran("evaluate", "--checkpoint", "run", *how, "--json", "figures.json")
        found[how] = json.loads((tmp_path / "figures.json").read_text())
    said = capsys.readouterr().out
    assert f"\nevaluated with {average}\n" in said
    assert f"\nevaluated with the weights as they are trained, not {average}\n" in said
    assert found[()]["test"]["accuracy"] == report["test_accuracy"]
    assert found[()] == found["--best",], "the last epoch was the best"
    assert found["--raw",]["test"]["cost"] < found[()]["test"]["cost"], "an average of few steps lags behind"
    images = tf.constant(Settings().data().test[0][:50])
    exported = {}
    for name in ("--raw", "--best"):
        ran("export", "--checkpoint", "run", name, "--saved-model", f"saved{name}", "--keras", f"model{name}.keras")
        exported[name] = tf.saved_model.load(f"saved{name}")(images)["probabilities"].numpy()
        keras = tf.keras.models.load_model(f"model{name}.keras").predict(images, verbose=0)
        assert keras == pytest.approx(exported[name], abs=1e-5)
    assert f", with {average}\n" in capsys.readouterr().out
    state = RunFolder(tmp_path / "run").newest()
    for raw, name in ((True, "--raw"), (False, "--best")):
        expected = tf.nn.softmax(logits(state.served(raw)[0], unit_pixels(images)))
        np.testing.assert_allclose(exported[name], expected, atol=1e-6)
    assert np.abs(exported["--raw"] - exported["--best"]).max() > 1e-3
    ran("export-tf1", "--checkpoint", "run", "--out", "rnn2.ckpt")
    averages = tf.train.load_checkpoint("rnn2.ckpt").get_tensor("Variable/ExponentialMovingAverage")
    np.testing.assert_array_equal(averages, state.served()[0]["h1"])


def test_what_stands_around_a_rule_has_the_order_and_the_form_of_its_dialect():
    built = Settings(dialect="torch", clip_norm=1.0, weight_decay=0.1, decay_only=("h*",), ema=0.9).make_rule()
    expected = around(Adam.dialect("torch"), "torch", clip_norm=1.0, weight_decay=0.1, where=only("h*"), ema=0.9)
    assert built == expected
    assert Settings(rule="adamw", weight_decay=0.1).make_rule() == AdamW.dialect("paper", weight_decay=0.1)
    earlier = Settings(rule="adamw", rule_options={"weight_decay": "1e-1"})  # as rawstep 0.2 saved it
    assert earlier.options == Settings(rule="adamw", weight_decay=0.1).options
    scheduled = Settings(schedule="cosine:1,steps=9", rule_options={"beta_2": "constant:0.9"}).make_rule()
    assert scheduled == Adam.dialect(
        "tf1", learning_rate=schedules.parse("cosine:1,steps=9"), beta_2=schedules.parse("constant:0.9")
    )


def test_a_group_has_its_own_rate_and_the_rest_around_it():
    given = "b*:sgd,learning_rate=cosine:1,steps=9"
    built = Settings(
        dialect="keras", learning_rate=0.1, ema=0.9, weight_decay=0.1, group=(given, "h1:adamw")
    ).make_rule()
    pieces = dict(dialect="keras", ema=0.9)
    sgd, main = (
        SGD.dialect("keras", learning_rate=schedules.parse("cosine:1,steps=9")),
        Adam.dialect("keras", learning_rate=0.1),
    )
    assert built.for_variable("b1", 1) == around(sgd, **pieces, weight_decay=0.1)
    assert built.for_variable("h2", 2) == around(main, **pieces, weight_decay=0.1)
    assert built.for_variable("h1", 2) == around(AdamW.dialect("keras", weight_decay=0.1), **pieces)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("inspect --accumulate 2", "--accumulate means nothing here: the inspected step is one XLA program"),
        ("inspect --patience 2", "--patience means nothing here: a step is inspected, and no run is trained."),
        ("trace --keep-best", "--keep-best means nothing here: a trace keeps no checkpoints."),
        (
            "inspect --compute bfloat16",
            "--compute means nothing here: a step is inspected in the dtypes of the workload",
        ),
        ("train --compute float16 --parameters bfloat16", "--compute float16 holds no bfloat16 beyond 65,504"),
        ("train --compute float64", "--compute must be one of float32, bfloat16, float16, found 'float64'"),
        ("train --epoch 3", "train has no option --epoch, nor has Adam or mlp such a setting. Did you mean --epochs?"),
        ("trace --rule momentum --momentm 0.5", "nor has Momentum or mlp such a setting. Did you mean --momentum?"),
        (
            "train --beta-2 fast",
            "--beta-2 must be a number or a schedule, such as cosine:3e-3,steps=5500, found 'fast'.",
        ),
        ("train --beta-2 1.5", "Adam: beta_2 must lie in [0, 1), found 1.5."),
        ("inspect --rule rmsprop --centered yes", "--centered must be true or false, found 'yes'."),
        ("explain adam --epsilon-form hat", "--epsilon-form must be one of algorithm-1, epsilon-hat, found 'hat'."),
        ("train --beta-2", "--beta-2 needs a value."),
        ("train --transpos", "Did you mean --transpose?"),
        ("train --rule mine:nothing", "must be a subclass of core.Rule or an instance of one, found 3."),
        ("train --rule mine:my_adam --dialect keras", "is an instance and has its settings: --dialect keras cannot"),
        ("translate momentum --from torch --to keras --nesterov true", "nor has Momentum such a setting."),
        ("explain --latex", "explain needs a rule for this: `rawstep explain` lists them."),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_sentence(capsys, arguments, said):
    assert said in failure(capsys, *arguments.split())


def test_a_setting_that_is_true_or_false_is_a_flag():
    assert choose_rule("rmsprop", settings={"centered": ""}) == choose_rule("rmsprop", settings={"centered": "true"})


def test_an_instance_is_taken_where_classes_are(capsys):
    assert choose_rule("mine:my_adam", settings={"beta_1": "0.8"}) == Adam(0.01, beta_1=0.8, beta_2=0.98)
    ran("diverge", "mine:my_adam", "adam:paper", "--steps", "30")
    ran("explain", "mine:my_adam")
    assert "0.98" in capsys.readouterr().out


def test_without_a_dialect_a_rule_is_tf1_s_or_its_first_one():
    for name, kind in RULES.items():
        assert Settings(rule=name).settled().dialect == usual_dialect(name)
        assert usual_dialect(name) == ("tf1" if "tf1" in kind.DIALECTS else "paper")


@pytest.mark.parametrize("name", RULES)
def test_help_with_a_rule_lists_its_settings_with_the_dialect_s_defaults(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "200")
    dialect = next(iter(RULES[name].DIALECTS))
    ran("train", "--rule", name, "--dialect", dialect, "--help")
    shown = capsys.readouterr().out.rpartition(f"Settings of {RULES[name].__name__}, {dialect}")[2]
    rows = {line.split()[0]: line for line in shown.splitlines() if "--" in line}
    settings = RULES[name].DIALECTS[dialect].settings
    for field in fields(RULES[name]):
        value = settings.get(field.name, field.default)
        if isinstance(value, float) and value is not MISSING:
            assert f" {value:g} " in rows[option(field.name)]


def test_explain_alone_lists_the_rules(capsys):
    ran("explain")
    out = capsys.readouterr().out
    assert all(f" {name} " in out for name in RULES)
