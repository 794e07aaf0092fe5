"""`rawstep` in a process of its own, as a person starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


def rawstep(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Runs to the end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT, timeout=300)


def heed_signals() -> None:
    """For a child before it starts: these tests may run under nohup, which passes on that some are ignored."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def started(*arguments: str | Path) -> subprocess.Popen:
    """Starts, and goes on meanwhile."""
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=heed_signals,
    )  # fmt: skip
