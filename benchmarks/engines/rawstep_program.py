"""rawstep in each of its executions, in calls as long as those of `rawstep train`."""

from typing import Any

import numpy as np
import tensorflow as tf

from core import Adam, Optimizer, Program, Recorder
from training.runs.trainer import call_lengths

from ..work import TrainingWork


class RawstepProgram:
    """execution: as `Program` takes it; None: what suits the workload on the device.
    one_pass:  as `Optimizer` takes it; it needs XLA's option.

    microbatches: as `Program` takes them.
    every: the interval of a recorder of every layer's norms and shares; without one where none is given.
    """

    def __init__(
        self,
        work: TrainingWork,
        execution: Any = "xla-loop",
        one_pass: bool = False,
        every: int | None = None,
        microbatches: int | None = None,
    ):
        weights = {name: tf.Variable(value, name=name) for name, value in work.first_weights().items()}
        optimizer = Optimizer(Adam.dialect("tf1", learning_rate=work.learning_rate), weights, one_pass=one_pass)
        recorder = None if every is None else Recorder(optimizer, every=every, figures=["norms", "shares"])
        self._program = Program(
            work.workload.cost,
            weights,
            optimizer,
            execution or work.workload.execution(work.device),
            recorder=recorder,
            microbatches=microbatches,
        )
        self._data = [tf.constant(array) for array in work.examples()]

    def prepare(self, batches: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum(call_lengths(len(batches)))
        return np.split(batches, ends[:-1])

    def train(self, prepared: list[np.ndarray]) -> float:
        return float(np.mean(np.concatenate([self._program.run(self._data, call).numpy() for call in prepared])))
