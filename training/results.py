"""What a run leaves behind: a JSON file, and scalars for TensorBoard."""

import json
import os
import platform
import re
import resource
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import InputError

from .loop import Trainer


def versions() -> dict[str, str]:
    """The versions of what computes."""
    return {
        "rawstep": version("rawstep"),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def report(trainer: Trainer) -> dict[str, Any]:
    """The whole of a finished run, as JSON can hold it; settings of the rule that are not plain values by repr."""
    rule = {field.name: getattr(trainer.rule, field.name) for field in fields(trainer.rule)}
    rule = {name: value if isinstance(value, float | int | str | None) else repr(value) for name, value in rule.items()}
    return {
        "epochs": [epoch._asdict() for epoch in trainer.history],
        "test_accuracy": trainer.accuracy(trainer.dataset.test),
        "steps_per_second": trainer.stopwatch.steps_per_second,
        "compile_seconds": trainer.stopwatch.compile_seconds,
        "peak_memory_mb": peak_memory_mb(),
        "settings": asdict(trainer.settings) | {"learning_rate": rule["learning_rate"], "rule_settings": rule},
        "versions": versions(),
    }


def peak_memory_mb() -> float:
    """The most main memory that this process has held at once, in MB (10⁶ bytes).

    Linux's own count first: there getrusage starts from what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists() and (high_water := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return int(high_water[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def check_writable(path: Path) -> None:
    """Raises InputError unless a file can be written at `path`; leaves nothing behind."""
    if path.is_dir():
        raise InputError(f"{path} must be a file, found a folder.")
    try:
        with path.open("a") if _is_device(path) else tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole or not at all; numbers that are not finite, which JSON has no word for, become null.

    A link is followed, and what is there but is no regular file, such as /dev/stdout, is written to.

    Raises InputError where the file cannot be written.
    """
    text = json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None), indent=1)
    try:
        if _is_device(path):
            path.write_text(text + "\n")
        else:
            _replace(path.resolve(), text + "\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class TensorBoard:
    """Scalars of a run as TensorBoard events, one point an epoch.

    Raises InputError where the folder cannot be made or written.
    """

    def __init__(self, folder: Path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made: {error.strerror}.") from error
        check_writable(folder / "events")
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, epoch: int, **scalars: float) -> None:
        with self._writer.as_default(step=epoch):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
        self._writer.flush()
