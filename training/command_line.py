"""How every command ends: well, or in one sentence and an exit status."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from cyclopts import App, CycloptsError

from .interruption import NOTED, Interrupted


def run(app: App, arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, the process's own unless `arguments` are given.

    What was given wrongly ends in one sentence and status 2, numbers that are not finite in one and status 3, Ctrl-C in
    one and status 130.
    """
    _mend_streams()
    NOTED.clear()
    try:
        _call(app, arguments)
    except CycloptsError as error:
        sentence, status = str(error), 2
    except OSError as error:
        sentence, status = f"{error.filename or 'the output'}: {error.strerror}.", 2
    except MemoryError as error:
        sentence, status = f"there is too little memory: {error}.", 2
    except Interrupted as stop:
        sentence, status = f"interrupted; {stop}.", stop.status
    except KeyboardInterrupt:
        sentence, status = "interrupted.", 128 + (NOTED[0] if NOTED else signal.SIGINT)
    except (ValueError, FloatingPointError) as error:
        from core import InputError, NonFiniteError  # only now: --help answers without TensorFlow

        if not isinstance(error, InputError | NonFiniteError):
            raise
        sentence, status = (f"{error}.", 3) if isinstance(error, NonFiniteError) else (str(error), 2)
    else:
        return
    with suppress(OSError):  # nobody may be there to read it
        print(f"{app.name[0]}: {' '.join(sentence.split())}", file=sys.stderr, flush=True)
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


def _mend_streams() -> None:
    """A closed standard error becomes a mute one; characters that an output has not are replaced."""
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
