"""Fields of a user's own workload as options: of every ordinary type, typed, saved and built again."""

import inspect
import json
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from benchmarks.cli import app as benchmarks
from training.commands.cli import app, main
from training.runs.settings import Settings
from training.workloads.choice import chosen, kind_of
from training.workloads.taken import TAKEN

MINE = """
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import tensorflow as tf

from training.workloads.workload import Data, Workload


class Colour(Enum):
    RED = 1
    DEEP_BLUE = 2


@dataclass(frozen=True, kw_only=True)
class Line(Workload):
    def data(self, seed):
        x = np.linspace(0, 1, 200, dtype=np.float32)
        return Data(*[(x, 3 * x)] * 3)

    def variables(self, data, seed):
        return {"slope": np.float32([0])}

    def cost(self, variables, *batch):
        return tf.reduce_mean((variables["slope"] * batch[0] - batch[1]) ** 2)


@dataclass(frozen=True, kw_only=True)
class All(Line):
    flag: bool = False
    on: bool = True
    sizes: tuple[int, ...] = (1, 2)
    bare: tuple = ("a", 2)
    none: tuple[int, ...] = ()
    pair: tuple[int, float] = (1, 2.0)
    colour: Colour = Colour.DEEP_BLUE
    colours: tuple[Colour, ...] = (Colour.RED,)
    text: str = "-abc"
    word: str = "none"
    Size: int = 3
    _hid: int = 4
    size_or: int | None = 5
    either: int | float = 1
    fine: float = 0.1 + 0.2
    listed: list[str] | None = None
    place: Path = Path("here")
    kind: Literal["a", "b"] | Path = "a"
    wrong: tuple[int] = (1, 2)
    vague: Any = Path("there")
    order: Sequence[int] = field(default_factory=lambda: [1, 2])


@dataclass(frozen=True, kw_only=True)
class Odd(Line):
    function: Any = print


@dataclass(frozen=True, kw_only=True)
class Seed(Line):
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Layers(Line):
    layers: int = 0


@dataclass(frozen=True, kw_only=True)
class Beta(Line):
    beta_1: float = 0.0


nothing = All(size_or=None, flag=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fields_of", raising=False)
    (tmp_path / "fields_of.py").write_text(MINE)


def ended(capsys, status, *arguments):
    """What a command says on standard error before it ends with this status."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == status
    return capsys.readouterr().err


@pytest.mark.parametrize("name", ["All", "nothing"])
def test_fields_of_every_ordinary_type_are_what_they_were_after_json(name):
    """Would catch a value that becomes words and is parsed again: false, (), -abc, None over a default of 5."""
    named = f"fields_of:{name}"
    settled = Settings(workload=named, rule="sgd").settled()
    again = Settings(**json.loads(json.dumps(asdict(settled))))
    assert again == settled == settled.settled()
    assert again.make_workload() == chosen(named, {})
    assert again.options == settled.options
    shown = [settled.options[f"--{one}"] for one in ("flag", "sizes", "none", "colour", "size", "hid", "fine")]
    assert shown == [str(name == "nothing").lower(), "1 2", "none", "DEEP_BLUE", "3", "4", "0.30000000000000004"]
    assert settled.options["--size-or"] == (None if name == "nothing" else "5")


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ("--flag true", "flag", True),
        ("--flag", "flag", True),
        ("--flag --epochs 3", "flag", True),
        ("--on false", "on", False),
        ("--sizes 3", "sizes", (3,)),
        ("--sizes 3 --sizes 4", "sizes", (3, 4)),
        ("--bare x y", "bare", ("x", "y")),
        ("--pair 3 1e-3", "pair", (3, 1e-3)),
        ("--colour red", "colour", "RED"),
        ("--colours red deep-blue", "colours", ["RED", "DEEP_BLUE"]),
        ("--text=-x", "text", "-x"),
        ("--size 7", "Size", 7),
        ("--hid -7", "_hid", -7),
        ("--size-or 7", "size_or", 7),
        ("--size-or none", "size_or", None),
        ("--either 1.5", "either", 1.5),
        ("--either 2", "either", 2),
        ("--listed a b", "listed", ["a", "b"]),
        ("--place there", "place", Path("there")),
    ],
)
def test_what_is_typed_comes_to_its_field(monkeypatch, typed, field, value):
    """Would catch an option whose words are lost, or that comes to another field, on its way from a command line."""
    found = []
    monkeypatch.setattr(Settings, "data", lambda self: found.append(self.settled()) or sys.exit(0))
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--workload", "fields_of:All", "--rule", "sgd", *typed.split()])
    own = found[0].make_workload()
    expected = chosen("fields_of:All", {field: value} if field.startswith("colour") else {})
    assert getattr(own, field) == (getattr(expected, field) if field.startswith("colour") else value)
    others = [one.name for one in fields(own) if one.name != field]
    assert [getattr(own, name) for name in others] == [getattr(expected, name) for name in others]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("fields_of:All --size", "--size needs a value."),
        ("fields_of:All --size --epochs 3", "--size needs a value."),
        ("fields_of:All --flag maybe", "--flag must be true or false, found 'maybe'."),
        (
            "fields_of:All --no-flag true",
            "train has no option --no-flag, nor has Adam or fields_of:All such a setting.",
        ),
        ("fields_of:All --size 1.5", "--size must be a whole number, found '1.5'."),
        ("fields_of:All --size-or 1.5", "--size-or must be a whole number, found '1.5'."),
        ("fields_of:All --sizes 1 1.5", "--sizes must be a whole number, found '1.5'."),
        ("fields_of:All --fine x", "--fine must be a number, found 'x'."),
        ("fields_of:All --pair 1", "--pair takes 2 values, found 1."),
        ("fields_of:All --pair 1 2 3", "--pair takes 2 values, found 3: 1 2 3."),
        (
            "fields_of:All --colour deep",
            "--colour must be one of red, deep-blue, found 'deep'. Did you mean deep-blue?",
        ),
        ("transformer --width 3 4", "--width takes 1 value, found 2: 3 4."),
        ("transformer --width=4 --width 5", "--width takes 1 value, found 2: 4 5."),
        (
            "fields_of:Seed",
            "fields_of:Seed has a field seed, but --seed is an option of rawstep's own: give it another",
        ),
        ("fields_of:Layers", "fields_of:Layers has a field layers, but --layers is an option of rawstep's own"),
        ("fields_of:Beta", "fields_of:Beta has a field beta_1, and so has the rule Adam: --beta-1 can be of one alone"),
        ("fields_of:Odd", "The field function of fields_of:Odd must be a number, a text, true or false, None, a path"),
        ("fields_of:", "'fields_of:' must name a module and what is in it, such as my_module:MyClass."),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(capsys, arguments, said):
    """Would catch a traceback, a number that is rounded, and a field that an option of a command takes away."""
    assert ended(capsys, 2, "train", "--workload", *arguments.split()).startswith(f"rawstep: {said}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("cnn --hidden 3 --rule sgd", "verify has no option --hidden, nor has SGD or cnn such a setting."),
        ("transformer --widht 3", "Did you mean --width?"),
    ],
)
def test_verify_names_the_workload_and_its_options(capsys, arguments, said):
    assert said in ended(capsys, 2, "verify", "--workload", *arguments.split())


def test_a_field_like_a_setting_of_another_rule_is_the_workload_s():
    found = Settings(workload="fields_of:Beta", rule="sgd").with_options({"beta_1": ("0.5",)}).settled()
    assert (found.workload_options, found.rule_options) == ({"beta_1": 0.5}, {})


def test_no_command_has_an_option_that_a_field_may_be_called():
    """Would catch a new option that takes a field of a user's away without a word."""
    commands = [
        one for group in (app, benchmarks) for name in group if not name.startswith("-") for one in [group[name]]
    ]
    taking = [
        one for one in commands if "tuple[str" in str(inspect.signature(one.default_command).parameters.get("own"))
    ]
    assert len(taking) == 9
    names = {
        name[2:].replace("-", "_")
        for one in taking
        for argument in one.assemble_argument_collection()
        for name in argument.names
        if argument.parse and name.startswith("--") and "[" not in name
    }
    passed_on = {"data_dir"}  # import-tf1's, so that its file may stand behind it
    assert (names | {one.name for one in fields(Settings)} | {"help", "version"}) - passed_on == TAKEN


def test_a_run_resumes_unless_its_class_has_changed_or_is_another(capsys, monkeypatch):
    """Would catch settings that a checkpoint has otherwise, and a list of all that two workloads do not share."""
    run = ["train", "--checkpoint", "run", "--batch-size", "100"]
    ended(capsys, 0, *run, "--workload", "fields_of:nothing", "--sizes", "4", "--epochs", "1")
    ended(capsys, 0, *run, "--resume", "--epochs", "2")
    said = ended(capsys, 2, *run, "--resume", "--sizes", "5")
    assert said.rstrip().endswith("is a checkpoint of another run: --sizes 4, not 5.")
    said = ended(capsys, 2, *run, "--resume", "--workload", "regression")
    assert said.rstrip().endswith("is a checkpoint of another run: --workload fields_of:nothing, not regression.")
    monkeypatch.delitem(sys.modules, "fields_of")
    Path("fields_of.py").write_text(MINE.replace("    sizes: tuple[int, ...] = (1, 2)\n", "    #\n"))
    said = ended(capsys, 2, *run, "--resume", "--epochs", "3")
    assert "step-00000004 has the setting sizes, which the workload fields_of:nothing lacks." in said


def test_help_lists_every_field_as_it_is_typed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["settings-of-workload", "fields_of:All"])
    shown = capsys.readouterr().out
    assert all(f" --{one} " in shown for one in ("flag", "sizes", "bare", "colour", "size", "hid", "size-or", "place"))
    assert "--no-" not in shown
    assert kind_of("fields_of:All").__name__ == "All"
