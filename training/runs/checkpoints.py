"""The checkpoints in the folder of a run: the newest whole one, which are kept, and what becomes of damaged ones."""

import os
import re
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from core import InputError

from ..output.files import sync, unwritable
from ..output.tensor_files import DamagedError
from ..output.whole_folder import whole_folder
from .checkpoint import Checkpoint, State, read, write

KEPT = 3
"""Checkpoints in a folder; each that is written removes the oldest beyond."""
UNFINISHED, OUTDATED, DAMAGED = ".rawstep-unfinished", ".rawstep-outdated", ".damaged"
"""What a checkpoint is called before it is whole, while it is removed, and how its name ends after it was set aside."""


class NewestWhole(NamedTuple):
    """The newest whole checkpoint, and what is wrong with those after it, the newest first."""

    checkpoint: Checkpoint
    damaged: Mapping[Path, str]


class Checkpoints:
    """Those of one run, each in a folder of its own that is named after its step.

        run/step-00000550/state.index
        run/step-00000550/state.data-00000-of-00001
        run/step-00000550/SHA256SUMS

    A checkpoint is written beside them under a hidden name, and renamed once it is on the disk. So whatever is called
    step-… was whole once, at whichever moment the process is killed.

    path:   the folder of the run.
    locked: the folder at that path that was locked, see `files.lock`; None before, or where it is only read.
    """

    def __init__(self, path: Path):
        self.path = path
        self.locked: os.stat_result | None = None

    def at(self, step: int) -> Path:
        return self.path / f"step-{step:08d}"

    def paths(self) -> list[Path]:
        """Oldest first. Raises InputError where the folder cannot be read."""
        try:
            paths = list(self.path.iterdir()) if self.path.is_dir() else []
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}.") from error
        return sorted(
            (path for path in paths if re.fullmatch("step-[0-9]{8,}", path.name) and path.is_dir()), key=_step
        )

    def newest_whole(self) -> NewestWhole:
        """Raises InputError where there is none, and what `checkpoint.read` raises for one that is whole."""
        paths, damaged = self.paths(), dict[Path, str]()
        if not paths:
            raise InputError(f"{self.path} holds no run: it has no folder step-… with a checkpoint.")
        for path in reversed(paths):
            try:
                return NewestWhole(read(path), damaged)
            except DamagedError as error:
                damaged[path] = str(error)
        each = ", ".join(f"{path.name} is damaged ({why})" for path, why in damaged.items())
        raise InputError(f"{self.path} holds no whole checkpoint: {each}.")

    def newest_finite(self) -> Path | None:
        """The newest whole one without a NaN or an infinity; None where there is none."""
        for path in reversed(self.paths()):
            with suppress(DamagedError):
                if not read(path).nonfinite:
                    return path
        return None

    def write(self, state: State, step: int, spared: Collection[Path], spare_finite: bool) -> None:
        """Writes a checkpoint and removes all except the newest, those that are spared and, where asked for, the last
        finite one.

        Raises InputError where it cannot be written; the earlier ones are then still there.
        """
        self._check_place()
        try:
            with whole_folder(self.at(step), self.path / UNFINISHED) as unfinished:
                write(state, unfinished)
        except InputError:
            self._check_place()
            raise
        self._remove_old({*spared, self.newest_finite()} if spare_finite else spared)

    def _check_place(self) -> None:
        """Raises InputError where what is at `path` is not the folder that was locked: another run may train there."""
        try:
            there = self.locked is None or os.path.samestat(self.locked, self.path.stat())
        except FileNotFoundError:
            there = False
        if not there:
            raise InputError(
                f"{self.path} was removed or replaced while the run trained in it; nothing more is saved there."
            )

    def set_aside(self, damaged: Path) -> Path:
        """Renames a damaged one, so that the run can write another in its place; returns the new path.

        Raises InputError where that cannot be.
        """
        names = (f"{damaged.name}{DAMAGED}{f'-{number}' if number > 1 else ''}" for number in count(1))
        aside = next(path for path in map(damaged.with_name, names) if not path.exists())
        try:
            damaged.rename(aside)
            sync(self.path)
        except OSError as error:
            raise unwritable(aside, error) from error
        return aside

    def _remove_old(self, spared: Collection[Path | None]) -> None:
        """Hides each before it is removed, so that no half of a checkpoint passes for one; leaves what resists."""
        outdated = self.path / OUTDATED
        for path in self.paths()[:-KEPT]:
            if path in spared:
                continue
            shutil.rmtree(outdated, ignore_errors=True)
            with suppress(OSError):
                path.rename(outdated)
        shutil.rmtree(outdated, ignore_errors=True)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))
