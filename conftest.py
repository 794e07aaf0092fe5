"""README.md and the pages under docs/ are tests: each block of code runs as a reader would paste it.

The last lines of a run say where its time went, and what it left out.

core comes first, so that TensorFlow starts as it does for a user.
"""

import os
import re
import shutil
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
from sybil.parsers.markdown import CodeBlockParser

import core  # noqa: F401 - see above

ROOT = Path(__file__).parent
README = ROOT / "README.md"
NAME = re.compile(r"(?:#|/\*) ([\w.]+\.(?:py|c))\b")

# Examples run TensorFlow on a shared machine: how long one takes says nothing of the code.
settings.register_profile("rawstep", deadline=None)
settings.load_profile("rawstep")


def make_folder(namespace: dict) -> None:
    namespace["folder"] = tempfile.TemporaryDirectory()
    namespace["python"] = None


def remove_folder(namespace: dict) -> None:
    end_python(namespace)
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


BLOCKS = """
import runpy, sys
for name in sys.stdin:
    runpy.run_path(name.strip(), run_name="__main__")
    print(f"ran {name.strip()}", flush=True)
"""


def start_python(folder: Path) -> subprocess.Popen[str]:
    """Runs the files whose names are written to it, each with names of its own; they share what they import."""
    with (folder / "stderr").open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-c", BLOCKS], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
            text=True,
        )  # fmt: skip


def end_python(namespace: dict) -> None:
    if namespace["python"]:
        namespace["python"].communicate()
    namespace["python"] = None


def run_python(example: Example) -> None:
    """In the page's process, on whose terminal TensorFlow must write nothing; after a failure in another."""
    name, folder = write(example), Path(example.namespace["folder"].name)
    python = example.namespace["python"] = example.namespace["python"] or start_python(folder)
    python.stdin.write(f"{name}\n")
    python.stdin.flush()
    ran = f"ran {name}\n" in iter(python.stdout.readline, "")
    said = (folder / "stderr").read_text()
    if said or not ran:
        end_python(example.namespace)
    assert said == ""
    assert ran


def compare(example: Example) -> None:
    """The shell block before a text has printed each of its lines, however the terminal breaks them."""
    printed = " ".join(example.namespace["printed"].split())
    assert [line for line in example.parsed.splitlines() if " ".join(line.split()) not in printed] == []


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


LONGEST = [
    "README.md",
    "tests/training/views/certificate/test_commands.py",
    "tests/core/verification/test_subjects.py",
    "tests/core/verification/test_certificate.py",
    "tests/benchmarks/test_compare.py",
    "tests/core/test_replicas.py",
    "tests/benchmarks/test_replicas.py",
    "tests/training/hostile/test_outside.py",
]
"""Files of a minute or more each begin, so that at the end no process of xdist waits for another's last one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONGEST)))


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
