"""The folder of a run, with its last few checkpoints and its best one."""

import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from core import InputError

from ..output.files import check_folder, lock, make_folder
from ..output.whole_folder import check_name, whole_folder
from .checkpoint import Checkpoint, DamagedError, check_settings, notes, read, restore, write
from .distribution.distribution import Distribution
from .settings import Settings
from .trainer import Trainer

KEPT = 3
"""Checkpoints in a folder; each save removes the oldest beyond."""
UNFINISHED, OUTDATED = ".rawstep-unfinished", ".rawstep-outdated"
"""What a checkpoint is called before it is whole, and while it is removed."""


class RunFolder:
    """The checkpoints of one run, each in a folder of its own that is named after its step.

        run/step-00000550/state.index
        run/step-00000550/state.data-00000-of-00001

    Of a run with --keep-best, the checkpoint of its best epoch is there too, however old.

    A checkpoint is written beside them under a hidden name, and renamed once it is on the disk. So whatever is called
    step-… is whole, at whichever moment the process is killed. One process at a time trains in a folder: `begin`
    locks it until the process ends.

    Of a cluster's workers the chief alone locks and writes; all read the folder, or copies of it.

    path:         the folder, which `begin` makes where it is not there.
    save_every:   steps from one save to the next; an epoch where none is given.
    distribution: where the run computes; `begin` connects its replicas. One device, unless given.
    """

    def __init__(self, path: Path, save_every: int | None = None, distribution: Distribution | None = None):
        self.path = path
        self._save_every = save_every
        self._distribution = distribution or Distribution()
        self._locked = False
        self._last_step = 0

    def begin(self, settings: Settings, resume: bool) -> tuple[Trainer, list[str]]:
        """A trainer before its first step, or where the newest checkpoint stands, and what a person should know of it.

        Raises InputError for a folder that cannot be written, in which another process trains, or which holds a run
        that is not to be resumed; for a damaged checkpoint, and for one of another run than `settings` ask for, see
        `checkpoint.restore`. No folder is made then.
        """
        check_name(self.path)
        if self._distribution.is_chief:
            check_folder(self.path)
            if self.path.exists():
                self._lock()
        if not self._checkpoints():
            trainer = self._trainer(settings, "none")
            if self._distribution.is_chief:
                make_folder(self.path)
                self._lock()
            return trainer, [f"{self.path} holds no run to resume: starting afresh"] if resume else []
        if not resume:
            raise InputError(f"{self.path} holds a run already; give --resume to go on with it, or another folder.")
        checkpoint = self._newest()
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
        return trainer, [f"resuming {checkpoint}", *notes(checkpoint, trainer), *_over(trainer)]

    def _trainer(self, settings: Settings, state: str) -> Trainer:
        """state: of the checkpoint that the run goes on from; the same for all workers of a cluster."""
        data = settings.data()
        self._distribution.begin(settings, data, {"--save-every": self._save_every, "checkpoint": state})
        return Trainer(settings, data, distribution=self._distribution)

    @property
    def newest_path(self) -> Path | None:
        """The folder of the newest checkpoint; None where there is none."""
        return next(reversed(self._checkpoints()), None)

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
        path = self._at(found["step"])
        if not path.is_dir():
            raise InputError(f"The best epoch of {self.path} is {found['epoch']}; {path} is not there any more.")
        try:
            return read(path)
        except DamagedError as error:
            raise InputError(f"{path} is damaged ({error}).") from error

    def best_path(self, trainer: Trainer) -> Path | None:
        """Where the checkpoint of the best epoch so far is kept; None where it is not."""
        return self._at(trainer.best_step) if trainer.settings.keep_best and trainer.best_epoch else None

    def newest(self) -> Checkpoint:
        """The newest checkpoint.

        Raises InputError where there is none, where it is damaged, and where it holds numbers that are not finite; then
        it names the one to go on from.
        """
        checkpoint = self._newest()
        self._check_finite(checkpoint)
        return checkpoint

    def _newest(self) -> Checkpoint:
        paths = self._checkpoints()
        if not paths:
            raise InputError(f"{self.path} holds no run: it has no folder step-… with a checkpoint.")
        try:
            return read(paths[-1])
        except DamagedError as error:
            rest = f" to go on from {paths[-2]}" if paths[1:] else ""
            raise InputError(f"{paths[-1]} is damaged ({error}); remove it{rest}.") from error

    def _check_finite(self, checkpoint: Checkpoint) -> None:
        if names := checkpoint.nonfinite:
            finite = self._newest_finite()
            rest = f"; remove the states after {finite} to go on from there" if finite else ""
            raise InputError(
                f"{checkpoint.path} holds numbers that are not finite, in {len(names)} of {len(checkpoint.tensors)} "
                f"tensors, {names[0]} among them{rest}."
            )

    def _newest_finite(self) -> Path | None:
        for path in reversed(self._checkpoints()):
            with suppress(DamagedError):
                if not read(path).nonfinite:
                    return path
        return None

    def save_if_due(self, trainer: Trainer) -> None:
        """Saves after `save_every` steps since the last save, or else after an epoch; and in any case at the end, and
        after the best epoch so far where that is kept."""
        if self._save_every is None or trainer.finished or self.best_path(trainer) == self._at(trainer.step):
            due = not trainer.costs
        else:
            due = trainer.step - self._last_step >= self._save_every
        if due:
            self.save(trainer)

    def save(self, trainer: Trainer) -> Path:
        """Writes a checkpoint, removes the oldest beyond the last few, and returns the new one's folder.

        The best one is kept too, where it is asked for; and of a run that continues with numbers that are not finite,
        the last state without any.

        Raises InputError where it cannot be written; the earlier ones are then still there. Raises NonFiniteError where
        the state is not finite and the run is not to continue; see `Trainer.look`.
        """
        trainer.look()
        path, self._last_step = self._at(trainer.step), trainer.step
        if path.exists() or not self._distribution.is_chief:
            return path
        with whole_folder(path, self.path / UNFINISHED) as unfinished:
            write(trainer, unfinished)
        self._remove_old([self.best_path(trainer), None if trainer.guard.found is None else self._newest_finite()])
        return path

    def _at(self, step: int) -> Path:
        return self.path / f"step-{step:08d}"

    def _checkpoints(self) -> list[Path]:
        """Oldest first."""
        try:
            paths = list(self.path.iterdir()) if self.path.is_dir() else []
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}.") from error
        return sorted(
            (path for path in paths if re.fullmatch("step-[0-9]{8,}", path.name) and path.is_dir()), key=_step
        )

    def _remove_old(self, spared: Collection[Path | None]) -> None:
        """Removes all except the newest and those that are spared.

        Hides each before it is removed, so that no half of a checkpoint passes for one; leaves what resists."""
        outdated = self.path / OUTDATED
        for path in self._checkpoints()[:-KEPT]:
            if path in spared:
                continue
            shutil.rmtree(outdated, ignore_errors=True)
            with suppress(OSError):
                path.rename(outdated)
        shutil.rmtree(outdated, ignore_errors=True)

    def _lock(self) -> None:
        """Keeps other processes out for as long as this object lives; the system forgets the lock with the process."""
        if not self._locked:
            lock(self.path, self, "trains")
            self._locked = True


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _over(trainer: Trainer) -> list[str]:
    """Why there is nothing left to train, where that is so."""
    if len(trainer.history) >= trainer.epochs:
        return ["all its epochs are done; a greater number of --epochs goes further"]
    if trainer.out_of_patience:
        return [f"epoch {trainer.best_epoch} is still the best; a greater --patience goes further"]
    return []
