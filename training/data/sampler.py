"""Batches of examples, shuffled anew every epoch."""

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
            raise InputError(
                f"The batch size must lie between 1 and the {size} examples there are, found {batch_size}."
            )
        self.size = size
        self.batch_size = batch_size
        self._random = generator(seed, "sampler")
        self._rest = np.empty(0, np.int32)

    @property
    def steps_per_epoch(self) -> int:
        """The number of whole batches in the data."""
        return self.size // self.batch_size

    def take(self, steps: int) -> np.ndarray:
        """The next batches, int32 [steps, batch_size]."""
        parts, missing = [self._rest], steps * self.batch_size - len(self._rest)
        while missing > 0:
            parts.append(self._random.permutation(self.size).astype(np.int32))
            missing -= self.size
        examples = np.concatenate(parts)
        taken, self._rest = np.split(examples, [steps * self.batch_size])
        return taken.reshape(steps, self.batch_size)
