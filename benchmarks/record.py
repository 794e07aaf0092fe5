"""What a comparison leaves: all samples, and all that is needed to judge or repeat it."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cpuinfo import get_cpu_info

from training.results import versions

FLAGS = ("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def circumstances() -> dict[str, Any]:
    """When, with what and on what: date, command, commit, versions, flags, processor and load."""
    info = get_cpu_info()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["rawstep-bench", *sys.argv[1:]]),
        "commit": _commit(),
        "versions": versions() | {name: version(name) for name in ("keras", "scipy")},
        "flags": {name: os.environ[name] for name in FLAGS if name in os.environ},
        "processor": info.get("brand_raw", platform.processor()),
        "vector_instructions": sorted(flag for flag in info.get("flags", []) if flag.startswith(("avx", "amx"))),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_before": os.getloadavg(),
    }


def _commit() -> str | None:
    """The commit of the checkout that this file lies in, with a + where files were changed since; None without one."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
