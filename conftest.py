"""README.md and the pages under docs/ are tests: each block of code runs by itself, as a reader would paste it.

core comes first, so that TensorFlow starts as it does for a user.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

import core  # noqa: F401 - see above

ROOT = Path(__file__).parent
NAME = re.compile(r"(?:#|/\*) ([\w.]+\.(?:py|c))\b")

# Examples run TensorFlow on a shared machine: how long one takes says nothing of the code.
settings.register_profile("rawstep", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=100_000)
settings.load_profile("rawstep")


def make_folder(namespace: dict) -> None:
    namespace["folder"] = tempfile.TemporaryDirectory()


def remove_folder(namespace: dict) -> None:
    namespace["folder"].cleanup()


def write(example: Example) -> str:
    """Writes the block into the page's folder, under the name in its first line if it has one; returns the name."""
    name = match[1] if (match := NAME.match(example.parsed)) else f"line_{example.line}.py"
    (Path(example.namespace["folder"].name) / name).write_text(example.parsed)
    return name


def run(command: list[str], example: Example) -> str:
    """Runs it in the page's folder, with this environment's commands; it must succeed. Returns its standard error."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = example.namespace["folder"].name
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def run_python(example: Example) -> None:
    """In a process of its own, on whose terminal TensorFlow must write nothing."""
    assert run([sys.executable, write(example)], example) == ""


def keep(example: Example) -> None:
    write(example)


def run_shell(example: Example) -> None:
    """Of make, which may be running this, it asks only whether it knows the target."""
    if "cc " in example.parsed and shutil.which("cc") is None:
        pytest.skip("a C compiler is not installed")
    run(["bash", "-euc", example.parsed.replace("make ", f"make --dry-run --directory {ROOT} ")], example)


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("python", run_python), CodeBlockParser("sh", run_shell), CodeBlockParser("c", keep)],
    patterns=["README.md", "docs/*.md"],
    setup=make_folder,
    teardown=remove_folder,
).pytest()
