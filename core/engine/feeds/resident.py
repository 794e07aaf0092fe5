"""Data that stay on the device, of which the numbers alone are sent."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from .feed import Batches, Feed
from .sampler import Sampler


class Resident(Feed):
    """Examples that are all on the device, reshuffled every epoch; see `Sampler`.

        Resident((images, labels), batch_size=100)

    data: arrays or tensors whose first axis is examples. Every worker has all of them.

    Raises InputError for arrays of unequal length, and a batch that is empty or larger than the data.
    """

    def __init__(self, data: Sequence[Any], batch_size: int, seed: int = 0):
        self.data = tuple(tf.convert_to_tensor(array) for array in data)
        self.batch_size = batch_size
        self._sampler = Sampler(len(self.data[0]), batch_size, seed)

    @property
    def steps_per_epoch(self) -> int:
        return self._sampler.steps_per_epoch

    def take(self, steps: int, then: int | None = None) -> Batches:
        return Batches(self.data, self._sampler.take(steps))

    @property
    def state(self) -> dict[str, Any]:
        """See `Sampler.state`."""
        return self._sampler.state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._sampler.state = state
