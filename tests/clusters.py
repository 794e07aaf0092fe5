"""Processes of a cluster, with TF_CONFIG in their environment, at free ports of the loopback interface."""

import json
import os
import subprocess
import sys
from pathlib import Path

from training.distribution.launch import free_addresses

ROOT = Path(__file__).parents[1]


def environment(addresses: list[str], index: int, kind: str = "worker") -> dict[str, str]:
    """Of a worker's process."""
    config = {"cluster": {"worker": addresses}, "task": {"type": kind, "index": index}}
    return os.environ | {"PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "3"}


def workers(count: int, *command: str | Path) -> list[subprocess.Popen[str]]:
    """Started, each with `python COMMAND`."""
    addresses = free_addresses(count)
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=environment(addresses, index),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(count)
    ]
