"""What a record needs so that its figures can be judged or repeated: when, with what, on what."""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cpuinfo import get_cpu_info

from .processes import cores
from .versions import versions

FLAGS = ("XLA_", "TF_XLA_", "TF_ENABLE_ONEDNN_OPTS", "TF_NUM_", "OMP_", "OPENBLAS_", "MKL_", "BLIS_", "NVPL_")
"""How the names begin of environment variables that decide what is computed, how, and on how many threads."""


def circumstances(program: str, packages: Sequence[str] = ()) -> dict[str, Any]:
    """Date, command, commit, versions, flags, processor and load.

    program: the console script, for the command. packages: those whose versions count besides rawstep's own needs;
    None for one that is not installed.
    """
    info = get_cpu_info()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([program, *sys.argv[1:]]),
        "commit": _commit(),
        "versions": versions() | {name: _version(name) for name in packages},
        "flags": {name: value for name, value in sorted(os.environ.items()) if name.startswith(FLAGS)},
        "processor": info.get("brand_raw", platform.processor()),
        "vector_instructions": sorted(flag for flag in info.get("flags", []) if flag.startswith(("avx", "amx"))),
        "cores": cores(),
        "load_before": os.getloadavg(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that this file is in, with a + where files were changed since; None without one."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
