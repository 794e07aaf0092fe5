"""What a command leaves behind, of which one failure costs nothing else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import InputError


@contextmanager
def outputs() -> Iterator[Callable[..., bool]]:
    """Yields a function that calls another one, which prints or writes something, and returns whether that worked.

        with outputs() as attempt:
            attempt(print_run, figures)
            attempt(write_json, path, figures)

    A command prints first, then writes: a full disk does not cost the result on the screen, nor a closed pipe the file.

    Raises InputError at the end, one sentence for each that failed.
    """
    failed: list[str] = []

    def attempt(call: Callable[..., Any], *arguments: Any) -> bool:
        try:
            call(*arguments)
            sys.stdout.flush()
        except InputError as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f"{error.filename or 'the output'}: {error.strerror}.")
        else:
            return True
        return False

    yield attempt
    if failed:
        raise InputError(" ".join(dict.fromkeys(failed)))  # the output fails again and again
