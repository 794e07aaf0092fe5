"""Who hears how far a long reading of files is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

One = TypeVar("One")
_HEARD: ContextVar[Callable[[int, int], object]] = ContextVar("heard", default=lambda done, of: None)


def each(files: Sequence[One]) -> Iterator[One]:
    """Each in turn, before which it is said how many of how many are done."""
    for done, file in enumerate(files):
        _HEARD.get()(done, len(files))
        yield file


@contextmanager
def heard_by(listener: Callable[[int, int], object]) -> Iterator[None]:
    """Meanwhile, this is called with how many of how many files are read."""
    token = _HEARD.set(listener)
    try:
        yield
    finally:
        _HEARD.reset(token)
