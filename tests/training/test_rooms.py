"""Which way the arrows run between the rooms of training/, and that only workloads know what they train."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW = ("output", "workloads", "runs")
ROOMS = {
    "output": ("output",),
    "workloads": ("workloads",),
    "runs": BELOW,
    "views": (*BELOW, "views"),
    "exchange": (*BELOW, "exchange"),
    "notebook": (*BELOW, "notebook"),
    "commands": (*BELOW, "views", "exchange", "notebook", "commands"),
}
"""The rooms that each may import from."""
WORDS = {"h1", "ho", "hidden", "images", "classes"}
"""What a perceptron on images has, and another workload lacks."""
KNOW = {
    "training/workloads": "each is of one problem",
    "training/notebook": "repeats the notebook, whose network has these names",
    "training/exchange/tf1": "the notebook's variables in TensorFlow 1's files",
    "training/runs/earlier.py": "reads what earlier versions saved, which had the perceptron alone",
    "benchmarks/networks": "the same problems written for other frameworks",
    "benchmarks/engines/notebook_session.py": "the notebook's own program",
    "benchmarks/engines/frozen_step.py": "the perceptron as one program written by hand",
    "benchmarks/growth.py": "grows the perceptron's layers",
    "benchmarks/overhead.py": "calls the perceptron's step from outside",
    "benchmarks/pjrt.py": "runs the exported perceptron where there is no TensorFlow",
    "benchmarks/test_history.py": "holds the perceptron's step to its earlier times",
}
"""The places that may know these words, and why."""


def trees(*places: str) -> dict[str, ast.Module]:
    """The syntax of all modules in these folders, by their paths."""
    paths = (path for place in places for path in sorted((ROOT / place).rglob("*.py")))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def rooms_in(path: str, tree: ast.Module) -> set[str]:
    """The rooms that a module imports from, anywhere in it."""
    package, names = Path(path).parts[:-1], list[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names += [".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("training.")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_from_those_below_it_alone(room):
    """Would catch a view that imports a command, a run that imports a view, and a workload that imports a run."""
    found = {path: rooms_in(path, tree) - {*ROOMS[room]} for path, tree in trees(f"training/{room}").items()}
    assert {path: others for path, others in found.items() if others} == {}


def words_in(tree: ast.Module) -> set[str]:
    """Names of variables, attributes, arguments, functions and classes, and texts that are one word."""
    kinds = ("id", "attr", "arg", "name", "value")
    found = {getattr(node, kind, None) for node in ast.walk(tree) for kind in kinds}
    return {word for word in found if isinstance(word, str)}


def test_no_module_knows_what_is_trained_except_workloads():
    """Would catch a command, a view or an engine that works for the perceptron on images alone."""
    everywhere = trees("core", "training", "benchmarks")
    found = {path: words_in(tree) & WORDS for path, tree in everywhere.items() if not path.startswith((*KNOW,))}
    assert {path: words for path, words in found.items() if words} == {}
    knowing = [path for path, tree in everywhere.items() if words_in(tree) & WORDS]
    assert [place for place in KNOW if not any(path.startswith(place) for path in knowing)] == [], "need no exception"


@pytest.mark.parametrize("code", ["def f(images): ...", "g.hidden", "f(classes=1)", "'h1'", "ho = 1", "lambda ho: 0"])
def test_the_search_finds_a_word_wherever_it_may_stand(code):
    """Planted, each kind of place once."""
    assert words_in(ast.parse(code)) & WORDS


def test_the_search_finds_an_import_in_whatever_form():
    """Planted in a function of a view."""
    for line in ("from ...commands import cli", "from ... import commands", "import training.commands.cli"):
        tree = ast.parse(f"def f():\n    {line}\n")
        assert "commands" in rooms_in("training/views/trace/page.py", tree), line
