"""How every command ends: well, or in one sentence and an exit status."""

import io
import os
import signal
import stat
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cyclopts import App, CycloptsError

from ..output.interruption import NOTED, Interrupted
from ..output.terminal import note
from ..runs.own_options import NoSuchSettingError
from ..workloads.misfits import did_you_mean
from . import mistakes


def run(app: App, arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, the process's own unless `arguments` are given.

    What was given wrongly ends in one sentence and status 2, numbers that are not finite in one and status 3, a
    worker of a cluster that is lost in one and status 4, Ctrl-C in one and status 130.
    """
    _prepare_streams()
    NOTED.clear()
    try:
        with _warnings_said(app.name[0]):
            _call(app, arguments)
    except CycloptsError as error:
        sentence, status = mistakes.sentence(error, app), 2
    except NoSuchSettingError as error:
        sentence, status = mistakes.no_such_setting(error, app, sys.argv[1:] if arguments is None else arguments), 2
    except OSError as error:
        sentence, status = f"{error.filename or 'the output'}: {error.strerror}.", 2
    except MemoryError as error:
        sentence, status = f"there is too little memory: {error}.", 2
    except Interrupted as stop:
        sentence, status = f"interrupted; {stop}.", stop.status
    except KeyboardInterrupt:
        sentence, status = "interrupted.", 128 + (NOTED[0] if NOTED else signal.SIGINT)
    except (ValueError, FloatingPointError, RuntimeError) as error:
        from core import InputError, NonFiniteError, WorkerLostError  # only now: --help answers without TensorFlow

        match error:
            case InputError():
                sentence, status = f"{error}{did_you_mean(error.name, error.known)}", 2
            case NonFiniteError():
                sentence, status = f"{error}.", 3
            case WorkerLostError():
                sentence, status = f"{error}.", 4
            case _:
                raise
    else:
        return
    with suppress(OSError):  # nobody may be there to read it
        note(sentence, app.name[0])
    sys.exit(status)


def _call(app: App, arguments: Sequence[str] | None) -> None:
    """Raises KeyboardInterrupt after a signal too that a library has swallowed, or of which it made another error."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (Exception, SystemExit) as error:
        if NOTED:
            raise KeyboardInterrupt from error
        raise
    if NOTED:
        raise KeyboardInterrupt


@contextmanager
def _warnings_said(name: str) -> Iterator[None]:
    """What core warns of is a sentence to the user, who has no line of code to be shown."""
    shown = warnings.showwarning

    def say(message: Any, category: type[Warning], *place: Any) -> None:
        if category.__module__.startswith("core."):
            note(str(message), name)
        else:
            shown(message, category, *place)

    warnings.showwarning = say
    try:
        yield
    finally:
        warnings.showwarning = shown


class _Pipe(io.FileIO):
    """Whoever reads a pipe may leave, as head does: what comes after is written nowhere, and the command goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return memoryview(data).nbytes


def _prepare_streams() -> None:
    """A closed output becomes a mute one; characters that an output lacks are replaced; see also `_Pipe`."""
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)


def _prepared(stream: Any) -> Any:
    if stream is None:
        return open(os.devnull, "w")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
        if _is_pipe(stream):
            pipe = io.BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False))
            return io.TextIOWrapper(
                pipe,
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
    return stream


def _is_pipe(stream: io.TextIOWrapper) -> bool:
    with suppress(OSError):  # no file of the system's
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    return False
