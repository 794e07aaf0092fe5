"""What a run leaves behind: a JSON file, and scalars for TensorBoard."""

import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from core import InputError, Optimizer

from ..output.files import check_folder, make_folder, refusal, write_whole
from ..output.whole_folder import said
from .building import served_as
from .rule_choice import rule_settings
from .trainer import Trainer
from .versions import versions


def report(trainer: Trainer) -> dict[str, Any]:
    """The whole of a finished run, as JSON can hold it; what is no plain value by its text."""
    rule = rule_settings(trainer.rule)
    return {
        "epochs": [{"epoch": number, **epoch.flat} for number, epoch in enumerate(trainer.history, start=1)],
        "best_epoch": trainer.best_epoch,
        "out_of_patience": trainer.out_of_patience,
        "evaluated_with": served_as(trainer.rule),
        **{f"test_{name}": value for name, value in trainer.evaluate(trainer.data.test).items()},
        "judged_by": trainer.workload.judged_by,
        "data": trainer.data.summary,
        "steps_per_second": trainer.stopwatch.steps_per_second,
        "training_seconds": trainer.stopwatch.seconds,
        "compile_seconds": trainer.stopwatch.compile_seconds,
        "xla_options": str(trainer.xla_options),
        "replicas": trainer.distribution.replicas,
        "peak_memory_mb": peak_memory_mb(),
        "dtypes": trainer.dtypes,
        **_dropping(trainer.optimizer),
        "nonfinite": None if trainer.guard.found is None else str(trainer.guard.found),
        "settings": asdict(trainer.settings) | {"learning_rate": rule["learning_rate"], "rule_settings": rule},
        "versions": versions(),
    }


def _dropping(optimizer: Optimizer) -> dict[str, Any]:
    """How many steps were dropped, and the last loss scale, of a run that drops steps and has one."""
    dropped = {"dropped_steps": int(optimizer.dropped.numpy())} if optimizer.drops_nonfinite else {}
    scale = optimizer.loss_scale
    return dropped if scale is None else {"loss_scale": float(scale.scale.numpy()), **dropped}


def peak_memory_mb() -> float:
    """The most main memory that this process has held at once, in MB (10⁶ bytes).

    Linux's own count first: there getrusage starts from what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists() and (high_water := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return int(high_water[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole or not at all; paths become texts, and numbers that are not finite become null.

    Raises InputError where the file cannot be written.
    """
    text = json.dumps(json.loads(json.dumps(content, default=str), parse_constant=lambda _: None), indent=1)
    write_whole(path, f"{text}\n".encode())


class TensorBoard:
    """Scalars of a run as TensorBoard events, one point an epoch, or summaries that are made already.

    Raises InputError where the folder cannot be made or written.
    """

    def __init__(self, folder: Path):
        check_folder(folder)
        make_folder(folder)
        self._folder = folder
        with self._named_errors():
            self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, epoch: int, **scalars: float) -> None:
        """Adds one point to each curve. Raises InputError where it cannot be written, as on a full disk."""
        with self._named_errors(), self._writer.as_default(step=epoch):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
            self._writer.flush()

    def write_summaries(self, summaries: Iterable[tuple[int, bytes]]) -> None:
        """Adds serialized Summary protocol buffers, each with its step. Raises InputError as `write` does."""
        with self._named_errors(), self._writer.as_default():
            for step, summary in summaries:
                tf.summary.experimental.write_raw_pb(summary, step)
            self._writer.flush()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            # TensorFlow's own words are of its writer, which "could not be initialized".
            raise InputError(f"{self._folder} cannot be written: {refusal(self._folder) or said(error)}.") from error
