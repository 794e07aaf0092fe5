"""What trains on one device, on the replicas of a tf.distribute strategy; and the all-reduce of a step by itself."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf

from training.runs.distribution.local import free_addresses, tf_configs
from training.runs.distribution.strategies import mirrored, multi_worker
from training.workloads.imports import import_named

from ..processes import HELPERS, Helper, answers, begin_helping
from ..work import TrainingWork


class Replicated:
    """An engine that is built in the scope of a strategy, and is otherwise as it is on one device.

    engine:  module:Class.
    devices: logical devices of this process; or
    workers: processes of one replica each, this one and others that it starts. They reach each other by gRPC, and train
             on the same batches at the same time.
    settings: of the engine.
    """

    def __init__(
        self, work: TrainingWork, engine: str, devices: int | None = None, workers: int | None = None, **settings: Any
    ):
        if workers is not None:
            addresses = free_addresses(workers)
            os.environ["TF_CONFIG"], *others = tf_configs(addresses)
            HELPERS[:] = [Helper({"TF_CONFIG": other}) for other in others]
            begin_helping(join, work, engine, settings)
            for helper, address in zip(HELPERS, addresses[1:], strict=True):
                wait_until_listening(address, helper)
        strategy = mirrored(devices) if workers is None else multi_worker()
        self._engine = _built(work, engine, settings, strategy)
        answers()

    def prepare(self, batches: np.ndarray) -> Any:
        begin_helping(_prepare, batches)
        answers()
        return self._engine.prepare(batches)

    def train(self, prepared: Any) -> float | None:
        begin_helping(_train)
        cost = self._engine.train(prepared)
        answers()
        return cost


class AllReduce:
    """The all-reduces of a training by themselves: of as many numbers as gradients and cost have, as core does them.

    It is built in a strategy's scope. The numbers are 0, which they stay; each all-reduce waits for the one before.
    """

    def __init__(self, work: TrainingWork):
        strategy = tf.distribute.get_strategy()
        shapes = [value.shape for value in work.first_weights().values()]

        def reduced(*values: tf.Tensor) -> Any:
            context: Any = tf.distribute.get_replica_context()
            placed = [tf.identity(value) for value in values]  # on the replica's device, which a loop's variable lacks
            return context.all_reduce(tf.distribute.ReduceOp.SUM, placed)

        @tf.function(autograph=False)
        def loop(steps: tf.Tensor) -> Any:
            zeros = strategy.run(lambda: [tf.zeros(shape) for shape in [*shapes, ()]])
            begun = tf.constant(0), zeros
            _, sums = tf.while_loop(lambda i, _: i < steps, lambda i, sums: (i + 1, strategy.run(reduced, sums)), begun)
            return strategy.experimental_local_results(sums[-1])[0]

        self._loop = loop

    def prepare(self, batches: np.ndarray) -> tf.Tensor:
        return tf.constant(len(batches))

    def train(self, prepared: tf.Tensor) -> None:
        self._loop(prepared).numpy()  # waits


def _built(work: TrainingWork, engine: str, settings: Mapping[str, Any], strategy: tf.distribute.Strategy) -> Any:
    with strategy.scope():
        return import_named(engine)(work, **settings)


def wait_until_listening(address: str, helper: Helper) -> None:
    """To be called before this one joins: TensorFlow keeps Python's lock while it waits for a worker, failed or not.

    Raises InputError where one does before it listens.
    """
    host, port = address.split(":")
    while not helper.answered(seconds=0.05):
        with suppress(OSError), socket.create_connection((host, int(port))):
            return
    helper.answer()


_engine: Any
_prepared: Any
"""Of a helper's process."""


def join(work: TrainingWork, engine: str, settings: Mapping[str, Any]) -> None:
    global _engine
    _engine = _built(work, engine, settings, multi_worker())


def _prepare(batches: np.ndarray) -> None:
    global _prepared
    _prepared = _engine.prepare(batches)


def _train() -> None:
    _engine.train(_prepared)
