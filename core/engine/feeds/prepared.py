"""What is read is prepared for the next call while the device computes this one."""

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from ...errors import InputError
from .feed import Batches, Feed

Place = dict[str, Any]
"""A place in the sequence of examples, as JSON can hold it."""
Examples = tuple[np.ndarray, ...]


class Prepared(Feed):
    """A feed whose next call is read in a thread, so that the device does not wait for it.

    What a subclass reads depends on the place alone, so whatever was prepared for other steps than those that are taken
    is only dropped.
    """

    _place: Place
    _share: tuple[int, int] = (0, 1)

    def __init__(self, batch_size: int):
        self.batch_size = batch_size
        self._ahead: _Ahead | None = None
        self._thread = ThreadPoolExecutor(1, "rawstep-feed")

    @abstractmethod
    def _examples(self, place: Place, count: int) -> tuple[Examples, Place]:
        """The next examples from a place on, those of this worker alone, and the place after them all."""

    def take(self, steps: int, then: int | None = None) -> Batches:
        self.prepare(steps)
        ahead, self._ahead = self._ahead, None
        assert ahead is not None, "it is prepared"
        data, self._place = ahead.found.result()
        self.prepare(then or steps)
        return Batches(data, self._numbers(steps))

    def prepare(self, steps: int) -> None:
        if self._ahead is None or (self._ahead.place, self._ahead.steps) != (self._place, steps):
            self._drop()
            self._ahead = _Ahead(self._place, steps, self._thread.submit(self._read, self._place, steps))

    @property
    def state(self) -> dict[str, Any]:
        return self._place

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._drop()
        self._place = dict(state)

    def part(self, number: int, of: int) -> Self:
        if self.batch_size % of:
            raise InputError(f"A batch of {self.batch_size} examples cannot be divided equally among {of} workers.")
        self._drop()
        self._share = number, of
        return self

    def _mine(self, start: int, count: int) -> np.ndarray:
        """Which of `count` examples this worker computes on, the first being number `start` of its call."""
        number, of = self._share
        return (np.arange(start, start + count) % self.batch_size) * of // self.batch_size == number

    def _numbers(self, steps: int) -> np.ndarray:
        number, of = self._share
        own = self.batch_size // of
        numbers = np.zeros([steps, self.batch_size], np.int32)
        numbers[:, number * own : (number + 1) * own] = np.arange(steps * own).reshape(steps, own)
        return numbers

    def _read(self, place: Place, steps: int) -> tuple[tuple[tf.Tensor, ...], Place]:
        examples, after = self._examples(place, steps * self.batch_size)
        # Copied: TensorFlow's kernels need memory aligned otherwise than NumPy's, and end the process if it is shared.
        return tuple(tf.constant(array) for array in examples), after

    def _drop(self) -> None:
        """Whatever was prepared; what it raised is raised again where it is taken."""
        if self._ahead is not None:
            self._ahead.found.exception()
            self._ahead = None


class _Ahead(NamedTuple):
    """What is prepared: from where, for how many steps, and what comes of it."""

    place: Place
    steps: int
    found: "Future[tuple[tuple[tf.Tensor, ...], Place]]"


def joined(parts: Sequence[Examples]) -> Examples:
    """Examples one after another."""
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
