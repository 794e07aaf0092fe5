"""Files written whole or not at all, and paths tried before a run so that nothing fails after it."""

import os
import tempfile
from pathlib import Path

from core.errors import InputError


def check_file(path: Path) -> None:
    """Raises InputError unless a file can be written at `path`; leaves nothing behind."""
    if path.is_dir():
        raise InputError(f"{path} must be a file, found a folder.")
    try:
        with path.open("a") if _is_device(path) else tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


def check_folder(path: Path) -> None:
    """Raises InputError unless `path` is a folder in which one can write, or can be made one; leaves nothing behind."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise InputError(f"{path} must be a folder, found that {there} is a file.")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    A link is followed, and what is there but is no regular file, such as /dev/stdout, is written to.

    Raises InputError where the file cannot be written.
    """
    try:
        if _is_device(path):
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> InputError:
    """What to raise where the system refuses to write at `path`."""
    return InputError(f"{path} cannot be written: {error.strerror}.")


def sync(path: Path) -> None:
    """Returns when what was written to a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
