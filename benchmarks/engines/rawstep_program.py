"""rawstep in each of its executions, in calls as long as those of `rawstep train`."""

import numpy as np
import tensorflow as tf

from core import Adam, Optimizer, Program, Recorder
from core.engine.executions import Execution
from training.runs.trainer import call_lengths
from training.workloads.images import image_cost

from ..workload import Workload


class RawstepProgram:
    """execution, one_pass: as `Program` and `Optimizer` take them; the latter needs XLA's option.

    microbatches: as `Program` takes them.
    every: the interval of a recorder of every layer's norms and shares; without one where none is given.
    """

    def __init__(
        self,
        workload: Workload,
        execution: Execution = "xla-loop",
        one_pass: bool = False,
        every: int | None = None,
        microbatches: int | None = None,
    ):
        weights = {name: tf.Variable(value) for name, value in workload.first_weights().items()}
        optimizer = Optimizer(Adam.dialect("tf1", learning_rate=workload.learning_rate), weights, one_pass=one_pass)
        recorder = None if every is None else Recorder(optimizer, every=every, figures=["norms", "shares"])
        self._program = Program(image_cost, weights, optimizer, execution, recorder=recorder, microbatches=microbatches)
        self._data = [tf.constant(array) for array in workload.examples()]

    def prepare(self, batches: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum(call_lengths(len(batches)))
        return np.split(batches, ends[:-1])

    def train(self, prepared: list[np.ndarray]) -> float:
        return float(np.mean(np.concatenate([self._program.run(self._data, call).numpy() for call in prepared])))
