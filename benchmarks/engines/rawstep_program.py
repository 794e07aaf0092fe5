"""rawstep in each of its executions, in calls as long as those of `rawstep train`."""

from typing import Any

import numpy as np
import tensorflow as tf

from core import Adam, Guard, LossScale, Optimizer, Program, Recorder
from core.engine.guard import OnNonfinite
from training.runs.compiling import compiled_with
from training.runs.feeding import call_lengths, most_steps
from training.runs.settings import OwnProcess
from training.workloads.choice import settings_of
from training.workloads.work import flop

from ..work import TrainingWork


class RawstepProgram:
    """execution, microbatches: as `Program` takes them.
    one_pass: as `Optimizer` takes it; it needs XLA's option.
    compute, parameters: dtypes, as of `rawstep train`; float16 comes with a loss scale.
    every: the interval of a recorder of every layer's norms and shares; without one where none is given.
    on_nonfinite: what a guard does, which looks at each cost, and at all else after a sample; without one unless given.
    """

    def __init__(
        self,
        work: TrainingWork,
        execution: Any = "xla-loop",
        one_pass: bool = False,
        every: int | None = None,
        microbatches: int | None = None,
        compute: str | None = None,
        parameters: str = "float32",
        on_nonfinite: OnNonfinite | None = None,
    ):
        weights = {n: tf.Variable(tf.cast(value, parameters), name=n) for n, value in work.first_weights().items()}
        optimizer = Optimizer(
            Adam.dialect("tf1", learning_rate=work.learning_rate),
            weights,
            one_pass=one_pass,
            drops_nonfinite=on_nonfinite == "skip",
            loss_scale=LossScale() if compute == "float16" else None,
        )
        recorder = None if every is None else Recorder(optimizer, every=every, figures=["norms", "shares"])
        cost = work.workload.cost
        self._program = Program(
            cost, weights, optimizer, execution, recorder=recorder, microbatches=microbatches, compute=compute
        )
        self._guard = None if on_nonfinite is None else Guard(self._program, on_nonfinite)
        self._most = most_steps(sum(flop(work.products, work.batch_size)))
        self._data = [tf.constant(array) for array in work.examples()]

    def prepare(self, batches: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum(call_lengths(len(batches), self._most))
        return np.split(batches, ends[:-1])

    def train(self, prepared: list[np.ndarray]) -> float:
        runs = self._guard or self._program
        costs = [np.asarray(runs.run(self._data, call)) for call in prepared]
        if self._guard is not None:
            self._guard.look()
        return float(np.mean(np.concatenate(costs)))


class RawstepTrain(RawstepProgram):
    """What `rawstep train` runs of the workload: its own execution on the device, and XLA's options for its sizes."""

    def __init__(self, work: TrainingWork, **own: Any):
        settings = OwnProcess(
            workload=work.name, workload_options=settings_of(work.workload), batch_size=work.batch_size, **own
        ).settled()
        options = compiled_with(settings, work.products, work.first_weights())
        super().__init__(work, settings.execution, options.one_pass, **own)
