"""Processes that do a part of this one's work, and what they take."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import connection
from typing import Any

from core import InputError
from core.mistakes import in_words
from training.runs import results
from training.runs.processes import environment, settle_in


class Helper:
    """A process that does a part of this one's work, by a pipe: whoever may be killed must hold no semaphores.

    It ends with this one, and this one with it, which would wait for it without end.
    """

    def __init__(self, variables: Mapping[str, str]):
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_help, args=(end,), daemon=True)
        with environment(variables):
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
    settle_in()
    while True:
        try:
            function, arguments = pipe.recv()
            answer = function(*arguments), None
        except Exception as error:  # which is the asker's to report
            answer = None, in_words(error)
        pipe.send(answer)
