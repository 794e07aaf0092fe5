"""The first and the last lines of a command, between which Ctrl-C always ends in one sentence and status 130."""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from ..output.interruption import end_at_once


def rawstep() -> NoReturn:
    """The console script `rawstep`."""

    def main() -> None:
        from .cli import main

        main()

    command("rawstep", main)


def command(name: str, main: Callable[[], None]) -> NoReturn:
    """Runs a command, which `main` imports and calls, and ends the process with its status.

    The interpreter is not taken down: that takes TensorFlow a quarter of a second, in which Python answers no signal.
    """
    end_at_once(name)
    status = 1
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:  # which came in the last lines of the command
        end_at_once(name)()
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
    end_at_once(name)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody may be there to read it
            stream.flush()
    os._exit(status)
