"""Training a perceptron on labelled images: one epoch after another, with its costs, accuracies and rates."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core import Guard, InputError, NonFiniteError, Optimizer, Program, Recorder, new_weights

from ..workloads.data import Dataset, Sampler, fingerprint
from ..workloads.images import evaluator, image_cost
from .building import check_masks, is_ours
from .distribution.distribution import Distribution
from .settings import Settings
from .stopwatch import Stopwatch

STEPS_PER_CALL = 128
"""The most steps in one call: enough to make the call's own cost vanish, few enough to stop at soon."""


class Epoch(NamedTuple):
    """One epoch: the mean of its batches' costs, each taken before its step, and the accuracy after the last."""

    cost: float
    validation_accuracy: float


class Call(NamedTuple):
    """One call of the training program: its steps, the mean of their costs, and the epoch, where it ended one."""

    steps: int
    cost: float
    epoch: Epoch | None


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
    """A perceptron, its optimizer and its data, trained a call at a time.

    history:   the epochs so far.
    costs:     of the steps so far in the epoch that has begun; as many as the position in it.
    evaluate:  cost and accuracy of the weights that the rule serves, as they then are, on a split.
    stopwatch: compile seconds and steady rate of the training calls, drawing the batches included.
    guard:     what looks for numbers that are not finite, and has found the first where the run continues after it.
    recorder:  the flight recorder that `record` makes of the optimizer; None where there is no `record`.
    distribution: where it computes; its replicas are connected. One device, unless given.

    Raises InputError for a rule, dialect, learning rate, batch size, layer, initialisation or execution that
    cannot be, and what `record` raises.
    """

    def __init__(
        self,
        settings: Settings,
        dataset: Dataset,
        record: Callable[[Optimizer], Recorder] | None = None,
        distribution: Distribution | None = None,
    ):
        self.distribution = distribution or Distribution()
        self.settings = settings = settings.settled()
        self.dataset = dataset
        self.rule = settings.make_rule()
        self.sampler = _sampler(settings, len(dataset.train.images))
        layers = [dataset.train.images.shape[1], *settings.hidden, dataset.classes]
        with self.distribution.scope():
            self.weights = new_weights(layers, settings.init, settings.seed)
            check_masks(settings, self.weights)
            self.optimizer = Optimizer(self.rule, self.weights)
            self.recorder = None if record is None else record(self.optimizer)
            self.program = Program(
                image_cost,
                self.weights,
                self.optimizer,
                settings.execution,
                recorder=self.recorder,
                microbatches=settings.parts,
            )
        self.program.check_batch_size(settings.examples)
        if not is_ours(self.rule):  # whose mistakes end the run before any file or folder is made
            self.program.check()
        self.guard = Guard(self.program, settings.on_nonfinite)
        served = self.optimizer.served if self.rule.serves else None
        self.evaluate = evaluator(self.weights, self.distribution, served)
        self.stopwatch = Stopwatch()
        self.history: list[Epoch] = []
        self.costs: list[float] = []
        self._held = self.sampler.state, self.costs, self.history
        self._train_data = tuple(tf.constant(array) for array in dataset.train)

    @cached_property
    def fingerprint(self) -> dict[str, int | str]:
        """What identifies the data; see `data.fingerprint`."""
        return fingerprint(self.dataset)

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return int(self.optimizer.step.numpy())

    @property
    def best_epoch(self) -> int:
        """The number of the first epoch with the best validation accuracy; 0 before there is one."""
        accuracies = [epoch.validation_accuracy for epoch in self.history]
        return accuracies.index(max(accuracies)) + 1 if accuracies else 0

    @property
    def best_step(self) -> int:
        """The number of steps taken at the end of that epoch."""
        since = len(self.history) - self.best_epoch
        return self.step - len(self.costs) - since * self.sampler.steps_per_epoch

    @property
    def out_of_patience(self) -> bool:
        """Whether as many epochs as `patience` allows have brought no better validation accuracy."""
        patience = self.settings.patience
        return patience is not None and len(self.history) - self.best_epoch >= patience

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or as many as `patience` allows."""
        return len(self.history) >= self.settings.epochs or self.out_of_patience

    def train(self) -> Iterator[Call]:
        """Trains what is left of the epochs, yielding after each call; there a run can be saved, or left for good.

        Raises NonFiniteError at the first step that is not finite, unless the run is to continue; the trainer is then
        as it was at its last `look`.
        """
        self.look()
        steps_per_epoch = self.sampler.steps_per_epoch
        longest = call_lengths(steps_per_epoch)[0]
        while not self.finished:
            steps, epoch = min(longest, steps_per_epoch - len(self.costs)), None
            costs = self._call(steps)
            self.costs += costs.tolist()
            if len(self.costs) == steps_per_epoch:
                epoch = Epoch(float(np.mean(self.costs)), self.evaluate(self.dataset.validation).accuracy)
                self.history.append(epoch)
                self.costs = []
                self.look()
            yield Call(steps, float(costs.mean()), epoch)

    def look(self) -> None:
        """Looks for what is not finite in the state, and holds it as what to go back to.

        Raises NonFiniteError as `train` does.
        """
        with self._going_back():
            self.guard.look()
        self._held = self.sampler.state, [*self.costs], [*self.history]

    def _call(self, steps: int) -> np.ndarray:
        start = time.perf_counter()
        with self._going_back():
            costs = self.guard.run(self._train_data, self.sampler.take(steps))
        self.stopwatch.record(steps, time.perf_counter() - start)
        return costs

    @contextmanager
    def _going_back(self) -> Iterator[None]:
        try:
            yield
        except NonFiniteError:
            self.sampler.state, self.costs, self.history = self._held
            raise


def _sampler(settings: Settings, images: int) -> Sampler:
    if settings.accumulate is not None and settings.examples > images:
        raise InputError(
            f"--accumulate {settings.accumulate} in batches of {settings.batch_size} takes {settings.examples:,} "
            f"images a step; there are {images:,}."
        )
    return Sampler(images, settings.examples, settings.seed)
