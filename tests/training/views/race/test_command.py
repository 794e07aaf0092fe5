"""`rawstep race`: what it writes, that it is the same again, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

from core import RULES
from training.commands.cli import main
from training.runs.results import write_json
from training.views.race.conduct import results
from training.views.race.landscapes import NAMES

from ...processes import rawstep
from .conftest import ARGUMENTS, TERMS


def ended(*arguments):
    """The exit status of a command in this process."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code


def test_a_race_leaves_figures_ways_pictures_animations_and_a_page(raced):
    files = {path.name for path in raced.iterdir()}
    pictures = {f"{name}{suffix}" for name in ("beale", "saddle") for suffix in (".svg", ".png", ".gif")}
    assert files == {"race.json", "trajectories.npz", "race.html"} | pictures
    figures = json.loads((raced / "race.json").read_text())
    with np.load(raced / "trajectories.npz") as ways:
        assert len(ways.files) == 2 * 2 * 2
        for name, of in figures["landscapes"].items():
            assert list(of["rules"]) == ["adam:keras", "sgd"]
            for rule, row in of["rules"].items():
                cost = ways[f"{name}/{rule}/cost"]
                assert ways[f"{name}/{rule}/x"].shape == (61, 2, 2)
                assert cost.shape == (61, 2)
                assert row["final"] == cost[-1].mean()
                assert row["runs"] == 32
    assert figures["terms"]["noise"] == 0.01
    for name in ("beale", "saddle"):
        with Image.open(raced / f"{name}.gif") as moving:
            assert moving.n_frames >= 20
            first = np.asarray(moving.convert("RGB"))
            moving.seek(moving.n_frames - 1)
            assert np.any(np.asarray(moving.convert("RGB")) != first)
        with Image.open(raced / f"{name}.png") as still:
            assert still.width > 800


def test_another_process_gives_the_same_bits(raced, slice_race, tmp_path):
    """Every final cost of every learning rate, of a trained network's slice too. JSON's numbers are float64 to the bit.

    Would catch noise, starts or weights that no seed decides.
    """
    done = rawstep(*ARGUMENTS, "--landscape", "slice", "beale", "--hidden", "16", "--json", "again.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no chatter, and no bar where there is no terminal"
    theirs = json.loads((tmp_path / "again.json").read_text())["landscapes"]
    assert theirs["beale"] == json.loads((raced / "race.json").read_text())["landscapes"]["beale"]
    write_json(tmp_path / "ours.json", results([slice_race], TERMS))
    ours = json.loads((tmp_path / "ours.json").read_text())["landscapes"]["slice"]
    assert theirs["slice"]["rules"].pop("adam:keras")
    assert theirs["slice"] == ours
    for word in ("A slice of the loss of 784-16-10", "adam:keras", "the same 32 runs of 60 steps"):
        assert word in done.stdout


def test_another_seed_gives_other_figures(raced, tmp_path):
    again = ["--landscape", "beale", "--seed", 1, "--json", tmp_path / "race.json"]
    assert ended(*ARGUMENTS, *again) == 0
    other, ours = (json.loads(path.read_text())["landscapes"]["beale"] for path in
                   (tmp_path / "race.json", raced / "race.json"))  # fmt: skip
    assert other["starts"][0] == ours["starts"][0]
    assert other["starts"][1] != ours["starts"][1]
    assert other["rules"]["sgd"]["final"] != ours["rules"]["sgd"]["final"]


OWN_RULES = """
from dataclasses import dataclass
from core import SGD, Step

@dataclass(frozen=True)
class Halved(SGD):
    def update(self, g, slots, x, at):
        return Step(0.5 * self.learning_rate * g, slots, {})

@dataclass(frozen=True)
class Stubborn(SGD):
    def __post_init__(self):
        object.__setattr__(self, "learning_rate", 0.1)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "racing_rules.py").write_text(OWN_RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_rule_of_one_s_own_races(own):
    few = ["--landscape", "quadratic", "--steps", 100, "--rates", 2, "--json", "r.json"]
    assert ended("race", "--rules", "racing_rules:Halved", "sgd", *few) == 0
    rules = json.loads((own / "r.json").read_text())["landscapes"]["quadratic"]["rules"]
    assert set(rules) == {"racing_rules:Halved", "sgd"}
    assert all(row["runs"] == 4 for row in rules.values())


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--landscape", "everest"], "There is no landscape 'everest'; there are: rosenbrock, beale, himmelblau, "),
    (["--rules", "nosuch"], f"There is no rule 'nosuch'; there are: {', '.join(RULES)}, or give module:Class."),
    (["--rules", "adam:caffe"], "Adam has no dialect 'caffe'; it has: paper, tf1, keras, torch, optax."),
    (["--rules", "nowhere:Rule"], "nowhere:Rule cannot be imported"),
    (["--rules", "racing_rules:Stubborn"], "racing_rules:Stubborn must keep the learning rate that it is given"),
    (["--rules"], "--rules"),
    (["--workload", "nosuch"], "There is no workload 'nosuch'; there are: mlp, "),
    (["--hiden", "16"], "race has no option --hiden, nor has mlp such a setting. Did you mean --hidden?"),
    (["--rules", "adam,gamma=1"], "Adam has no setting 'gamma'; it has: learning_rate, beta_1, "),
    (["--rules", "adam,l2=1", "--tune", "l2=1,2"], "adam,l2=1 has its own l2, which is tuned"),
    (["--tune", "ema=0.9"], "--tune must be one of clip_value, l2, weight_decay, as clip_value=0.1,1,10, found"),
    (["--tune", "l2=much"], "--tune must have numbers, as clip_value=0.1,1,10, found 'l2=much'."),
    (["--tune", "clip_value=0,1"], "--clip-value must lie in (0, ∞), found 0."),
    (["--tune", "l2=1", "--l2", "1"], "--tune tunes l2: --l2 cannot be given with it."),
    (["--steps", 0], "--steps"),
    (["--steps", "1.5"], "--steps must be a whole number, found '1.5'."),
    (["--rates", 1], "--rates"),
    (["--starts", 0], "--starts"),
    (["--noise", -1], "--noise"),
    (["--noise", "inf"], "--noise"),
    (["--noise", "nan"], "--noise"),
    (["--seed", -1], "--seed"),
    (["--out", "racing_rules.py"], "racing_rules.py must be a folder, found that"),
    (["--json", "no_folder/race.json"], "no_folder/race.json cannot be written"),
    (["--json", "same", "--out", "same"], "is given for two things that are written"),
])  # fmt: skip
def test_bad_input_ends_in_one_sentence_and_status_2_before_anything_runs(own, capfd, arguments, sentence):
    before = sorted(path.name for path in own.iterdir())
    assert ended("race", *arguments) == 2
    out, err = capfd.readouterr()
    assert sentence in err
    assert err.startswith("rawstep: ")
    assert err.count("\n") == 1
    assert out == ""
    assert [name for name in sorted(path.name for path in own.iterdir()) if name != "__pycache__"] == before


def test_help_names_every_landscape(capfd):
    assert ended("race", "--help") == 0
    out = capfd.readouterr().out
    for name in NAMES:
        assert name in out
