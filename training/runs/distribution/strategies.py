"""Strategies of tf.distribute, made before anything else of TensorFlow's is used."""

import os
import signal

import tensorflow as tf

from core import InputError


def mirrored(replicas: int | None = None) -> tf.distribute.Strategy:
    """A MirroredStrategy on GPUs, all of them unless `replicas` are given; where there is none, on that many logical
    devices of the CPU, two unless given.

    Raises InputError for more replicas than there are GPUs, and where TensorFlow has set up its devices already.
    """
    if gpus := tf.config.list_logical_devices("GPU") if tf.config.list_physical_devices("GPU") else []:
        if replicas is not None and replicas > len(gpus):
            raise InputError(f"--replicas must be at most the {len(gpus)} GPUs there are, found {replicas}.")
        return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus[:replicas]])
    count = replicas or 2
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise InputError(
            f"{count} logical devices must be made before TensorFlow is used; in this process it has been."
        ) from error
    return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(count)])


def multi_worker() -> tf.distribute.Strategy:
    """A MultiWorkerMirroredStrategy over the workers that TF_CONFIG lists; it waits until all of them are there."""
    assert "TF_CONFIG" in os.environ, "the cluster was checked"
    before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    signal.signal(signal.SIGTERM, before)  # which TensorFlow takes for a notice, and nothing ends any more
    return strategy
