"""A rule of the user's own in every command that takes one: one that is right at the first attempt, and mistakes."""

import json

import pytest

from core import InputError
from core.verification.trajectory import called
from training.commands.cli import main
from training.runs.rule_choice import choose_rule
from training.views.certificate.subjects import claims_about

LION = '''
from typing import NamedTuple

from core import Rule, Step
from core.rules import Decay, NonNegative, Rate
from core.xp import Array, sign, zeros_like


class LionSlots(NamedTuple):
    m: Array


class Lion(Rule):
    """Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms"."""

    learning_rate: Rate = 1e-4
    beta_1: Decay = 0.9
    beta_2: Decay = 0.99
    weight_decay: NonNegative = 0.0

    def slots(self, x):
        return LionSlots(zeros_like(x))

    def update(self, g, slots, x, at):
        update = sign(self.beta_1 * slots.m + (1 - self.beta_1) * g)
        m = self.beta_2 * slots.m + (1 - self.beta_2) * g
        return Step(self.learning_rate * (update + self.weight_decay * x), LionSlots(m), dict(update=update))


class Decaying(Lion):
    weight_decay = 0.01


class Broken(Lion):
    def update(self, g, slots, x, at):
        return super().update(g.nothing, slots, x, at)


class Unbuilt(Lion):
    def __post_init__(self):
        raise ValueError("never")
'''
MISTAKES = {
    "syntax_error": ("def f(:\n", "syntax_error.py, line 1: SyntaxError: invalid syntax."),
    "name_error": ("import core\n\nx = absent\n", "name_error.py, line 3: NameError: name 'absent' is not defined."),
    "import_error": ("from core.xp import absent\n", "import_error.py, line 1: ImportError: cannot import"),
    "order": ("from core import Rule\nclass O(Rule):\n    a: float = 1\n    b: float\n", "order.py, line 2: TypeE"),
}
TRAINED = "--hidden 8 --batch-size 500 --epochs 1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One for all: a module is imported once in a process."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_lion.py").write_text(LION)
    for name, (text, _) in MISTAKES.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Runs a command in the folder: exit status, standard output, standard error."""

    def run(line):
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as stop:
            main(line.split())
        return stop.value.code, *capsys.readouterr()

    return run


def test_lion_trains(run, folder):
    status, _, err = run(f"train --rule own_lion:Lion {TRAINED} --json lion.json")
    assert status == 0, err
    assert json.loads((folder / "lion.json").read_text())["epochs"][0]["cost"] > 0


def test_lion_is_explained_in_the_terminal_in_latex_and_on_a_page(run, folder):
    status, out, _ = run("explain own_lion:Decaying --html lion.html")
    assert status == 0
    assert "updateₜ = sign(β₁⋅mₜ₋₁ + (1 - β₁)⋅gₜ)" in out
    assert "Δₜ = α⋅(updateₜ + λ⋅θₜ₋₁)" in out
    assert "Δ₁ = 0.0001⋅(1 + 0.01⋅1) = 0.000101" in out
    _, out, _ = run("explain own_lion:Decaying --latex")
    assert r"\operatorname{sign}\left(\beta_{1} m_{t-1} + \left(1 - \beta_{1}\right) g_{t}\right)" in out
    assert "<mi>sign</mi><mrow><mo>(</mo>" in (folder / "lion.html").read_text()


@pytest.mark.parametrize("reference", ["itself", "optax:lion(learning_rate=1e-4,weight_decay=0.01)"])
def test_lion_is_certified(run, reference):
    quick = "--execution eager --steps 20 --dtype float32"
    status, out, err = run(f"verify --rule own_lion:Decaying --reference {reference} {quick}")
    assert status == 0, out + err
    assert "1 rows: 1 certified." in out


@pytest.mark.parametrize(
    "command",
    [
        f"train --rule RULE {TRAINED} --checkpoint new --tensorboard board --json new.json",
        f"trace --rule RULE {TRAINED} --no-cost --out new",
        "race --rules RULE --landscape quadratic --steps 20 --rates 2 --out new",
        "inspect --rule RULE --hidden 8 --no-ladder --html new.html",
        "explain RULE --html new.html",
        "verify --rule RULE --reference itself --steps 5 --save-streams new.npz",
        "diverge RULE adagrad:paper --steps 5 --json new.json",
    ],
    ids=lambda command: command.split()[0],
)
def test_a_mistake_ends_every_command_in_one_sentence_with_the_line_and_leaves_nothing(run, folder, command):
    before = set(folder.iterdir())
    status, out, err = run(command.replace("RULE", "own_lion:Broken"))
    assert (status, out, len(err.splitlines())) == (2, "", 1), err
    line = 1 + LION.splitlines().index("        return super().update(g.nothing, slots, x, at)")
    assert err.startswith(f"rawstep: own_lion.py, line {line}, in Broken.update: ")
    assert "nothing" in err
    assert set(folder.iterdir()) <= before | {folder / "__pycache__"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *((f"{name}:R", sentence) for name, (_, sentence) in MISTAKES.items()),
        ("own_lion.py:Lion", "own_lion.py:Lion names a file; give the module and the class: own_lion:Lion."),
        ("own_lion.py", "or, for a rule of your own, own_lion:Class."),
        ("own_lion:Unbuilt", "in Unbuilt.__post_init__: own_lion:Unbuilt cannot be built: ValueError: never."),
        ("own_lion:LionSlots", "must be a subclass of core.Rule or an instance of one, found the class LionSlots."),
    ],
)
def test_a_module_or_class_that_cannot_be_used_is_named_with_the_line(folder, monkeypatch, name, sentence):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as refusal:
        choose_rule(name)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    "command",
    [
        "explain AdaGrad --latex",
        "diverge Adam:Keras ADAM:torch --steps 5",
        "race --rules Adagrad:Keras own_lion:Lion --landscape beale --steps 5 --rates 2",
    ],
    ids=lambda command: command.split()[0],
)
def test_rules_are_known_in_either_case(run, command):
    status, _, err = run(command)
    assert (status, err) == (0, "")


def test_a_race_of_a_rule_with_itself_is_refused(run):
    status, _, err = run("race --rules adam Adam --landscape beale")
    assert (status, err) == (2, "rawstep: adam is given twice: each rule races once.\n")


def test_rules_and_libraries_to_verify_are_known_in_either_case():
    assert [claim.name for claim in claims_about(["SGD", "Adam"], ["paper"], ["Paper"])] == ["sgd", "adam"]


def test_slots_that_the_reference_lacks_are_refused_with_what_to_do():
    with pytest.raises(InputError, match=r"which keeps none; found u\..*such as \"keras:SGD\(momentum=0\.9\)\""):
        called({}, ("u",), "own:Momentum")
