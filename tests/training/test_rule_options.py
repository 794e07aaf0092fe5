"""Settings of a rule as options of the commands, made of its own fields; classes and instances by name."""

import json
from dataclasses import MISSING, fields

import pytest

from core import RULES, Adam
from training.cli import main
from training.rule_choice import choose_rule, option, usual_dialect
from training.settings import Settings

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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train --epoch 3", "train has no option --epoch, and Adam has no such setting. Did you mean --epochs?"),
        ("trace --rule momentum --momentm 0.5", "and Momentum has no such setting. Did you mean --momentum?"),
        ("train --beta-2 fast", "--beta-2 must be a number or a schedule, such as cosine:3e-3,steps=5500, found 'fast'."),
        ("train --beta-2 1.5", "Adam: beta_2 must lie in [0, 1), found 1.5."),
        ("inspect --rule rmsprop --centered yes", "--centered must be true or false, found 'yes'."),
        ("explain adam --epsilon-form hat", "--epsilon-form must be one of algorithm-1, epsilon-hat, found 'hat'."),
        ("train --beta-2", "--beta-2 needs a value."),
        ("train --rule mine:nothing", "must be a subclass of core.Rule or an instance of one, found 3."),
        ("train --rule mine:my_adam --dialect keras", "is an instance and has its settings: --dialect keras cannot"),
        ("translate momentum --from torch --to keras --nesterov true", "and Momentum has no such setting."),
        ("explain --latex", "explain needs a rule for this: `rawstep explain` lists them."),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_sentence(capsys, arguments, said):
    assert said in failure(capsys, *arguments.split())


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
