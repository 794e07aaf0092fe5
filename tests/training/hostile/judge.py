"""What a damaged file may do: be read, or be refused in one sentence; in seconds, in the memory that it could fill."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from core import InputError
from training.workloads.data.idx import MOST_INFLATION

from .formats import FORMATS

SECONDS, WAITED = 10, 120
"""Of the processor, and by the clock: a loaded machine lets a reader wait."""
SPARE = 64 << 20
"""Bytes of memory that a reader and its libraries may take for themselves."""
LONGEST = 2_000
"""Characters of a sentence."""


class Damaged:
    """A folder with a file of this format, which is replaced from one trial to the next."""

    def __init__(self, name: str, folder: Path):
        self.name, self.format = name, FORMATS[name]
        self.path = folder / self.format.file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.format.beside(self.path.parent)

    def judge(self, content: bytes) -> str | None:
        """Reads a file with this content; returns the sentence that refuses it, None where it is read.

        Raises AssertionError for more seconds, memory or words than it may cost, and whatever else the reader raises.
        """
        whole = self.format.wrapped(content)
        self.path.write_bytes(whole)
        return self.judge_file(len(whole))

    def judge_file(self, size: int) -> str | None:
        """The same of what is there, of that many bytes."""
        sentence, peak = None, peak_memory()
        try:
            with limited_time():
                self.format.read(self.path)
        except InputError as error:
            sentence = str(error)
        taken = peak()
        assert taken < MOST_INFLATION * size + SPARE, f"{taken:,} bytes of memory for {size:,} of a file"
        assert sentence is None or 0 < len(sentence) < LONGEST, f"{len(sentence or '')} characters of a sentence"
        return sentence


def peak_memory() -> Callable[[], int]:
    """Returns a function that returns the most bytes that this process has taken since, beyond what it has now.

    The system counts them: whatever library takes them, and only once they are written to.
    """
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    return lambda: _status("VmHWM") - before


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


@contextmanager
def limited_time() -> Iterator[None]:
    """Raises AssertionError after too many seconds."""
    limits = {signal.SIGPROF: (signal.ITIMER_PROF, SECONDS), signal.SIGALRM: (signal.ITIMER_REAL, WAITED)}
    before = {number: signal.signal(number, _too_long) for number in limits}
    try:
        for timer, seconds in limits.values():
            signal.setitimer(timer, seconds)
        yield
    finally:
        for number, (timer, _) in limits.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def _too_long(number: int, _: Any) -> NoReturn:
    raise AssertionError(f"more than {SECONDS if number == signal.SIGPROF else WAITED} seconds")
