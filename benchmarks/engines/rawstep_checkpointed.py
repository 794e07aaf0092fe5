"""What `rawstep train --checkpoint` runs of a workload: a checkpoint is written while the next steps are taken."""

import tempfile
from pathlib import Path

import numpy as np

from core.engine.feeds import Resident
from training.runs.feeding import most_steps
from training.runs.run_folder import RunFolder
from training.runs.settings import OwnProcess
from training.runs.trainer import Trainer
from training.workloads.choice import settings_of
from training.workloads.work import flop

from ..work import TrainingWork
from .rawstep_program import RawstepProgram


class RawstepCheckpointed(RawstepProgram):
    """The same steps as `RawstepTrain` takes, and in each sample a checkpoint of its first state.

    As in the midst of a run, it is copied before the sample's first step and written meanwhile. A sample ends when its
    steps are taken and the checkpoint is on the disk, in the folder for temporary files; an older one has gone by then.
    A sample is an epoch of the notebook's, so that one of `RawstepTrain`'s beside it is a run that is not saved.
    """

    def __init__(self, work: TrainingWork):
        settings = OwnProcess(
            workload=work.name, workload_options=settings_of(work.workload), batch_size=work.batch_size, seed=work.seed,
            rule="adam", dialect="tf1", learning_rate=work.learning_rate,
        )  # fmt: skip
        self._trainer = trainer = Trainer(settings, work.data)
        for name, value in work.first_weights().items():
            trainer.variables[name].assign(value)
        assert isinstance(trainer.feed, Resident)
        self._program, self._data = trainer.program, list(trainer.feed.data)
        self._guard = None  # the trainer's looks before each checkpoint
        self._most = most_steps(sum(flop(work.products, work.batch_size)))
        self._place = tempfile.TemporaryDirectory(prefix="rawstep-bench-")
        self._folder = RunFolder(Path(self._place.name))

    def train(self, prepared: list[np.ndarray]) -> float:
        with self._folder:
            self._folder.save_if_due(self._trainer)
            return super().train(prepared)
