"""What TensorFlow writes as a folder, written whole or not at all, under a name that it can read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from core import InputError

from .files import sync, unwritable
from .interruption import clean_up_after_signals


@contextmanager
def whole_folder(path: Path, unfinished: Path) -> Iterator[Path]:
    """Yields the folder `unfinished`, new and empty; it becomes `path` when the block is done and all is on the disk.

    Raises InputError where it cannot be written; of either folder nothing is then there.
    """
    clean_up_after_signals()
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # a killed process may have left one
        unfinished.mkdir(parents=True)
        yield unfinished
        for written in (*unfinished.rglob("*"), unfinished):
            sync(written)
        unfinished.rename(path)
        sync(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    except tf.errors.OpError as error:
        raise InputError(f"{path} cannot be written: {said(error)}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def said(error: tf.errors.OpError) -> str:
    """TensorFlow's reason, without the operation and the hidden name."""
    return str(error.message).rpartition("; ")[2].partition(" [Op:")[0]


def check_name(path: Path, patterns: str = "[]\\") -> None:
    """Raises InputError for a name with characters that TensorFlow takes for a pattern, and then finds no file."""
    if found := sorted(set(patterns) & set(str(path))):
        raise InputError(f"{path} has {' and '.join(found)} in its name, which TensorFlow takes for a pattern.")
