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
README = ROOT / "README.md"
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


def run(command: list[str], example: Example) -> subprocess.CompletedProcess[str]:
    """Runs it in the page's folder, with this environment's commands; it must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = example.namespace["folder"].name
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def run_python(example: Example) -> None:
    """In a process of its own, on whose terminal TensorFlow must write nothing."""
    assert run([sys.executable, write(example)], example).stderr == ""


def compare(example: Example) -> None:
    """Each line of a text is one that the shell block before it has printed."""
    printed = {" ".join(line.split()) for line in example.namespace["printed"].splitlines()}
    assert {" ".join(line.split()) for line in example.parsed.splitlines()} <= printed


def keep(example: Example) -> None:
    write(example)


def run_shell(example: Example) -> None:
    """Of make, which may be running this, it asks only whether it knows the target.

    A page may repeat what README.md has, whose own test runs it.
    """
    if example.path != str(README) and example.parsed in README.read_text():
        return
    if "cc " in example.parsed and shutil.which("cc") is None:
        pytest.skip("a C compiler is not installed")
    script = example.parsed.replace("make ", f"make --dry-run --directory {ROOT} ")
    example.namespace["printed"] = run(["bash", "-euc", script], example).stdout


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", run_python),
        CodeBlockParser("sh", run_shell),
        CodeBlockParser("text", compare),
        CodeBlockParser("c", keep),
    ],
    patterns=["README.md", "docs/*.md"],
    setup=make_folder,
    teardown=remove_folder,
).pytest()
