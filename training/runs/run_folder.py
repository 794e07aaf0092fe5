"""The folder of a run: saving it while it goes on, and resuming it."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Self

from core import InputError

from ..output.files import check_folder, lock, make_folder
from ..output.interruption import clean_up_after_signals
from ..output.tensor_files import DamagedError
from ..output.whole_folder import check_name
from .checkpoint import Checkpoint, read, state_of
from .checkpoints import Checkpoints
from .distribution.distribution import Distribution
from .resuming import check_settings, notes, restore
from .settings import Settings
from .trainer import Trainer


class RunFolder:
    """The folder of a run, in which it is saved while it goes on, and from which it is resumed; see `Checkpoints`.

        with RunFolder(path) as folder:
            trainer, notes = folder.begin(settings, resume=True)
            for call in trainer.train():
                folder.save_if_due(trainer)

    A thread writes what was copied at the call, one checkpoint at a time. At the end of the block all is on the disk,
    or what could not be written is raised.

    Of a run with --keep-best, the checkpoint of its best epoch is kept too, however old. One process at a time trains
    in a folder: `begin` locks it until the process ends.

    Of a cluster's workers the chief alone locks and writes; all read the folder, or copies of it.

    path:         the folder, which `begin` makes where it is not there.
    save_every:   steps from one save to the next; an epoch where none is given.
    distribution: where the run computes; `begin` connects its replicas. One device, unless given.
    """

    def __init__(self, path: Path, save_every: int | None = None, distribution: Distribution | None = None):
        self.path = path
        self._save_every = save_every
        self._distribution = distribution or Distribution()
        self._last_step = 0
        self._checkpoints = Checkpoints(path)
        self._thread = ThreadPoolExecutor(1, "rawstep-checkpoint")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """What ends the block early is raised rather than what could not be written."""
        if kind is None:
            self._finish()
        else:
            self._settle()

    def begin(self, settings: Settings, resume: bool) -> tuple[Trainer, list[str]]:
        """A trainer before its first step, or where the newest checkpoint stands, and what a person should know of it.

        Where the newest one is damaged, it is the newest that is whole, and the damaged ones are set aside.

        Raises InputError for a folder that cannot be written, in which another process trains, or which holds a run
        that is not to be resumed; where no checkpoint is whole, and for one of another run than `settings` ask for, see
        `resuming.restore`. No folder is made then.
        """
        self._finish()
        check_name(self.path)
        if self._distribution.is_chief:
            check_folder(self.path)
            if self.path.exists():
                self._lock()
        if not self._checkpoints.paths():
            trainer = self._trainer(settings, "none")
            if self._distribution.is_chief:
                make_folder(self.path)
                self._lock()
            return trainer, [f"{self.path} holds no run to resume: starting afresh"] if resume else []
        if not resume:
            raise InputError(f"{self.path} holds a run already; give --resume to go on with it, or another folder.")
        checkpoint, damaged = self._checkpoints.newest_whole()
        settings = settings.over(checkpoint.settings).settled()
        if settings.on_nonfinite == "stop":
            self._check_finite(checkpoint)
        check_settings(checkpoint, settings)
        begun = len(checkpoint.run["epochs"]) + bool(checkpoint.run["costs"])
        if (settings.epochs or 0) < begun:
            raise InputError(
                f"{checkpoint.path} is in epoch {begun}; --epochs must be as many or more, found {settings.epochs}."
            )
        trainer = self._trainer(settings, f"step {checkpoint.step}, {checkpoint.digest}")
        restore(checkpoint, trainer)
        self._last_step = trainer.step
        aside = [self._without(path, why, checkpoint.path) for path, why in damaged.items()]
        return trainer, [*aside, f"resuming {checkpoint}", *notes(checkpoint, trainer), *_over(trainer)]

    def _without(self, damaged: Path, why: str, whole: Path) -> str:
        """Sets a damaged checkpoint aside once all workers have agreed to go on from another; returns a note of it."""
        kept = f", kept as {self._checkpoints.set_aside(damaged).name}" if self._distribution.is_chief else ""
        return f"{damaged} is damaged ({why}){kept}: going on from {whole}"

    def _trainer(self, settings: Settings, state: str) -> Trainer:
        """state: of the checkpoint that the run goes on from; the same for all workers of a cluster."""
        data = settings.data()
        self._distribution.begin(settings, data, {"--save-every": self._save_every, "checkpoint": state})
        return Trainer(settings, data, distribution=self._distribution)

    @property
    def newest_path(self) -> Path | None:
        """The folder of the newest checkpoint; None where there is none. One that is being written is waited for."""
        self._settle()
        return next(reversed(self._checkpoints.paths()), None)

    def chosen(self, best: bool) -> Checkpoint:
        """The newest checkpoint, or that of the best epoch.

        Raises InputError as `newest` does, and where the best one was not kept.
        """
        newest = self.newest()
        if not best:
            return newest
        if not newest.settings.keep_best or not (found := newest.run["best"]):
            why = "is of a run without --keep-best" if not newest.settings.keep_best else "is in its first epoch"
            raise InputError(f"{newest.path} {why}: there is no best checkpoint.")
        path = self._checkpoints.at(found["step"])
        if not path.is_dir():
            raise InputError(f"The best epoch of {self.path} is {found['epoch']}; {path} is not there any more.")
        try:
            return read(path)
        except DamagedError as error:
            raise InputError(f"{path} is damaged ({error}).") from error

    def best_path(self, trainer: Trainer) -> Path | None:
        """Where the checkpoint of the best epoch so far is kept; None where it is not."""
        return self._checkpoints.at(trainer.best_step) if trainer.settings.keep_best and trainer.best_epoch else None

    def newest(self) -> Checkpoint:
        """The newest checkpoint.

        Raises InputError where there is none, where it is damaged, and where it holds numbers that are not finite; then
        it names the one to go on from.
        """
        self._finish()
        checkpoint, damaged = self._checkpoints.newest_whole()
        if damaged:
            path, why = next(iter(damaged.items()))
            raise InputError(
                f"{path} is damaged ({why}). The newest whole one is {checkpoint.path}: `rawstep train --resume` goes "
                "on from there; to use it as it is, remove what is newer."
            )
        self._check_finite(checkpoint)
        return checkpoint

    def _check_finite(self, checkpoint: Checkpoint) -> None:
        if names := checkpoint.nonfinite:
            finite = self._checkpoints.newest_finite()
            rest = f"; remove the states after {finite} to go on from there" if finite else ""
            raise InputError(
                f"{checkpoint.path} holds numbers that are not finite, in {len(names)} of {len(checkpoint.tensors)} "
                f"tensors, {names[0]} among them{rest}."
            )

    def save_if_due(self, trainer: Trainer) -> None:
        """Begins to save after `save_every` steps since the last save, or else after an epoch; and in any case at the
        end, and after the best epoch so far where that is kept.

        Waits for the write before. Raises InputError where that failed, and NonFiniteError as `save` does.
        """
        if (
            self._save_every is None
            or trainer.finished
            or self.best_path(trainer) == self._checkpoints.at(trainer.step)
        ):
            due = not trainer.costs
        else:
            due = trainer.step - self._last_step >= self._save_every
        if due:
            self._begin_to_save(trainer)

    def save(self, trainer: Trainer) -> Path:
        """Writes a checkpoint, removes the oldest beyond the last few, and returns the new one's folder.

        The best one is kept too, where it is asked for; and of a run that continues with numbers that are not finite,
        the last state without any.

        Raises InputError where it, or the one before, cannot be written; the earlier ones are then still there. Raises
        NonFiniteError where the state is not finite and the run is not to continue; see `Trainer.look`.
        """
        path = self._begin_to_save(trainer)
        self._finish()
        return path

    def _begin_to_save(self, trainer: Trainer) -> Path:
        self._finish()
        state = state_of(trainer)
        path, self._last_step = self._checkpoints.at(trainer.step), trainer.step
        if self._distribution.is_chief and not path.exists():
            clean_up_after_signals()
            spared = {path for path in [self.best_path(trainer)] if path}
            has_left_finite = trainer.guard.found is not None
            self._writing = self._thread.submit(self._checkpoints.write, state, trainer.step, spared, has_left_finite)
        return path

    def _finish(self) -> None:
        """Waits for the write under way. Raises InputError where it failed."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _settle(self) -> None:
        """Waits for the write under way, however it ends."""
        wait([self._writing] if self._writing else [])

    def _lock(self) -> None:
        """Keeps other processes out for as long as this object lives; the system forgets the lock with the process."""
        if self._checkpoints.locked is None:
            self._checkpoints.locked = lock(self.path, self, "trains")


def _over(trainer: Trainer) -> list[str]:
    """Why there is nothing left to train, where that is so."""
    if len(trainer.history) >= trainer.epochs:
        return ["all its epochs are done; a greater number of --epochs goes further"]
    if trainer.out_of_patience:
        return [f"epoch {trainer.best_epoch} is still the best; a greater --patience goes further"]
    return []
