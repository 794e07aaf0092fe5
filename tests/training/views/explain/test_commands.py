"""`rawstep explain` as a person runs it, in this process, which spares TensorFlow's start."""

import html
import json
import math

import pytest

from core import RULES
from core.rules.schedules import KINDS
from core.rules.settings import notes
from training.commands.cli import main
from training.output.pages import displayed
from training.runs.building import PIECES
from training.views.explain.explanation import explain
from training.views.explain.notation import in_latex, in_mathml

OWN = '''
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from core import SGD, Average, ClipByNorm, DecoupledDecay, Rule, Step, chain, only
from core.rules import Decay, Dialect, Letter, Rate
from core.xp import Array, zeros_like

class Velocity(NamedTuple):
    velocity: Annotated[Array, "the running sum of gradients"]

@dataclass(frozen=True)
class Momentum(Rule):
    """Heavy ball."""
    learning_rate: Annotated[Rate, Letter("η")] = 0.1
    momentum: Annotated[Decay, Letter("μ"), "the share of the velocity that a step keeps"] = 0.9

    def slots(self, x):
        return Velocity(zeros_like(x))

    def update(self, g, slots, x, at):
        velocity = self.momentum * slots.velocity + g
        return Step(self.learning_rate * velocity, Velocity(velocity), {})

class Lent(Momentum):
    """Heavy ball, lent to others, at a rate that falls."""
    DIALECTS = {"house": Dialect("The house's own papers", dict(learning_rate=lambda step: 1 / (1 + step)))}

@dataclass(frozen=True)
class Plain(Momentum):
    pass

class Branches(Momentum):
    def update(self, g, slots, x, at):
        return super().update(g if g > 0 else -g, slots, x, at)

def wide(name, rank):
    return rank > 1

my_chain = chain(ClipByNorm(1.0, where=only("h*")), SGD(0.1), DecoupledDecay(0.5, where=wide), Average(0.9))
'''

CHAIN = "explain adam --dialect keras --clip-global-norm 1 --weight-decay 0.01 --decay-only matrices --ema 0.999"
"""The worked example of the whole of a chain, without its schedule."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "own_explained.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(line):
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    assert stop.value.code == 0


@pytest.mark.parametrize("rule", RULES)
def test_everything_is_printed(rule, folder, capsys):
    dialect = [*RULES[rule].DIALECTS][-1]
    run(f"explain {rule} --dialect {dialect} --learning-rate 0.01")
    out, err = capsys.readouterr()
    for part in (
        "One step",
        "Settings",
        "Sources",
        "On numbers, from θ₀ = 1",
        "step 2, gradient -1",
        "Δ₂ = ",
    ):
        assert part in out
    assert ("θₜ = θₜ₋₁ - Δₜ" in out) != ("Δₜ = θₜ₋₁ - θₜ" in out), (
        "how far it goes follows from where, or where from that"
    )
    assert RULES[rule].DIALECTS[dialect].source in out
    assert err == ""


def test_what_other_dialects_set_and_compute_stands_beside(folder, capsys):
    run("explain adam --epsilon 1e-3")
    out = capsys.readouterr().out
    settings = [" ".join(line.split()) for line in out.splitlines()]
    assert "α learning_rate 0.001 0.001 to be given in optax" in settings
    assert "ε epsilon 0.001 1e-08 1e-07 in keras" in settings
    assert "epsilon_form algorithm-1 algorithm-1 epsilon-hat in tf1, keras" in settings
    assert "Otherwise in tf1, keras" in out
    assert out.count("(the same except for rounding)") == 3


def test_what_settings_mean_and_what_the_update_leaves_out_is_said(folder, capsys):
    run("explain ADAM --dialect keras --json adam.json --html adam.html")
    out, meanings = " ".join(capsys.readouterr().out.split()), notes(RULES["adam"], str)
    assert meanings
    assert all(f"{setting}: {meaning}" in out for setting, meaning in meanings.items())
    assert out.count("(not used in Δ)") == 3
    record, page = json.loads((folder / "adam.json").read_text()), (folder / "adam.html").read_text()
    assert [one["name"] for one in record["equations"] if not one["used"]] == ["m_hat", "v_hat", "denominator"]
    assert record["meanings"].items() >= meanings.items()
    assert all(meaning in html.unescape(page) for meaning in meanings.values())
    assert "are not used in Δ." in page


def test_a_rule_without_a_docstring_shows_no_signature(folder, capsys):
    run("explain own_explained:Plain --learning-rate 0.5")
    out = capsys.readouterr().out
    assert out.startswith("Plain, made of Momentum, without a docstring.\n")
    assert "velocityₜ = μ⋅velocityₜ₋₁ + gₜ" in out, "letters and meanings are the parent's"
    assert "η learning_rate 0.5 0.1" in " ".join(out.split()), "what is used, beside the class's own"


def test_numbers_of_the_user_s_go_into_the_worked_steps(folder, capsys):
    run("explain sgd --learning-rate 0.5 --gradients -2 4 --parameter 3")
    out = capsys.readouterr().out
    assert "Δ₁ = 0.5⋅(-2) = -1" in out
    assert "θ₁ = 3 - (-1) = 4" in out
    assert "θ₂ = 4 - 2 = 2" in out


def test_a_rule_of_one_s_own_is_explained_with_its_own_letters_and_meanings(folder, capsys):
    run("explain own_explained:Momentum")
    out = capsys.readouterr().out
    assert "velocityₜ = μ⋅velocityₜ₋₁ + gₜ" in out
    assert "Δₜ = η⋅velocityₜ" in out
    assert "velocity  the running sum of gradients; starts at 0" in out
    assert "momentum: the share of the velocity that a step keeps" in out
    assert "Sources" not in out


def test_dialects_of_one_s_own_and_a_schedule_are_explained(folder, capsys):
    run("explain own_explained:Lent --html lent.html")
    out = capsys.readouterr().out
    assert "house: The house's own papers" in out
    assert "0.1 Lent.<lambda> in house" in " ".join(out.split())
    assert "Otherwise in house" in out
    assert "velocityₜ" in out.split("Otherwise in house")[1].split("Sources")[0]
    assert "the class's own defaults" in (folder / "lent.html").read_text().replace("&#39;", "'")
    run("explain own_explained:Lent --dialect house")
    assert "Δ₂ = " in capsys.readouterr().out


def test_a_chain_is_explained_part_by_part_in_words_signs_and_numbers(folder, capsys):
    run(f"{CHAIN} --schedule cosine:3e-3,steps=5500,warmup=500 --gradients 2 --parameter 3 --html c.html --json c.json")
    out, err = capsys.readouterr()
    assert err == ""
    words = " ".join(out.split())
    for part in (
        "decoupled_decay matrices only Beside the step, a share α·λ of every parameter is taken off",
        "decoupled_decay, on matrices only decayedₜ = θₜ₋₁⋅λ⋅αₜ θ′ₜ = θₜ₋₁ - decayedₜ",
        "‖g‖ₜ is the norm of the gradients of all variables together; in the steps on numbers, which have one "
        "coordinate, |g|.",
        "Evaluation and export use θ̄ₜ, the average of the weights (ema 0.999).",
        "clip_by_global_norm.limit",
        "larger in paper; damped in torch; where in optax",
        "average.decay",
        "cosine:0.003,steps=5500,warmup=500",
        "θ̄ₜ average.average running mean of the parameter; starts at 3",
        "g′₁ = 2⋅0.5 = 1",
        "θ₁ = 3 - 0 = 3",
    ):
        assert part in words
    optax = words.split("Otherwise in optax")[1]
    assert "In the order clip_by_global_norm, adam, decoupled_decay, average." in optax
    assert "Δ′ₜ = Δₜ + decayedₜ" in optax
    record, page = json.loads((folder / "c.json").read_text()), (folder / "c.html").read_text()
    assert record["chain"][1]["on"] == "matrices only"
    assert record["steps"][0]["values"]["clip_by_global_norm.factor"] == 0.5
    assert record["steps"][0]["values"]["learning_rate"] == 0
    assert "<h3>decoupled_decay, on matrices only</h3>" in page
    assert r"\cos\left(\frac{\pi \min" in record["equations"][0]["latex"]


def test_a_chain_of_one_s_own_is_explained_and_can_have_more_around_it(folder, capsys):
    run("explain own_explained:my_chain --gradients 2")
    out = capsys.readouterr().out
    assert "clip_by_norm, on h* only" in out
    assert "decoupled_decay, on variables where wide is true" in out
    assert "max(Nₜ, c)" in out
    assert "Δ′₁ = 0.1 + 0.05 = 0.15" in out
    run("explain own_explained:my_chain --clip-global-norm 2 --latex")
    out = capsys.readouterr().out
    assert "  % chain.clip_by_norm, on h* only\n" in out
    assert r"\left\lVert g'_{t} \right\rVert" in out


def test_without_a_rule_rules_pieces_and_schedules_are_listed(capsys):
    run("explain")
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.splitlines() if line.startswith(" ") and line.split()]
    assert {*RULES} <= {*listed}
    assert all(f" {name}" in out for name in {*KINDS, "warmup"} - {"constant"})
    for name, (kind, _) in PIECES.items():
        assert kind.__name__ in listed
        assert f"--{name.replace('_', '-')}" in out


def test_latex_is_printed_alone_and_is_of_the_same_expressions_as_the_page(folder, capsys):
    run("explain adagrad --dialect optax --latex --html page.html --json all.json")
    out = capsys.readouterr().out
    formula = explain("adagrad", "optax").formula
    lines = [f"{in_latex(one.symbol, formula.signs)} &= {in_latex(one.expression, formula.signs)}"
             for one in formula.equations]  # fmt: skip
    body = " \\\\\n".join(f"  {line}" for line in lines)
    assert out == f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n"
    page, record = (folder / "page.html").read_text(), json.loads((folder / "all.json").read_text())
    assert [one["latex"].replace(" = ", " &= ", 1) for one in record["equations"]] == lines
    for one in formula.equations:
        assert displayed(in_mathml(one.symbol, formula.signs), "=", in_mathml(one.expression, formula.signs)) in page


def test_the_file_has_all_that_is_shown(folder, capsys):
    run("explain adam --json adam.json --gradients 1e200")
    record = json.loads((folder / "adam.json").read_text())
    assert (record["rule"], record["dialect"], record["parameter"]) == ("adam", "paper", 1.0)
    assert record["settings"]["epsilon"] == 1e-8
    assert record["settings_by_dialect"]["learning_rate"]["optax"] is None
    assert [slot["name"] for slot in record["slots"]] == ["m", "v"]
    assert [one["name"] for one in record["equations"] if one["of_t_alone"]] == ["correction_1", "correction_2"]
    assert record["other_forms"][0]["dialects"] == ["tf1", "keras"]
    assert [one["differs"] for one in record["other_forms"][0]["equations"]] == ["rounding"] * 2 + ["value"] * 2
    values = record["steps"][0]["values"]
    assert values["v"] is None, "what overflowed is no number"
    assert math.isclose(values["m"], 1e199)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("explain nosuch", f"There is no rule 'nosuch'; there are: {', '.join(RULES)}"),
        ("explain adam --dialect caffe", f"Adam has no dialect 'caffe'; it has: {', '.join(RULES['adam'].DIALECTS)}."),
        ("explain adam --rho 0.9", "explain has no option --rho, nor has Adam such a setting."),
        ("explain adam --epsilon -1", "Adam: epsilon must lie in (0, ∞), found -1."),
        ("explain adam --gradients", "--gradients needs a value."),
        ("explain adam --gradients 1 x", "x"),
        ("explain adam --gradients 1 nan", "--gradients must be finite, found nan."),
        ("explain adam --json .", ". must be a file, found a folder."),
        ("explain adam --html nowhere/page.html", "nowhere/page.html cannot be written"),
        ("explain adam --html one --json one", "is given for two things that are written."),
        (f"{CHAIN} --group biases:sgd:keras", "explain the rule of each group alone."),
        ("explain own_explained:my_chain --dialect keras", "is an instance and has its settings"),
        ("explain --ema 0.9", "explain needs a rule for this"),
        ("explain own_explained:Nobody --html page.html", "own_explained:Nobody cannot be imported: AttributeError"),
        ("explain own_explained:Momentum --dialect keras", "Momentum has no dialect 'keras'; it has: none."),
        ("explain own_explained:Branches --json a.json", "in Branches.update: Branches does not run on"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_status_2_and_writes_nothing(arguments, sentence, folder, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert {path.name for path in folder.iterdir()} <= {"own_explained.py", "__pycache__"}
