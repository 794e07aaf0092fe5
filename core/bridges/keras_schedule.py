"""Schedules of ours in the form that Keras reads."""

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule


class StepSchedule(LearningRateSchedule):
    """A schedule as rules take it, rate(steps taken before), in the form that Keras reads.

    Keras passes its schedules the number of batches; where it accumulates gradients, `batches_per_step` make one step.
    """

    def __init__(self, schedule: Callable[[Any], Any], batches_per_step: int = 1):
        self.schedule = schedule
        self.batches_per_step = batches_per_step

    def __call__(self, step: Any) -> tf.Tensor:
        rate = self.schedule(tf.cast(tf.convert_to_tensor(step) // self.batches_per_step, tf.float64))
        return rate if tf.is_tensor(rate) else tf.constant(rate, tf.float64)


def takes_steps(rate: Callable[..., Any]) -> bool:
    """Whether a function is a schedule, of the steps taken before, and not one that is called anew at each step."""
    return isinstance(rate, LearningRateSchedule) or bool(inspect.signature(rate).parameters)
