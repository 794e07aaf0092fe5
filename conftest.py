"""README.md is a test: its Python blocks run one after another, its shell blocks in a folder that holds its files.

The last lines of a run say where its time went, and what it left out.

core comes first, so that TensorFlow starts as it does for a user.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
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


DESELECTED: Counter[str] = Counter()
"""Tests that the marker left out, by file; under xdist those of a worker, which all of them leave out alike."""
SLOWEST = 10


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    DESELECTED.update(item.nodeid.partition("::")[0] for item in items if item.get_closest_marker("whole"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = dict(DESELECTED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller of xdist collects nothing itself."""
    DESELECTED.update(Counter(getattr(node, "workeroutput", {}).get("deselected", {})) - DESELECTED)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    reports = [one for kind in terminalreporter.stats.values() for one in kind if isinstance(one, pytest.TestReport)]
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds[report.nodeid.partition("::")[0]] += report.duration
    terminalreporter.section("where the time went, by file")
    for file, time in seconds.most_common(SLOWEST):
        terminalreporter.line(f"{time:7.1f} s  {file}")
    terminalreporter.section("what was left out")
    for reason, count in _left_out(reports).most_common():
        terminalreporter.line(f"{count:5}  {reason}")


def _left_out(reports: Sequence[pytest.TestReport]) -> Counter[str]:
    """How many tests did not take part, by the reason."""
    skipped = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports if report.skipped)
    targets = _targets((ROOT / "Makefile").read_text())
    for file, count in DESELECTED.items():
        target = next((target for path, target in targets.items() if file.startswith(path)), None)
        skipped[f"the rest of a matrix, in {f'make {target}' if target else 'pytest -m whole'}"] += count
    return skipped


def _targets(makefile: str) -> Mapping[str, str]:
    """The target of make that runs what the marker leaves out, by the folder or file that it names."""
    rules = re.findall(r"^([\w-]+):.*\n\t.*/pytest (.* -m .*)$", makefile, re.MULTILINE)
    return {word: target for target, words in rules for word in words.split() if (ROOT / word).exists()}
