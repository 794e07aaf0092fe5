"""The contract between a program and what feeds it."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from ...errors import InputError


class Batches(NamedTuple):
    """The batches of a call, as `Program.run` takes them.

    data:    tensors whose first axis is examples: all there are, or only those of the call.
    numbers: int32 [steps, batch size], the examples of each step among them.
    """

    data: tuple[tf.Tensor, ...]
    numbers: np.ndarray


class Feed(ABC):
    """An endless sequence of batches of one size, whose place can be kept and gone back to.

        program.run(feed, steps)

    batch_size: the examples of a step.
    """

    batch_size: int

    @abstractmethod
    def take(self, steps: int, then: int | None = None) -> Batches:
        """The batches of the next steps.

        then: how many steps the call after this one takes; as many, unless given. A feed that reads prepares them
              meanwhile.
        """

    def prepare(self, steps: int) -> None:  # noqa: B027 - resident data are there
        """Begins to read the batches of the next steps, before they are taken; they come from the same place then."""

    @property
    @abstractmethod
    def state(self) -> dict[str, Any]:
        """The place in the sequence, as JSON can hold it. Set in a feed of the same data, batch size and kind, that
        goes on from there to the same batches."""

    @state.setter
    @abstractmethod
    def state(self, state: dict[str, Any]) -> None: ...

    @property
    def steps_per_epoch(self) -> int:
        """The number of whole batches in the data. Raises InputError for a feed that does not know it."""
        raise InputError(f"{type(self).__name__} does not know how many batches an epoch has.")

    def part(self, number: int, of: int) -> Self:
        """The same feed for worker `number` of `of`, which computes on consecutive shares of each batch.

        All workers take the same steps, and each is to be cut from the whole feed before anything is taken. Its
        `numbers` name the worker's own examples alone; in the places of the others' stands 0.

        Raises InputError for batches that the workers cannot share equally.
        """
        return self
