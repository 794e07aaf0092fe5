"""Data that a small network learns in no time: 4 × 4 images of three classes, told by which row is bright."""

import numpy as np

from training.runs.settings import Settings
from training.runs.trainer import Trainer
from training.workloads.data import Split
from training.workloads.workload import Data

SETTINGS = Settings(
    learning_rate=0.01, batch_size=7, epochs=3, workload_options={"hidden": ("8",), "init": ("he",)}
)  # fmt: skip
"""32 steps an epoch, in two calls, and a remainder of 6 images that the next epoch takes over."""


def striped_images(size: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, size).astype(np.uint8)
    images = random.integers(0, 100, (size, 4, 4)).astype(np.uint8)
    images[np.arange(size), labels] += 150
    return Split(images.reshape(size, 16), labels)


def striped_data(seed: int = 0) -> Data:
    sizes = (230, 50, 50)
    return Data(*(striped_images(size, seed + split) for split, size in enumerate(sizes)), chosen="first")


def trained(settings, calls=None):
    """A trainer after this many calls, or after all."""
    trainer = Trainer(settings, striped_data())
    for number, _ in enumerate(trainer.train(), start=1):
        if number == calls:
            break
    return trainer
