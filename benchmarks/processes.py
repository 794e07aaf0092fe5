"""Processes that compute for this one, and end with it."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any

from core import InputError
from core.mistakes import in_words
from training import results


class Process:
    """A process that runs functions of modules, one after another, and waits meanwhile.

    It ends with the process that started it, however that one ends, and Ctrl-C does not reach it.

    variables: of its environment, on top of this process's.
    """

    def __init__(self, variables: Mapping[str, str]):
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _settle_in)
        with _environment(variables):
            self._number = self._executor.submit(os.getpid)

    @property
    def number(self) -> int:
        """Of the process, once it has started."""
        return self._number.result()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """What the function returns, once it has run. A BrokenProcessPool, where the process has died."""
        return self._executor.submit(function, *arguments)

    def stop(self) -> None:
        """At once, whatever it is doing: it may be compiling for a minute yet."""
        with suppress(BrokenProcessPool, ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)  # TensorFlow's workers outlive SIGTERM
        self._executor.shutdown(cancel_futures=True)


class Helper:
    """A process that does a part of this one's work, by a pipe: whoever may be killed must hold no semaphores.

    It ends with this one, and this one with it, which would wait for it without end.
    """

    def __init__(self, variables: Mapping[str, str]):
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_help, args=(end,), daemon=True)
        with _environment(variables):
            self._process.start()
        end.close()
        self.number = self._process.pid
        threading.Thread(target=self._end_with_it, daemon=True).start()

    def ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Begins what `answer` returns."""
        self._pipe.send((function, arguments))

    def answered(self, seconds: float) -> bool:
        """Whether it is done within that time."""
        return self._pipe.poll(seconds)

    def answer(self) -> Any:
        """What the function has returned. Raises InputError where it failed."""
        result, failure = self._pipe.recv()
        if failure is not None:
            raise InputError(failure)
        return result

    def _end_with_it(self) -> None:
        connection.wait([self._process.sentinel])
        os._exit(1)


HELPERS: list[Helper] = []
"""Of this process: what they take counts as its own."""


def begin_helping(begin: Callable[..., Any], *arguments: Any) -> None:
    """Lets all helpers begin."""
    for helper in HELPERS:
        helper.ask(begin, *arguments)


def answers() -> list[Any]:
    """What the helpers have returned, once all are done."""
    return [helper.answer() for helper in HELPERS]


def cpu_seconds() -> float:
    """Of all threads of this process, and of its helpers, since they started."""
    begin_helping(time.process_time)
    return time.process_time() + sum(answers())


def peak_memory_mb() -> float:
    """The most main memory that this process has held, and the most that each helper has, in 10⁶ bytes."""
    begin_helping(results.peak_memory_mb)
    return results.peak_memory_mb() + sum(answers())


def _help(pipe: connection.Connection) -> None:
    _settle_in()
    while True:
        try:
            function, arguments = pipe.recv()
            answer = function(*arguments), None
        except Exception as error:  # which is the asker's to report
            answer = None, in_words(error)
        pipe.send(answer)


PR_SET_PDEATHSIG = 1
"""Linux's prctl(2): the signal that this process gets when the thread that started it ends."""


def _settle_in() -> None:
    """Ctrl-C reaches all processes of a terminal, and the conductor alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A thread cannot run while a worker waits for others to join it, as TensorFlow keeps Python's lock meanwhile.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def end_with_the_parent() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_the_parent, daemon=True).start()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """For the processes that are started meanwhile: what TensorFlow and XLA read only once, as they are imported."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
