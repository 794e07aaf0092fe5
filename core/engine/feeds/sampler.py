"""Batches of examples, reshuffled every epoch."""

from typing import Any

import numpy as np

from core.errors import InputError
from core.seeds import generator


class Sampler:
    """An endless sequence of batches of `batch_size` example numbers from 0 to size − 1.

    One permutation of all examples follows another, and batches are cut from that sequence without gaps: where a
    permutation does not divide evenly, a batch takes the rest of one and the beginning of the next, as TensorFlow
    1's `DataSet.next_batch` does. Every example is seen once before any is seen twice.

    Permutations come from the generator "sampler" of `seed`, which nothing else draws from.

    Raises InputError for a batch that is empty or larger than the data.
    """

    def __init__(self, size: int, batch_size: int, seed: int = 0):
        if not 1 <= batch_size <= size:
            raise InputError(f"The batch size must be between 1 and the {size} examples there are, found {batch_size}.")
        self.size = size
        self.batch_size = batch_size
        self._random = generator(seed, "sampler")
        self._shuffle()

    @property
    def steps_per_epoch(self) -> int:
        """The number of whole batches in the data."""
        return self.size // self.batch_size

    def take(self, steps: int) -> np.ndarray:
        """The next batches, int32 [steps, batch_size]."""
        parts, missing = [], steps * self.batch_size
        while missing > 0:
            if self._position == self.size:
                self._shuffle()
            part = self._permutation[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        return np.concatenate([np.empty(0, np.int32), *parts]).reshape(steps, self.batch_size)

    @property
    def state(self) -> dict[str, Any]:
        """Where the sequence stands, as JSON can hold it: what the generator was before it drew the permutation that
        is being dealt out, and how many examples of that are gone. Setting it to a sampler of the same size and batch
        size makes it go on from there.
        """
        return {"generator": self._before, "position": self._position}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._random.bit_generator.state = state["generator"]
        self._shuffle()
        self._position = state["position"]

    def _shuffle(self) -> None:
        self._before = self._random.bit_generator.state
        self._permutation = self._random.permutation(self.size).astype(np.int32)
        self._position = 0
