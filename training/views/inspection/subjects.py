"""The network of a training run as the ladder's rungs have it: from one start, in any execution and dtype."""

import tensorflow as tf

from core import Optimizer, Program, Rule, logits, new_weights, softmax_cross_entropy
from core.engine.executions import Execution
from training.workloads.perceptron import Weights

from ...runs.building import check_masks
from ...runs.settings import Settings
from ...workloads.data import Dataset
from ...workloads.images import unit_pixels
from .ladder import Build, Subject


def layers(settings: Settings, dataset: Dataset) -> list[int]:
    """From the pixels to the classes."""
    return [dataset.train.images.shape[1], *settings.hidden, dataset.classes]


def perceptron(settings: Settings, dataset: Dataset, rule: Rule | None = None) -> Build:
    """Builds the program that `rawstep train` runs with these settings, except for its execution and dtype, and the
    rule where one is given.

    In float64, weights start from what they are in float32 and pixels have the values that they have there: what
    differs is the arithmetic in between, and the rule's constants, which are rounded to the weights' dtype.

    Raises InputError, some of it when it builds, for what `Trainer` refuses.
    """
    rule = rule or settings.make_rule()
    start = {
        name: variable.numpy()
        for name, variable in new_weights(layers(settings, dataset), settings.init, settings.seed).items()
    }

    check_masks(settings, start)

    def build(execution: Execution, dtype: tf.DType = tf.float32) -> Subject:
        def cost(weights: Weights, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            return softmax_cross_entropy(logits(weights, tf.cast(unit_pixels(images), dtype)), labels)

        weights = {name: tf.Variable(tf.cast(value, dtype), name=name) for name, value in start.items()}
        return Subject(Program(cost, weights, Optimizer(rule, weights), execution), weights)

    return build
