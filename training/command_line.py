"""How every command ends: well, or in one sentence and an exit status."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from .interruption import Interrupted


def run(app: App, arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, the process's own unless `arguments` are given.

    What was given wrongly ends in one sentence and status 2; Ctrl-C in one and status 130.
    """
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sentence, status = str(error), 2
    except Interrupted as stop:
        sentence, status = f"interrupted; {stop}.", stop.status
    except KeyboardInterrupt:
        sentence, status = "interrupted.", 130
    except ValueError as error:
        from core import InputError  # only now: --help answers without TensorFlow

        if not isinstance(error, InputError):
            raise
        sentence, status = str(error), 2
    else:
        return
    print(f"{app.name[0]}: {sentence}", file=sys.stderr)
    sys.exit(status)
