"""What Ctrl-C and `kill` do to a run: it ends between two calls, where its state is whole."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A run that a signal has ended; the message says what was kept."""

    def __init__(self, number: signal.Signals, sentence: str):
        super().__init__(sentence)
        self.status = 128 + number


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
