"""Engines that are not what they seem; imported by name in processes of their own."""

import os
import signal
from dataclasses import replace

from benchmarks.engines.frozen_step import FrozenStep
from benchmarks.engines.replicas import join, wait_until_listening
from benchmarks.engines.tensorflow_updates import RawstepUpdate
from benchmarks.processes import Helper
from training.runs.distribution.local import free_addresses, tf_configs


class RateOff(FrozenStep):
    """A learning rate 1 % too large."""

    def __init__(self, workload):
        super().__init__(replace(workload, learning_rate=1.01 * workload.learning_rate))


class Lazy(FrozenStep):
    """After the first steps, trains on every other batch only, and so takes half the time."""

    def train(self, prepared):
        return super().train(prepared if len(prepared) == 10 else prepared[::2])


class Dying(FrozenStep):
    """Its process ends in the second epoch, as from a lack of memory."""

    epochs = 0

    def train(self, prepared):
        self.epochs += len(prepared) > 10
        if self.epochs == 2:
            os._exit(9)
        return super().train(prepared)


class Interrupting(RawstepUpdate):
    """Presses Ctrl-C for the conductor in the fourth round, after the first steps and the warm-up."""

    samples = 0

    def train(self, prepared):
        self.samples += 1
        if self.samples == 6:
            os.kill(os.getppid(), signal.SIGINT)
        return super().train(prepared)


def waiting_worker():
    """Starts a worker that waits for one that never comes; the number of its process."""
    addresses = free_addresses(2)
    helper = Helper({"TF_CONFIG": tf_configs(addresses)[1]})
    helper.ask(join, None, "", {})
    wait_until_listening(addresses[1], helper)
    return helper.number
