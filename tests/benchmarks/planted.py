"""Engines that are not what they seem; imported by name in processes of their own."""

import os
import signal
from dataclasses import replace
from itertools import count

from benchmarks.engines.frozen_step import FrozenStep
from benchmarks.engines.replicas import join, wait_until_listening
from benchmarks.engines.tensorflow_updates import RawstepUpdate
from benchmarks.processes import Helper
from training.runs.distribution.local import free_addresses, tf_configs


def rate_off(work):
    """A learning rate 1 % too large."""
    return steps_of(replace(work, learning_rate=1.01 * work.learning_rate))


def lazy(work):
    """After the first steps, trains on every other batch only, and so takes half the time."""
    train = steps_of(work)
    return lambda batches: train(batches if len(batches) == 10 else batches[::2])


def dying(work):
    """Its process ends in the second epoch, as from a lack of memory."""
    train, samples = steps_of(work), count()
    return lambda batches: train(batches) if next(samples) < 2 else os._exit(9)


def interrupting(updates):
    """Presses Ctrl-C for the conductor in the fourth round, after the first steps and the warm-up."""
    engine, samples = RawstepUpdate(updates), count(1)

    def train(batches):
        if next(samples) == 6:
            os.kill(os.getppid(), signal.SIGINT)
        return engine.train(batches)

    return train


def nothing(work):
    """A function that only begins."""


def prepared(work):
    """Trains by numbers of steps."""

    class Train:
        def prepare(self, batches):
            return len(batches)

        def __call__(self, steps):
            return steps

    return Train()


def steps_of(work):
    """An engine of the frozen step."""
    engine = FrozenStep(work)
    return lambda batches: engine.train(engine.prepare(batches))


def waiting_worker():
    """Starts a worker that waits for one that never comes; the number of its process."""
    addresses = free_addresses(2)
    helper = Helper({"TF_CONFIG": tf_configs(addresses)[1]})
    helper.ask(join, None, "", {})
    wait_until_listening(addresses[1], helper)
    return helper.number
