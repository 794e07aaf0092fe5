"""Processes that compute for this one, and end with it."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Process:
    """A process that runs functions of modules, one after another, and waits meanwhile.

    It ends with the process that started it, however that one ends, and Ctrl-C does not reach it.

    variables: of its environment, on top of this process's.
    """

    def __init__(self, variables: Mapping[str, str] | None = None):
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), settle_in)
        with environment(variables or {}), _without_ctrl_c():
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


PR_SET_PDEATHSIG = 1
"""Linux's prctl(2): the signal that this process gets when the thread that started it ends."""


def signalled_with_the_parent(number: signal.Signals) -> None:
    """For a process just begun: it gets this signal as its parent ends, however that one ends. On Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def settle_in() -> None:
    """For a process just begun, which ends with its parent. Ctrl-C reaches all of a terminal; the parent answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A thread cannot run while a worker waits for others to join it, as TensorFlow keeps Python's lock meanwhile.
    signalled_with_the_parent(signal.SIGKILL)

    def end_with_the_parent() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_the_parent, daemon=True).start()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """For the processes that are started meanwhile: what TensorFlow and XLA read only once, as they are imported."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """A process that is started meanwhile inherits that SIGINT waits; Python itself would answer before `settle_in`."""
    resource_tracker.ensure_running()  # which lets SIGINT through again where it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
