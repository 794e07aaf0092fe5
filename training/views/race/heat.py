"""All runs of one rule on one landscape, advancing together in one compiled program."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core import Guard, Optimizer, Program

from .contestants import Contestant
from .landscapes import Landscape


class Runs(NamedTuple):
    """Where runs went, step 0 being their starts, in float64.

    x:    [steps + 1, rates, starts, 2].
    cost: [steps + 1, rates, starts], without noise; not finite where a run has left the numbers.
    """

    x: np.ndarray
    cost: np.ndarray


class Heat:
    """One rule from several starts at several learning rates at once: the variable has a leading axis of runs.

    The cost that is differentiated is the sum over runs, so that each run has its own gradient, and one that ends in
    NaN leaves the others as they are. Rates and the amount of a piece are variables: others run in the same compiled
    program.

    starts: [starts, 2]. rates: how many at once. noise: [steps, 2], added to every run's gradient, a row a step.

    Raises InputError for a rule that the optimizer refuses.
    """

    def __init__(self, landscape: Landscape, contestant: Contestant, starts: np.ndarray, rates: int, noise: np.ndarray):
        self._landscape, self._noise = landscape, tf.constant(noise, tf.float64)
        self._shape = (rates, *starts.shape)
        self._starts = np.broadcast_to(starts, self._shape)
        self._rates = tf.Variable(tf.ones([rates * len(starts), 1], tf.float64), trainable=False)
        self._x = tf.Variable(tf.constant(self._starts.reshape(-1, 2), tf.float64))
        variables = {"x": self._x}
        self._amount = tf.Variable(tf.ones([], tf.float64), trainable=False)
        self._optimizer = Optimizer(contestant(self._rates, self._amount), variables)
        self._slots = {name: slot.numpy() for name, slot in self._optimizer.slots["x"].items()}
        self._program = Program(self._cost, variables, self._optimizer, "xla-loop", self._observe)

    def run(self, rates: np.ndarray, amount: float | None = None) -> Runs:
        """Every start at each of these learning rates [rates] and at this amount of the piece that is tuned, if one is,
        from the beginning."""
        self._begin(rates, amount)
        observed = self._program.run([self._noise], np.arange(len(self._noise))[:, np.newaxis])
        x, cost = (array.numpy().reshape(-1, *self._shape[: array.shape.rank]) for array in observed)
        first = self._landscape.costs(self._starts)
        return Runs(np.concatenate([self._starts[np.newaxis], x]), np.concatenate([first[np.newaxis], cost]))

    def watch(self, rate: float, amount: float | None = None) -> None:
        """Takes the steps at one learning rate and amount, which every run has, under a guard.

        Raises NonFiniteError at the first step at which a run leaves the finite numbers.
        """
        self._begin(np.full(self._shape[0], rate), amount)
        guard = Guard(Program(self._cost, {"x": self._x}, self._optimizer))
        guard.run([self._noise], np.arange(len(self._noise))[:, np.newaxis])
        guard.look()

    def _begin(self, rates: np.ndarray, amount: float | None) -> None:
        if amount is not None:
            self._amount.assign(amount)
        self._x.assign(self._starts.reshape(-1, 2))
        self._rates.assign(np.repeat(rates, self._shape[1])[:, np.newaxis])
        self._optimizer.step.assign(0)
        for name, slot in self._optimizer.slots["x"].items():
            slot.assign(self._slots[name])

    def _cost(self, variables, noise: tf.Tensor) -> tf.Tensor:
        """noise: [1, 2], of this step; the gradient of its product with x is itself."""
        x = variables["x"]
        return tf.reduce_sum(self._landscape.cost(x)) + tf.reduce_sum(noise * x)

    def _observe(self, *_) -> tuple[tf.Tensor, tf.Tensor]:
        """Where every run is after the step, and what it costs there."""
        x = tf.identity(self._x)
        return x, self._landscape.cost(x)
