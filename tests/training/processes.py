"""`rawstep` in a process of its own, as a person starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


def rawstep(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Runs to the end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT, timeout=600)


def heed_signals() -> None:
    """For a child before it starts: these tests may run under nohup, which passes on that some are ignored."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def started(*arguments: str | Path, cwd: Path | None = None, stderr: int = subprocess.PIPE) -> subprocess.Popen:
    """Starts, and goes on meanwhile. stderr: a file, where what it says is not read as it comes."""
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=cwd, env=ENVIRONMENT,
        preexec_fn=heed_signals,
    )  # fmt: skip


@contextmanager
def running(
    *arguments: str | Path, cwd: Path | None = None, stderr: int = subprocess.PIPE
) -> Iterator[subprocess.Popen]:
    """Starts, and is killed as the block ends if it still runs, such as after an assertion."""
    with started(*arguments, cwd=cwd, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: subprocess.Popen) -> list[int]:
    """The numbers of the processes that it has started, such as a launch's workers."""
    return [*map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())]
