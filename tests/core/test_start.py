"""What `import core` brings in and what it prints, each in a fresh process; and which way the arrows run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(program: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)


def test_core_brings_in_no_keras_and_prints_nothing():
    done = python(
        "import sys, core, tensorflow as tf; tf.constant(1.0) + 1\n"
        "print([name for name in ('keras', 'matplotlib', 'rich', 'torch', 'jax', 'optax') if name in sys.modules])"
    )
    assert done.stdout == "[]\n"
    assert done.stderr == ""


def test_keras_is_there_for_whoever_asks():
    done = python("import core, tensorflow as tf; print(tf.keras.optimizers.Adam().name)")
    assert done.stdout == "adam\n"


def imported(path: Path) -> set[str]:
    """The modules that a file imports, relative ones by their full names."""
    package = path.relative_to(ROOT).parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names.add(".".join([*base, *([node.module] if node.module else [])]))
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.stem)
def test_arrows_run_one_way(path):
    """core knows neither training nor benchmarks; rules know xp and errors alone, and TensorFlow only through xp."""
    modules = imported(path)
    assert not {name for name in modules if name.split(".")[0] in ("training", "benchmarks", "tests", "keras")}
    if path.parent.name == "rules":
        ours = {name for name in modules if name.split(".")[0] == "core"}
        assert ours <= {"core.xp", "core.errors"} | {name for name in ours if name.startswith("core.rules")}
        assert not {name for name in modules if name.split(".")[0] in ("tensorflow", "numpy")}
