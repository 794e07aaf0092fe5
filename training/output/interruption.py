"""What Ctrl-C and `kill` do to a command, from its first line to its last. Imports nothing that takes time."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

NOTED: list[signal.Signals] = []
"""Signals that came and may still be without effect: libraries swallow a KeyboardInterrupt, or raise another error."""


class Interrupted(KeyboardInterrupt):
    """A run that a signal has ended; the message says what was kept."""

    def __init__(self, number: signal.Signals, sentence: str):
        super().__init__(sentence)
        self.status = 128 + number


def end_at_once(name: str) -> Callable[..., NoReturn]:
    """From now on, Ctrl-C ends the process there and then, in one sentence of the command `name` and status 130.

    Returns the handler.

    While a command starts, nothing needs to be cleaned up, and TensorFlow's import does not bear a KeyboardInterrupt.
    """
    global _end
    try:
        stderr = os.dup(2)  # TensorFlow's import mutes the other for a while
    except OSError:  # closed
        stderr = os.open(os.devnull, os.O_WRONLY)

    def end(*_: Any) -> NoReturn:
        try:
            os.write(stderr, f"{name}: interrupted.\n".encode())
        finally:
            os._exit(128 + signal.SIGINT)

    _end = end
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as by nohup
        signal.signal(signal.SIGINT, end)
    return end


def clean_up_after_signals() -> None:
    """From now on, the first Ctrl-C raises KeyboardInterrupt: what is on the screen or half written must be cleaned up.

    It changes nothing where Ctrl-C does something else than `end_at_once` has it do.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals come to the main one alone
    if _end is not None and signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _note_and_raise)
        sys.unraisablehook = _silent_once_interrupted


@contextmanager
def signals_noted() -> Iterator[list[signal.Signals]]:
    """Yields a list to which each stopping signal is added; none of them ends anything by itself meanwhile.

    One that was ignored before, as by nohup, stays ignored.
    """
    noted: list[signal.Signals] = []
    before = {number: signal.getsignal(number) for number in STOPPING}
    heeded = [number for number in STOPPING if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, lambda number, _: noted.append(signal.Signals(number)))
    try:
        yield noted
    finally:
        for number in heeded:
            signal.signal(number, before[number])
        NOTED.extend(noted)


_end: Any = None


def _note_and_raise(number: int, _: Any) -> NoReturn:
    signal.signal(signal.SIGINT, _end)  # the next one is not to disturb the cleaning up, but to end it
    NOTED.append(signal.Signals(number))
    raise KeyboardInterrupt


def _silent_once_interrupted(unraisable: Any) -> None:
    """A KeyboardInterrupt in a finalizer cannot be raised: it is noted, and Python need not say so."""
    if not NOTED:
        sys.__unraisablehook__(unraisable)
