"""The work that all engines do alike: one network, from the same weights, on the same batches of MNIST."""

from dataclasses import dataclass

import numpy as np

from core import new_weights
from training.data import Sampler, Split, load_dataset

from .devices import Device


@dataclass(frozen=True)
class Workload:
    """The notebook's first experiment: 784-256-256-10, Adam as TensorFlow 1 computes it, batches of 100.

    hidden, batch_size, learning_rate, seed: as in `rawstep train`.
    device: where the engines compute.
    tf32:   whether a GPU may multiply float32 matrices in TF32, with 10 bits of mantissa instead of 23. TensorFlow and
            JAX do so unless they are told not to, PyTorch does not; so records state both.
    """

    hidden: tuple[int, ...] = (256, 256)
    batch_size: int = 100
    learning_rate: float = 0.001
    seed: int = 0
    device: Device = "cpu"
    tf32: bool = False

    def examples(self) -> Split:
        """The training images, uint8 [55,000, 784], and their labels."""
        return load_dataset().train

    def first_weights(self) -> dict[str, np.ndarray]:
        """float32, N(0,1), by their names in `core.new_weights`."""
        dataset = load_dataset()
        layers = [dataset.train.images.shape[1], *self.hidden, dataset.classes]
        return {name: weight.numpy() for name, weight in new_weights(layers, "normal", self.seed).items()}

    def sampler(self) -> Sampler:
        """Example numbers, int32 [steps, batch_size], from one shuffled epoch after another."""
        return Sampler(len(self.examples().images), self.batch_size, self.seed)
