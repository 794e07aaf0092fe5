"""README.md is a test: its Python blocks run one after another, its shell blocks in a folder that holds its files.

core comes first, so that TensorFlow starts as it does for a user.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import settings
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

import core  # noqa: F401 - see above

ROOT = Path(__file__).parent

# Examples run TensorFlow on a shared machine: how long one takes says nothing of the code.
settings.register_profile("rawstep", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=100_000)
settings.load_profile("rawstep")


def make_folder(namespace: dict) -> None:
    namespace["folder"] = tempfile.TemporaryDirectory()


def remove_folder(namespace: dict) -> None:
    namespace["folder"].cleanup()


def run_python(example: Example) -> None:
    """Runs the block; where its first line is a comment with a file's name, also writes that file."""
    first = example.parsed.splitlines()[0]
    if first.startswith("# ") and first.endswith(".py"):
        (Path(example.namespace["folder"].name) / first.removeprefix("# ")).write_text(example.parsed)
    PythonEvaluator()(example)


def run_shell(example: Example) -> None:
    """Runs rawstep's commands; of make, which may be running this, it asks only whether it knows the target."""
    script = example.parsed.replace("make ", f"make --dry-run --directory {ROOT} ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = example.namespace["folder"].name
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("python", run_python), CodeBlockParser("sh", run_shell)],
    patterns=["README.md"],
    setup=make_folder,
    teardown=remove_folder,
).pytest()
