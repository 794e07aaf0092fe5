"""Processes of a cluster, with TF_CONFIG in their environment, at free ports of the loopback interface."""

import os
import subprocess
import sys
from pathlib import Path

from training.runs.distribution.local import free_addresses, tf_configs

ROOT = Path(__file__).parents[1]


def environments(count: int) -> list[dict[str, str]]:
    """Of each worker's process."""
    base = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return [base | {"TF_CONFIG": config} for config in tf_configs(free_addresses(count))]


def workers(count: int, *command: str | Path) -> list[subprocess.Popen[str]]:
    """Started, each with `python COMMAND`."""
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for env in environments(count)
    ]
