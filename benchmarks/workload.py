"""The work that all engines do alike: one network, from the same weights, on the same batches of MNIST."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from core import new_weights
from training.workloads.data import Sampler, Split, load_dataset
from training.workloads.work import flop, update_bytes

from .devices import Device

SAMPLE_FLOP, FEWEST_STEPS, MOST_STEPS = 7e10, 10, 2_000
"""A sample is an epoch of the notebook's; of larger networks fewer steps, so that it takes about a second as well, and
of small batches no more than the intervals need."""


class Work(Protocol):
    """What engines are compared at.

    device, tf32:            as in `Workload`.
    steps:                   of one sample.
    ceilings:                what the machine's own rates are taken from; none where they would not be those of a step.
    bytes_a_step:            what the optimizer's update moves at least.
    first_steps_may_differ,
    warm_up_may_differ:      relative differences of the mean cost, of ten steps and of the sample after them.
    """

    @property
    def seed(self) -> int: ...
    @property
    def device(self) -> Device: ...
    @property
    def tf32(self) -> bool: ...
    @property
    def steps(self) -> int: ...
    @property
    def ceilings(self) -> Sequence[str]: ...
    @property
    def bytes_a_step(self) -> int: ...
    @property
    def first_steps_may_differ(self) -> float: ...
    @property
    def warm_up_may_differ(self) -> float: ...
    def sampler(self) -> Any:
        """Its `take(steps)` returns what an engine's `prepare` takes."""
        ...

    def shapes(self) -> Sequence[int]:
        """Parameters of each tensor."""
        ...


@dataclass(frozen=True)
class Workload:
    """The notebook's first experiment: 784-256-256-10, Adam as TensorFlow 1 computes it, batches of 100.

    hidden, batch_size, learning_rate, init, seed: as in `rawstep train`.
    device: where the engines compute.
    tf32:   whether a GPU may multiply float32 matrices in TF32, with 10 bits of mantissa instead of 23. TensorFlow and
            JAX do so by default, PyTorch does not; so records state both.
    """

    hidden: tuple[int, ...] = (256, 256)
    batch_size: int = 100
    learning_rate: float = 0.001
    seed: int = 0
    init: str = "normal"
    device: Device = "cpu"
    tf32: bool = False

    @property
    def first_steps_may_differ(self) -> float:
        """float32 rounds each engine's products and means apart by 1e-6 or less; a learning rate 1 % off, the smallest
        of planted errors, by more than 1e-5. TF32 rounds products by 5e-4."""
        return 5e-3 if self.tf32 else 1e-5

    @property
    def warm_up_may_differ(self) -> float:
        """From N(0,1) the rounding errors of 550 steps grow to less than 1 %."""
        return 0.05 if self.tf32 else 0.01

    def examples(self) -> Split:
        """The training images, uint8 [55,000, 784], and their labels."""
        return load_dataset().train

    def layers(self) -> list[int]:
        """From the pixels to the classes: [784, 256, 256, 10]."""
        dataset = load_dataset()
        return [dataset.train.images.shape[1], *self.hidden, dataset.classes]

    def shapes(self) -> list[int]:
        """Parameters of each tensor."""
        return [size for inputs, units in pairwise(self.layers()) for size in (inputs * units, units)]

    @property
    def ceilings(self) -> Sequence[str]:
        """The names in `engines.CEILINGS`; none on a GPU, whose rates NumPy's products do not show."""
        return (
            ("products by NumPy", "products by TensorFlow", "products by XLA", "stream") if self.device == "cpu" else ()
        )

    @property
    def bytes_a_step(self) -> int:
        """What Adam's update moves at least."""
        return sum(self.shapes()) * update_bytes(slots=2)

    @property
    def steps(self) -> int:
        """Steps of one sample."""
        affordable = int(SAMPLE_FLOP / sum(flop(self.layers(), self.batch_size)))
        return min(self.sampler().steps_per_epoch, max(affordable, FEWEST_STEPS), MOST_STEPS)

    def first_weights(self) -> dict[str, np.ndarray]:
        """float32, by their names in `core.new_weights`."""
        return {name: weight.numpy() for name, weight in new_weights(self.layers(), self.init, self.seed).items()}

    def sampler(self) -> Sampler:
        """Example numbers, int32 [steps, batch_size], from one shuffled epoch after another."""
        return Sampler(len(self.examples().images), self.batch_size, self.seed)
