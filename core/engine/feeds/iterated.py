"""Batches of a tf.data pipeline or a generator."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from ...errors import InputError
from .prepared import Examples, Place, Prepared, joined


class Iterated(Prepared):
    """The batches of a tf.data.Dataset or of a generator, one pass after another.

        Iterated(lambda: tf.data.Dataset.from_tensor_slices(examples).shuffle(10_000, seed=0).batch(100, True))

    begin: a function that returns a Dataset, or an iterable, of batches: tuples of arrays whose first axis is examples,
           all of the same shapes and dtypes. A Dataset is repeated, so that it outlives an epoch; any other begins
           anew when it ends. The function is called once more where the feed goes back, and then the batches up to the
           place are skipped: they must be the same whenever it is called.
    steps_per_epoch: how many batches count as an epoch, where that is known.

    Of several workers (`part`) each reads all batches, and keeps its own shares alone.

    Raises InputError for what returns no batches; `take` raises it for batches that differ in shape or dtype, and for
    a begin that returns others than before.
    """

    def __init__(self, begin: Callable[[], Any], steps_per_epoch: int | None = None):
        self._begin, self._steps_per_epoch = begin, steps_per_epoch
        self._iterator, self._next, self._pulled = self._passes(), 0, deque[Examples]()
        first = self._pull()
        self._kind, self._first = _kind(first), _digest(first)
        self._pulled.append(first)
        super().__init__(len(first[0]))
        self._place = {"steps": 0, "first": self._first}

    @property
    def steps_per_epoch(self) -> int:
        return self._steps_per_epoch or super().steps_per_epoch

    def _examples(self, place: Place, count: int) -> tuple[Examples, Place]:
        steps = count // self.batch_size
        self._go_to(place)
        while len(self._pulled) < steps:
            self._pulled.append(self._checked(self._pull()))
        # They stay until the call after this one, which may begin at the same place with other steps.
        batches = [*islice(self._pulled, steps)]
        mine = self._mine(0, self.batch_size)
        whole = self._share == (0, 1)
        parts = batches if whole else [tuple(array[mine] for array in batch) for batch in batches]
        return joined(parts), place | {"steps": place["steps"] + steps}

    def _go_to(self, place: Place) -> None:
        """Lets the batches go that lie before a place; begins anew for one that lies before those which are held."""
        if place["first"] != self._first:
            raise InputError("The feed's first batch differs from that of the feed whose place it is to go on from.")
        if place["steps"] < self._next:
            self._iterator, self._next, self._pulled = self._passes(), 0, deque()
            first = self._pull()
            if _digest(first) != self._first:
                raise InputError(
                    "The feed's batches differ when it begins anew, so that it cannot go back to a place: `begin` must "
                    "make its Dataset or generator afresh, from a seed of its own."
                )
            self._pulled.append(first)
        while self._next < place["steps"]:
            if self._pulled:
                self._pulled.popleft()
            else:
                self._pull()
            self._next += 1

    def _pull(self) -> Examples:
        try:
            return next(self._iterator)
        except InputError:
            raise
        except tf.errors.OpError as error:
            raise InputError(f"The feed's Dataset failed: {str(error).partition(chr(10))[0]}") from error

    def _passes(self) -> Iterator[Examples]:
        while True:
            found: Any = self._begin()
            batches: Iterable[Any] = found.repeat().as_numpy_iterator() if isinstance(found, tf.data.Dataset) else found
            batch = None
            for batch in batches:
                yield _arrays(batch)
            if batch is None:
                raise InputError(f"A feed must return at least one batch, found none in {type(found).__name__}.")

    def _checked(self, batch: Examples) -> Examples:
        if _kind(batch) != self._kind:
            raise InputError(
                f"All batches of a feed must be {_words(self._kind)} like the first, found {_words(_kind(batch))}; a "
                "Dataset leaves the rest out with batch(size, drop_remainder=True)."
            )
        return batch


def _arrays(batch: Any) -> Examples:
    arrays = tuple(np.asarray(array) for array in (batch if isinstance(batch, tuple | list) else (batch,)))
    lengths = [len(array) if array.ndim else 0 for array in arrays]
    if not lengths or lengths[0] == 0 or len({*lengths}) > 1 or any(array.dtype.kind in "OSU" for array in arrays):
        raise InputError(
            "A batch must be a tuple of arrays of numbers with as many examples each, at least one, found "
            f"{_words(_kind(arrays))}."
        )
    return arrays


def _kind(batch: Examples) -> list[tuple[str, tuple[int, ...]]]:
    return [(array.dtype.name, array.shape) for array in batch]


def _words(kind: list[tuple[str, tuple[int, ...]]]) -> str:
    return ", ".join(f"{dtype} {[*shape]}" for dtype, shape in kind) or "nothing"


def _digest(batch: Examples) -> str:
    digest = hashlib.sha256()
    for array in batch:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
