"""Training a perceptron on labelled images: one epoch after another, with its costs, accuracies and rates."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core import Optimizer, Program, accuracy, logits, new_weights, softmax_cross_entropy
from core.network import Weights

from .data import Dataset, Sampler, Split
from .rule_choice import choose_rule
from .settings import Settings
from .stopwatch import Stopwatch

STEPS_PER_CALL = 128
"""At most so many steps run in one call: enough to make the call's own cost vanish, few enough to stop at soon."""


class Epoch(NamedTuple):
    """One epoch: the mean of its batches' costs, each taken before its step, and the accuracy after the last."""

    cost: float
    validation_accuracy: float


def unit_pixels(images: tf.Tensor) -> tf.Tensor:
    """Grey levels 0 to 255 (uint8) as float32 from 0 to 1, by the notebook's product with 1/255."""
    return tf.cast(images, tf.float32) * np.float32(1 / 255)


def image_cost(weights: Weights, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The mean softmax cross-entropy of a batch of uint8 images and class numbers."""
    return softmax_cross_entropy(logits(weights, unit_pixels(images)), labels)


def call_lengths(steps: int, most: int = STEPS_PER_CALL) -> list[int]:
    """An epoch of `steps` steps as calls of at most `most`, of one length where that is possible.

    Every length is compiled apart. So the first number of calls is taken that divides the steps, leaves calls of 8
    steps or more and is at least two, for a time without compilation; failing that, three or more calls, of which
    the last is shorter.
    """
    fewest = -(-steps // most)
    divisors = (calls for calls in range(max(2, fewest), steps // 8 + 1) if steps % calls == 0)
    calls = next(divisors, min(steps, max(3, fewest)))
    length = -(-steps // calls)
    return [min(length, steps - start) for start in range(0, steps, length)]


class Trainer:
    """A perceptron, its optimizer and its data, trained an epoch at a time.

    history:   the epochs so far.
    stopwatch: compile seconds and steady rate of the training calls, drawing the batches included.

    Raises InputError for a rule, dialect, learning rate, batch size, layer, initialisation or execution that
    cannot be.
    """

    def __init__(self, settings: Settings, dataset: Dataset):
        self.settings = settings
        self.dataset = dataset
        self.rule = choose_rule(settings.rule, settings.dialect, settings.learning_rate)
        self.sampler = Sampler(len(dataset.train.images), settings.batch_size, settings.seed)
        layers = [dataset.train.images.shape[1], *settings.hidden, dataset.classes]
        self.weights = new_weights(layers, settings.init, settings.seed)
        self.optimizer = Optimizer(self.rule, self.weights)
        self.program = Program(image_cost, self.weights, self.optimizer, settings.execution)
        self.stopwatch = Stopwatch()
        self.history: list[Epoch] = []
        self._train_data = tuple(tf.constant(array) for array in dataset.train)
        self._accuracy = tf.function(
            lambda images, labels: accuracy(logits(self.weights, unit_pixels(images)), labels), autograph=False
        )

    def epochs(self, after_call: Callable[[int, float], None] = lambda steps, cost: None) -> Iterator[Epoch]:
        """Trains the epochs that are left, yielding each; `after_call(steps, mean cost)` hears of every call."""
        while len(self.history) < self.settings.epochs:
            costs = np.concatenate(
                [self._call(steps, after_call) for steps in call_lengths(self.sampler.steps_per_epoch)]
            )
            self.history.append(Epoch(float(costs.mean()), self.accuracy(self.dataset.validation)))
            yield self.history[-1]

    def accuracy(self, split: Split) -> float:
        """The share of a split's images that the network now names rightly."""
        return float(self._accuracy(*split))

    def _call(self, steps: int, after_call: Callable[[int, float], None]) -> np.ndarray:
        start = time.perf_counter()
        costs = self.program.run(self._train_data, self.sampler.take(steps)).numpy()
        self.stopwatch.record(steps, time.perf_counter() - start)
        after_call(steps, costs.mean())
        return costs
