"""Files of TensorFlow 1's Saver: named tensors and nothing else."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from core import InputError

from ...output.files import check_file, sync, unwritable
from ...output.tensor_files import DATA, INDEX, DamagedError, TensorFiles, write_tensors
from ...output.whole_folder import check_name, said


class Reader:
    """The tensors of a checkpoint that `tf.train.Saver` wrote: first what they are, then, if it suits, their values.

    Both its formats are read: V2, two files rnn2.ckpt.index and rnn2.ckpt.data-…, and V1, the one file rnn2.ckpt.

    path:   what is common to its files' names.
    dtypes: by the tensors' names.
    shapes: the same.

    Raises InputError where there is no such checkpoint, and where it cannot be read.
    """

    def __init__(self, path: Path):
        self.path = _prefix(path)
        _check_name(self.path)
        _check_there(self.path)
        try:
            self._files = TensorFiles(self.path)
        except DamagedError as error:
            raise self._unreadable(error) from error
        self.dtypes = {name: dtype.name for name, dtype in self._files.dtypes.items()}
        self.shapes = self._files.shapes

    def tensors(self) -> dict[str, np.ndarray]:
        """All values, by their names in order. Each has a checksum, which is compared. Raises InputError for damage."""
        try:
            return {name: np.asarray(tensor) for name, tensor in self._files.tensors().items()}
        except DamagedError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: DamagedError) -> InputError:
        return InputError(
            f"{self.path} must be a checkpoint that tf.train.Saver wrote; it is damaged or something else: {error}."
        )


def check_new(path: Path) -> None:
    """Raises InputError unless `write` can write a checkpoint at `path`; leaves nothing behind."""
    _check_name(path)
    for taken in (path, *_files(path)):
        if os.path.lexists(taken):
            raise InputError(f"{taken} is there already, and nothing is overwritten: give another name, or remove it.")
        check_file(taken)


def write(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes tensors as Saver does, whole or not at all: under a hidden name, and renamed when it is on the disk.

    The index comes last, without which there is no checkpoint. Raises InputError where it cannot be written.
    """
    unfinished = path.with_name(f".rawstep-tf1.{os.getpid()}")
    renamed = list(zip(_files(unfinished), _files(path), strict=True))
    try:
        write_tensors(unfinished, tensors)
        for source, _ in renamed:
            sync(source)
        for source, target in renamed:
            source.rename(target)
        sync(path.parent)
    except OSError as error:
        for _, target in renamed:
            target.unlink(missing_ok=True)
        raise unwritable(path, error) from error
    except tf.errors.OpError as error:
        raise InputError(f"{path} cannot be written: {said(error)}.") from error
    finally:
        for left in path.parent.glob(f"{unfinished.name}.*"):
            left.unlink(missing_ok=True)


def _files(path: Path) -> tuple[Path, Path]:
    """The index last."""
    return path.with_name(f"{path.name}{DATA}"), path.with_name(f"{path.name}{INDEX}")


def _prefix(path: Path) -> Path:
    """A person may name one of the files instead of what their names begin with."""
    stem = re.fullmatch(r"(.+)\.(?:index|meta|data-\d{5}-of-\d{5})", path.name)
    return path if stem is None or os.path.exists(f"{path}.index") else path.with_name(stem[1])


def _check_name(path: Path) -> None:
    """Raises InputError for a name that TensorFlow would not take for itself."""
    if path.name in ("", ".."):
        raise InputError(f"{path} must be what the names of a checkpoint's files begin with, found a folder.")
    try:
        str(path).encode()
    except UnicodeError as error:
        raise InputError(f"{path} is no name that TensorFlow takes: it is no UTF-8.") from error
    check_name(path, patterns="[]\\*?")


def _check_there(path: Path) -> None:
    index = path.with_name(f"{path.name}.index")
    file = index if os.path.exists(index) else path
    if not os.path.isfile(file):
        found = "a folder" if os.path.isdir(path) else "something else" if os.path.exists(file) else "neither"
        raise InputError(
            f"{path} must be a checkpoint that tf.train.Saver wrote, {index.name} with its data or the one file "
            f"{path.name}; found {found}."
        )
    try:
        file.open("rb").close()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
