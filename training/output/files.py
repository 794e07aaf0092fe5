"""Files written whole or not at all, and paths tried before a run so that nothing fails after it."""

import errno
import fcntl
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import InputError

from .interruption import clean_up_after_signals


def check_file(path: Path) -> None:
    """Raises InputError unless a file can be written at `path`; leaves nothing behind."""
    with _errors_named(path):
        if path.is_dir():
            raise InputError(f"{path} must be a file, found a folder.")
        if not _is_device(path):
            _try(_followed(path).parent)
        elif not os.access(path, os.W_OK):  # opened, a FIFO would wait for a reader
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_files(*paths: Path | None) -> None:
    """Raises InputError unless a file can be written at each of these paths that is given, and no two are one."""
    check_apart(*paths)
    for path in paths:
        if path is not None:
            check_file(path)


def check_folder(path: Path) -> None:
    """Raises InputError unless `path` is a folder in which one can write, or can be made one; leaves nothing behind."""
    with _errors_named(path):
        there = next(folder for folder in (path.absolute(), *path.absolute().parents) if os.path.lexists(folder))
        if not there.is_dir():
            raise InputError(f"{path} must be a folder, found that {there} is none.")
        _try(there)


def check_new_folder(path: Path) -> None:
    """Raises InputError unless a folder can be made at `path`, where nothing is yet; leaves nothing behind."""
    if os.path.lexists(path):
        raise InputError(f"{path} is there already, and nothing is overwritten: give a new folder.")
    check_folder(path)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    A link is followed, and what is there but is no regular file, such as /dev/stdout, is written to.

    Raises InputError where the file cannot be written.
    """
    clean_up_after_signals()
    with _errors_named(path):
        if _is_device(path):
            with suppress(BrokenPipeError):  # whoever read it has left
                path.write_bytes(content)
        else:
            _replace(_followed(path), content)


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it, unless it is there. Raises InputError where it cannot be made."""
    with _errors_named(path):
        path.mkdir(parents=True, exist_ok=True)


def lock(folder: Path, owner: object, doing: str) -> os.stat_result:
    """Keeps other processes out of a folder for as long as `owner` lives; the system forgets the lock with the process.

    Returns what `os.path.samestat` knows the folder by, since another one may come to have its name.

    Raises InputError where another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    weakref.finalize(owner, os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{folder} is in use: another process {doing} there.") from error
    return os.fstat(descriptor)


def check_apart(*paths: Path | None) -> None:
    """Raises InputError where two of these are one."""
    places = [os.path.realpath(path) for path in paths if path is not None]
    if twice := {place for place in places if places.count(place) > 1}:
        raise InputError(f"{', '.join(twice)} is given for two things that are written.")


def unwritable(path: Path, error: OSError | UnicodeError) -> InputError:
    """What to raise where the system refuses to write at `path`."""
    reason = error.strerror if isinstance(error, OSError) else "the name is no UTF-8"
    return InputError(f"{path} cannot be written: {reason}.")


def refusal(folder: Path) -> str | None:
    """Why nothing can be written in a folder, in the system's words; None where something can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))  # a page: a file of nothing takes no room on a full disk
    except OSError as error:
        return error.strerror
    return None


def sync(path: Path) -> None:
    """Returns when what was written to a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        str(path).encode()  # TensorFlow takes no other names
        yield
    except (OSError, UnicodeError) as error:
        raise unwritable(path, error) from error


def _try(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _followed(path: Path) -> Path:
    """Where links lead. Raises OSError for a ring of links."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return place


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".rawstep.{os.getpid()}")  # short: the name itself may be as long as names can be
    try:
        unfinished.unlink(missing_ok=True)  # of a killed process, or a link, which is not followed
        with unfinished.open("xb") as file:
            file.write(content)
        sync(unfinished)
        unfinished.replace(path)
        sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)
