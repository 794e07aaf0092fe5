"""The notebook's own code: a graph, a session, and one `run` with a feed for each step."""

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ..networks import usual_examples
from ..work import TrainingWork

v1 = tf.compat.v1


class NotebookSession:
    """Cells 7 to 14 of the notebook: placeholders, network, cost, `minimize`, `Saver`, and the loop over batches.

    make_optimizers: each returns one of tf.compat.v1.train's optimizers, all in one graph, as in the notebook; Adam at
                     the work's rate unless one is given.
    named:           the variables are named h1, …, bo; in the notebook they have no names.
    """

    def __init__(self, work: TrainingWork, *make_optimizers: Callable[[], v1.train.Optimizer], named: bool = False):
        self._images, labels = usual_examples(work)
        self._labels = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
        first_weights = work.first_weights()
        with tf.Graph().as_default():
            self._x = v1.placeholder("float", [None, self._images.shape[1]])
            self._y = v1.placeholder("float", [None, self._labels.shape[1]])
            weights = {name: v1.Variable(value, name=name if named else None) for name, value in first_weights.items()}
            layer = self._x
            for number in range(1, len(weights) // 2):
                layer = tf.nn.relu(tf.add(tf.matmul(layer, weights[f"h{number}"]), weights[f"b{number}"]))
            estimate = tf.matmul(layer, weights["ho"]) + weights["bo"]
            cost = v1.nn.softmax_cross_entropy_with_logits_v2(logits=estimate, labels=self._y)
            self._cost = tf.reduce_mean(cost)
            make_optimizers = make_optimizers or (lambda: v1.train.AdamOptimizer(work.learning_rate),)
            self._train_steps = [make_optimizer().minimize(self._cost) for make_optimizer in make_optimizers]
            self._saver = v1.train.Saver(max_to_keep=None)
            self._session = v1.Session()
            self._session.run(v1.global_variables_initializer())

    def prepare(self, batches: np.ndarray) -> np.ndarray:
        return batches

    def costs(self, batches: np.ndarray, optimizer: int = 0) -> np.ndarray:
        """Takes a step for each batch, as `next_batch` would cut it out; the cost of each before it.

        optimizer: which one of the graph's takes the steps.
        """
        fetches = [self._train_steps[optimizer], self._cost]
        return np.array(
            [
                self._session.run(fetches, {self._x: self._images[batch], self._y: self._labels[batch]})[1]
                for batch in batches
            ]
        )

    def save(self, path: str | os.PathLike) -> None:
        """All variables of the graph, as the notebook's `saver.save(sess, "rnn2.ckpt")` does."""
        with self._session.graph.as_default():  # outside a graph, Saver would act eagerly
            self._saver.save(self._session, os.fspath(path))

    def restore(self, path: str | os.PathLike) -> None:
        """All variables of the graph, as its `saver.restore(sess, "rnn2.ckpt")` does."""
        with self._session.graph.as_default():
            self._saver.restore(self._session, os.fspath(path))

    def train(self, prepared: np.ndarray) -> float:
        return float(np.mean(self.costs(prepared), dtype=np.float64))
