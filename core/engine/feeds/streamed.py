"""Examples that are read piece by piece, shuffled over a window of pieces."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...errors import InputError
from ...seeds import generator
from .prepared import Examples, Place, Prepared

WINDOW = 16_384
"""Examples among which a batch is drawn, unless asked otherwise: of MNIST's images 13 MB."""
READERS = 2
"""Pieces that are read at a time. Reading and unpacking run beside Python."""


class Source(Protocol):
    """Examples in pieces, such as files, of which each is read at a time.

    sizes: the examples of each piece.
    """

    @property
    def sizes(self) -> Sequence[int]: ...

    def read(self, piece: int) -> Examples:
        """The arrays of a piece, whose first axis is its examples; in a thread of its own."""
        ...


class Pieces:
    """Arrays as a `Source`: runs of consecutive examples, read as they are needed.

    arrays: whatever has a length, a dtype and slices, such as np.load("images.npy", mmap_mode="r"). Its file must then
            stay as it is: the system ends a process that reads beyond the end of one that was cut (SIGBUS).

    Raises InputError for none, and for arrays of unequal length.
    """

    def __init__(self, arrays: Sequence[Any], examples: int = 1_024):
        lengths = [len(array) for array in arrays]
        if not lengths or lengths[0] == 0 or len({*lengths}) > 1:
            raise InputError(f"A stream needs arrays of as many examples each, at least one, found {lengths}.")
        self._arrays, self._examples, self._count = tuple(arrays), examples, lengths[0]

    @property
    def sizes(self) -> Sequence[int]:
        starts = range(0, self._count, self._examples)
        return [min(self._examples, self._count - start) for start in starts]

    def read(self, piece: int) -> Examples:
        rows = slice(piece * self._examples, (piece + 1) * self._examples)
        return tuple(np.array(array[rows]) for array in self._arrays)


class Streamed(Prepared):
    """Examples that are read as they are needed, each once an epoch, in an order that depends on the seed alone.

        Streamed((np.load("images.npy", mmap_mode="r"), labels), batch_size=100)

    Every epoch draws an order of the pieces and cuts it into windows. One window is held in memory, the one after it is
    read meanwhile, and a batch is drawn from all examples of a window. Windows follow one another without gaps, and so
    do epochs: every example is seen once before any is seen twice. The order is a function of the generator's state
    before an epoch, so that any place is gone back to at once.

    source: arrays of as many examples each, or a `Source`.
    window: about how many examples a batch is drawn from; whole pieces, and all of them where there are fewer.

    Of several workers (`part`) each reads all pieces, and copies its own shares of the batches alone.

    Raises InputError for a source without examples and a batch that is empty or larger than all of them; `take` raises
    whatever the source's `read` does.
    """

    def __init__(self, source: Source | Sequence[Any], batch_size: int, seed: int = 0, window: int = WINDOW):
        super().__init__(batch_size)
        self._source: Any = Pieces(source) if isinstance(source, list | tuple) else source
        self._sizes, self._window_examples = np.asarray(self._source.sizes), window
        self.size = int(self._sizes.sum())
        if not 1 <= batch_size <= self.size:
            raise InputError(
                f"The batch size must be between 1 and the {self.size} examples there are, found {batch_size}."
            )
        self._place = {"generator": generator(seed, "sampler").bit_generator.state, "position": 0}
        self._order = _Order(self._place["generator"], self._sizes, window)
        self._window: _Held | None = None
        self._readers = ThreadPoolExecutor(READERS, "rawstep-read")
        self._reading: dict[tuple[int, int], deque[Future[Examples]]] = {}

    @property
    def steps_per_epoch(self) -> int:
        return self.size // self.batch_size

    def _examples(self, place: Place, count: int) -> tuple[Examples, Place]:
        found, filled, taken = None, 0, 0
        before, position = place["generator"], place["position"]
        while taken < count:
            order = self._order_of(before)
            if position == self.size:
                before, position = order.after, 0
                continue
            window = order.windows[order.window_at(position)]
            arrays, rows = self._window_of(order, window)
            rows = rows[position - window.start :][: count - taken]
            own = rows[self._mine(taken, len(rows))]
            found = found or tuple(
                np.empty([count // self._share[1], *array.shape[1:]], array.dtype) for array in arrays
            )
            for whole, array in zip(found, arrays, strict=True):
                np.take(array, own, axis=0, out=whole[filled : filled + len(own)], mode="clip")  # else it would buffer
            filled, taken, position = filled + len(own), taken + len(rows), position + len(rows)
        assert found is not None, "a call has at least one step"
        return found, {"generator": before, "position": position}

    def _window_of(self, order: "_Order", window: "_Window") -> tuple[Examples, np.ndarray]:
        """A window's examples, and their order in the batches. The pieces of the window after it are begun."""
        key = window.seed, window.number
        if self._window is None or self._window.key != key:
            room, self._window = self._window and self._window.arrays, None
            reading = self._reading.pop(key, None) or self._begun_reading(window)
            arrays = _joined(reading, int(window.ends[-1]), room)
            following, *_ = order.windows[window.number + 1 :] or self._order_from(order.after).windows
            following_key = following.seed, following.number
            self._reading = {following_key: self._reading.get(following_key) or self._begun_reading(following)}
            self._window = _Held(key, arrays, window.rows())
        return self._window.arrays, self._window.rows

    def _begun_reading(self, window: "_Window") -> deque["Future[Examples]"]:
        return deque(self._readers.submit(self._source.read, int(piece)) for piece in window.pieces)

    def _order_of(self, before: Place) -> "_Order":
        if self._order.before != before:
            self._order = self._order_from(before)
        return self._order

    def _order_from(self, before: Place) -> "_Order":
        return _Order(before, self._sizes, self._window_examples)


class _Held(NamedTuple):
    """The examples of a window in memory, and the order in which batches take them."""

    key: tuple[int, int]
    arrays: Examples
    rows: np.ndarray


def _joined(reading: deque["Future[Examples]"], count: int, room: Examples | None) -> Examples:
    """The examples of pieces, one piece after another; each is let go as soon as it is copied.

    room: arrays of an earlier window, which they replace where they fit: fresh memory costs as much as a copy.
    """
    found, filled = room if room is not None and len(room[0]) >= count else None, 0
    while reading:
        piece = reading.popleft().result()
        found = found or tuple(np.empty([count, *array.shape[1:]], array.dtype) for array in piece)
        for whole, array in zip(found, piece, strict=True):
            whole[filled : filled + len(array)] = array
        filled += len(piece[0])
    assert found is not None, "a window has at least one piece"
    return found


class _Window(NamedTuple):
    """Pieces whose examples are shuffled together.

    seed, number: of the epoch, and among its windows; start: the place in the epoch of its first example; ends: where
    each of its pieces ends, counted from its own first example.
    """

    seed: int
    number: int
    start: int
    pieces: np.ndarray
    ends: np.ndarray

    def rows(self) -> np.ndarray:
        """Its examples in the order of the batches."""
        return np.random.default_rng([self.seed, self.number]).permutation(int(self.ends[-1]))


class _Order:
    """An epoch's windows, as the generator's state before it decides them; and the state after it."""

    def __init__(self, before: Place, sizes: np.ndarray, window: int):
        self.before = before
        random = np.random.default_rng()
        random.bit_generator.state = before
        pieces = random.permutation(len(sizes))
        seed = int(random.integers(2**63))
        self.after = random.bit_generator.state
        ends = np.cumsum(sizes[pieces])
        count = max(1, int(ends[-1]) // window)
        cuts = np.unique(np.searchsorted(ends, ends[-1] * np.arange(1, count) / count)) + 1
        self.windows: list[_Window] = []
        for own in np.split(pieces, cuts[cuts < len(pieces)]):
            start = self.windows[-1].start + int(self.windows[-1].ends[-1]) if self.windows else 0
            self.windows.append(_Window(seed, len(self.windows), start, own, np.cumsum(sizes[own])))
        self._starts = [window.start for window in self.windows]

    def window_at(self, position: int) -> int:
        """The number of the window that the example at a place of the epoch is in."""
        return int(np.searchsorted(self._starts, position, side="right")) - 1
