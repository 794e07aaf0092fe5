"""verify, diverge and translate as a person runs them: their output, files and exit status.

One in a process of its own, the others in this one, which spares TensorFlow's start.
"""

import json
import multiprocessing

import pytest
from junitparser import JUnitXml

from core import RULES, InputError
from core.verification import matrix, synthetic
from core.verification.chain_claims import chain_matrix
from training.commands.cli import main
from training.views.certificate import gradients, subjects
from training.views.certificate.units import Unit, Work, judged

from ...processes import rawstep

QUICK = ["--execution", "graph", "--steps", "60", "--jobs", "1"]

OWN_RULES = """
from dataclasses import dataclass
from typing import NamedTuple

from core import Rule, Step
from core.rules import Decay, Positive, Rate
from core.xp import Array, cast_like, sqrt, zeros_like


class Moments(NamedTuple):
    m: Array
    v: Array


@dataclass(frozen=True)
class MyAdam(Rule):
    learning_rate: Rate = 1e-3
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8
    inside: bool = False

    def slots(self, x):
        return Moments(zeros_like(x), zeros_like(x))

    def update(self, g, slots, x, at):
        m = self.beta_1 * slots.m + (1 - self.beta_1) * g
        v = self.beta_2 * slots.v + (1 - self.beta_2) * g * g
        m_hat, v_hat = m / cast_like(1 - self.beta_1**at.t, g), v / cast_like(1 - self.beta_2**at.t, g)
        denominator = sqrt(v_hat + self.epsilon) if self.inside else sqrt(v_hat) + self.epsilon
        stages = dict(denominator=denominator, below=denominator)
        return Step(self.learning_rate * m_hat / denominator, Moments(m, v), stages)


class Flat(MyAdam):
    def update(self, g, slots, x, at):
        return super().update(g, slots, x, at)._replace(delta=cast_like(0.0, g))


class Few(MyAdam):
    def slots(self, x):
        return NamedTuple("Few", [("m", Array)])(zeros_like(x))

    def update(self, g, slots, x, at):
        return Step(g, slots, {})


class Lost(MyAdam):
    def update(self, g, slots, x, at):
        return super().update(g, slots._replace(v=slots.v - 1.0), x, at)


class Wide(MyAdam):
    def update(self, g, slots, x, at):
        return super().update(g, slots, x, at)._replace(delta=g[:1])


def function(g, slots, t, x):
    return g, slots


def adam(g, slots, t, x, epsilon=1e-8):
    first = (0.9 * slots["first"] + (1 - 0.9) * g).astype(g.dtype)
    second = (0.999 * slots["second"] + (1 - 0.999) * g * g).astype(g.dtype)
    root = (second / (1 - 0.999**t)) ** 0.5 + epsilon
    return (x - 1e-3 * first / (1 - 0.9**t) / root).astype(g.dtype), {"first": first, "second": second}


wrong = MyAdam(inside=True)
nothing = 3
"""


NARROW = """
from core import Adam

class NarrowAdam(Adam):
    power_in = "variable"
"""


@pytest.fixture(scope="module", autouse=True)
def recorded_once():
    """Commands in this process record the gradients of as many steps from a seed once."""
    recorded, kept = gradients.recorded, {}

    def once(run, steps):
        key = (steps, *run.options.items())
        if key not in kept:
            kept[key] = recorded(run, steps)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradients, "recorded", once)
        yield


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own_rules.py").write_text(OWN_RULES)
    (tmp_path / "broken_module.py").write_text("import torch.does_not_exist")
    return tmp_path


PART = [("sgd", "torch"), ("adagrad", "keras"), ("adam", "tf1")]


def test_a_stated_part_of_the_matrix_is_certified_with_everything_installed(tmp_path, run_here, monkeypatch):
    """As a graph, in the 60 steps in which all planted errors are seen. Every rule and dialect is certified in NumPy in
    tests/core/verification, and held to its formula in every execution in tests/core/test_program.py; all of it, with
    10,000 steps, is `make verify`.
    """
    chains = chain_matrix(["optax"])[-1:]
    every = {(one.name, one.dialect): one for one in [*matrix(), *chains]}
    part = [*PART, *((one.name, one.dialect) for one in chains)]
    monkeypatch.setattr(subjects, "matrix", lambda *_: [every[key] for key in PART])
    monkeypatch.setattr(subjects, "chain_matrix", lambda *_: chains)
    done = run_here("verify", "--strict", *QUICK, "--dtype", "float32", "--json", "c.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", "no chatter, and no bar where there is no terminal"
    record = json.loads((tmp_path / "c.json").read_text())
    keys = [(row["rule"], row["dialect"], row["reference"]) for row in record["rows"]]
    assert keys == [(*key, reference) for key in part for reference in every[key].references]
    assert {row["verdict"] for row in record["rows"]} == {"certified"}
    assert all(row["planted"] >= 8 and row["missed"] == [] for row in record["rows"])
    worst = [row["comparison"]["worst"] for row in record["rows"] if row["reference"] == "paper"]
    assert all(one["units"] <= 4 or one["bound"] > 100 for one in worst), (
        "where terms cancel, rounding may come to more"
    )
    assert record["versions"].keys() >= {"rawstep", "tensorflow", "keras", "torch", "optax", "jax", "numpy", "python"}
    assert {"date", "command", "processor", "flags", "seed", "streams", "cores", "commit"} <= record.keys()
    assert record["streams"]["float32"]["kinds"]["mlp"] == 20
    assert f"{len(keys)} rows: {len(keys)} certified." in done.stdout


def test_a_certificate_is_made_in_a_process_of_its_own_without_chatter(tmp_path):
    chosen = ["--rule", "sgd", "--dialect", "tf1", "--dtype", "float32", "--execution", "xla-loop", "--steps", "30"]
    done = rawstep("verify", *chosen, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "3 rows: 3 certified." in done.stdout


def test_a_judging_process_that_is_killed_ends_in_one_sentence():
    streams = {dtype: synthetic(dtype, 5) for dtype in ("float32", "float64")}
    asked, killed = (["sgd"], ["torch"], ["torch"]), []
    work, units = Work(asked, streams, ("graph",)), [Unit(0, dtype) for dtype in streams]

    def kill():
        killed.extend(one.kill() for one in multiprocessing.active_children())

    with pytest.raises(InputError, match="A process that judged was killed; --jobs 1 starts none"):
        judged(subjects.claims_about(*asked), work, units, 2, lambda unit: None, kill)
    assert killed, "nothing was planted"


def test_saved_gradients_are_replayed_to_the_same_certificate(tmp_path, run_here):
    first = ["verify", "--rule", "adagrad", "--reference", "paper", "--dialect", "keras", *QUICK, "--dtype", "float32"]
    done = run_here(*first, "--seed", "7", "--save-streams", "gradients.npz", "--json", "a.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = run_here(*first, "--streams", "gradients.npz", "--json", "b.json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    a, b = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert a["rows"] == b["rows"]
    assert b["streams"]["float32"]["seed"] == 7


def test_a_rule_of_one_s_own_is_certified_or_told_its_error(own, run_here):
    right = run_here("verify", "--rule", "own_rules:MyAdam", "--reference", "torch:Adam", *QUICK, cwd=own)
    assert right.returncode == 0, right.stdout + right.stderr
    assert "2 rows: 2 certified." in right.stdout
    assert "not compared, as the reference has no value of that name: below." in right.stdout
    asked = ["--reference", "adam:torch", "--dtype", "float64"]
    wrong = run_here("verify", "--rule", "own_rules:wrong", *asked, *QUICK, cwd=own)
    assert wrong.returncode == 1
    assert "denominator is wrong: ε inside the root. denominator at step 1" in wrong.stdout
    assert wrong.stderr == ""


def test_a_function_is_judged_from_the_command_line_and_its_certificate_says_what_it_covers(own, run_here):
    chosen = ["--rule", "own_rules:adam", "--reference", "torch:Adam", "--returns", "x", *QUICK]
    chosen += ["--slots", "first=0", "second=0", "--setting", "epsilon=1e-6"]
    done = run_here("verify", *chosen, "--json", "c.json", "--junit", "c.xml", cwd=own)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "Covered in float32: tensors of shape scalar, 3×2, 2×3, 2×1×3×2, 45, updated in an order that changes; 60",
        "a library itself asked about 60", "and 0; θ from", "settings: epsilon = 1e-06 | epsilon = 0.0078125",
        "slots from their own first values and from drawn ones", "2 rows: 2 certified.",
    ):  # fmt: skip
        assert words in done.stdout
    rows = json.loads((own / "c.json").read_text())["rows"]
    assert {row["verdict"] for row in rows} == {"certified"}
    assert rows[0]["coverage"]["shapes"] == [[], [3, 2], [2, 3], [2, 1, 3, 2], [45]]
    assert rows[0]["comparison"]["worst"].keys() >= {"value", "step", "units", "bound"}
    (suite,) = JUnitXml.fromfile(str(own / "c.xml"))
    assert (suite.tests, suite.failures) == (2, 0)


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_roundings_alone_are_no_failure_unless_strict(own, run_here, strict):
    (own / "narrow.py").write_text(NARROW)
    chosen = ["--rule", "narrow:NarrowAdam", "--reference", "adam:paper", "--dtype", "float32", *QUICK]
    done = run_here("verify", *chosen, "--junit", "c.xml", *strict, cwd=own)
    assert done.returncode == len(strict), done.stdout + done.stderr
    assert "rounding only: β^t computed in float32." in done.stdout
    assert "1 rows: 1 rounding only." in done.stdout
    (suite,) = JUnitXml.fromfile(str(own / "c.xml"))
    assert suite.failures == len(strict)


def test_two_implementations_are_told_where_they_part(own, run_here):
    done = run_here("diverge", "adam:keras", "adam:torch", "--json", "d.json", cwd=own)
    assert done.returncode == 0, done.stderr
    assert "adam:keras and adam:torch part at step 1, in denominator." in done.stdout
    assert "ε̂ for ε" in done.stdout
    assert json.loads((own / "d.json").read_text())["divergence"]["stage"] == "denominator"
    same = run_here("diverge", "own_rules:MyAdam", "torch:adam", "--epsilon", "1e-3", cwd=own)
    assert same.returncode == 0, same.stderr
    assert "compute the same along 1,000 steps of 70 gradients, except for rounding." in same.stdout


def test_settings_are_translated(tmp_path, run_here):
    done = run_here(
        "translate", "adam", "--from", "torch", "--to", "keras", "--steps", "40", "--json", "t.json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=")
    assert "No constant setting computes what torch's adam computes" in done.stdout
    assert "What does is ε̂_t = ε·√(1 − β2^t): 3.162e-10 at step 1" in done.stdout
    record = json.loads((tmp_path / "t.json").read_text())
    assert (record["exact"], record["holds"], record["schedule"]["setting"]) == (False, True, "epsilon")
    exact = run_here("translate", "Adagrad", "--from", "keras", "--to", "torch", "--steps", "40", cwd=tmp_path)
    assert exact.returncode == 0, exact.stderr
    assert f"initial_accumulator_value={0.1 + 1e-7!r}, eps=0.0)" in exact.stdout
    assert "This computes what keras's adagrad computes, except for rounding." in exact.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("verify --rule nosuch", f"There is no rule 'nosuch'; there are: {', '.join(RULES)}."),
        ("verify --reference caffe", "There is no reference 'caffe'; there are: paper, keras, tf1-kernel"),
        ("verify --dialect caffe", "There is no dialect 'caffe'; there are: paper, tf1, keras, torch, optax."),
        ("verify --dialect torch --reference keras", "keras computes none of the dialects torch."),
        ("verify --rule adam --reference keras:adam", "'keras:adam' is for a rule of your own"),
        ("verify --dtype float8", "--dtype must be one of float32, float64, bfloat16, float16, found 'float8'"),
        ("verify --execution jax", "--execution must be one of eager, graph, xla-step, xla-loop, found 'jax'."),
        ("verify --steps 0", "Must be >= 1"),
        ("verify --rule", "--rule needs a value."),
        ("verify --rule adam --execution", "--execution needs a value."),
        (
            "diverge keras:adam adam:keras --dtype float64",
            "keras:adam keeps its settings in float32: compare it in float32.",
        ),
        ("diverge adagrad:tf1 adagrad:keras --epsilon 1e-5", "This formula has no epsilon, found 1e-05."),
        (
            "diverge own_rules:Wide adam:torch",
            "in Wide.update: delta must be float64 (70,), found float64 (1,).",
        ),
        (
            "verify --rule own_rules:function --reference adam:keras --slots m",
            "--slots takes each name=number once, such as epsilon=1e-3, found 'm'.",
        ),
        ("verify --rule adam --setting epsilon=1e-3", "are for a function of your own"),
        ("verify --steps 1.5", "--steps must be a whole number, found '1.5'."),
        ("verify --seed -1", "Must be >= 0"),
        ("verify --streams absent.npz", "absent.npz holds no gradients as --save-streams writes them: absent.npz is"),
        ("verify --json .", ". must be a file, found a folder."),
        ("verify --workload nosuch", "There is no workload 'nosuch'; there are: mlp, "),
        ("verify --workload mlp --streams absent.npz", "--workload means nothing here: --streams has the gradients."),
        ("verify --rule adam --hiden 3", "verify has no option --hiden, nor has Adam or mlp such a setting."),
        ("verify --json a --save-streams a", "is given for two things that are written."),
        ("verify --rule own_rules:MyAdam", "judged alone and against one reference"),
        ("verify --rule own_rules:MyAdam adam --reference keras:adam", "judged alone and against one reference"),
        ("verify --rule own_rules:MyAdam --reference caffe:adam", "caffe:adam cannot be imported: ModuleNotFoundError"),
        ("verify --rule own_rules:MyAdam --reference keras", "'keras' must name a rule: keras:RULE"),
        (
            "verify --rule own_rules:Nobody --reference keras:adam",
            "own_rules:Nobody cannot be imported: AttributeError",
        ),
        ("verify --rule broken_module:R --reference keras:adam", "broken_module.py, line 1: ModuleNotFoundError"),
        ("verify --rule absent_module:R --reference keras:adam", "No module named 'absent_module'"),
        ("verify --rule own_rules:nothing --reference keras:adam", "must be a Rule, an optimizer of keras,"),
        (
            "verify --rule own_rules:Flat --reference keras:adam --steps 5",
            "in Flat.update, on 'case_0/",
        ),
        ("verify --rule own_rules:Few --reference keras:adam --steps 5", "which keeps m, v; found m."),
        ("diverge adam:keras", "diverge needs B."),
        ("diverge adam:keras nosuch:torch", "nosuch:torch cannot be imported: ModuleNotFoundError"),
        ("diverge adam:keras adadelta:keras", "must be one rule, found adam and adadelta."),
        ("diverge adam:keras adam:torch --rho 0.9", "diverge has no option --rho, nor has Adam such a setting."),
        ("diverge adam:keras adam:torch --epsilon -1", "epsilon must lie in (0, ∞), found -1."),
        ("diverge own_rules:MyAdam own_rules:wrong", "must be rule:dialect or library:rule"),
        ("translate adam --from torch", "translate needs --to."),
        ("translate nosuch --from torch --to keras", f"There is no rule 'nosuch'; there are: {', '.join(RULES)}"),
        (
            "translate adam --from torch --to caffe",
            "adam has no dialect 'caffe'; it has: paper, tf1, keras, torch, optax.",
        ),
        ("translate adadelta --from keras --to torch --rho 2", "rho must lie in [0, 1), found 2."),
    ],
)
def test_bad_input_ends_in_one_sentence_and_status_2(arguments, sentence, own, monkeypatch, capsys):
    """In this process, which spares TensorFlow's start; nothing is written."""
    monkeypatch.chdir(own)
    before = sorted(path.name for path in own.iterdir())
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert sorted(path.name for path in own.iterdir() if path.name != "__pycache__") == before
