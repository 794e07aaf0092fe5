"""How well variables do on a whole split."""

from collections.abc import Callable
from functools import partial

import numpy as np
import tensorflow as tf

from core.mistakes import mistakes_in

from ..workloads.workload import Examples, Variables, Workload
from .distribution.distribution import Distribution

Evaluation = dict[str, float]
"""The mean cost of a split's examples, as "cost", and the workload's metrics by their names."""


def evaluator(
    workload: Workload,
    variables: Variables,
    distribution: Distribution | None = None,
    served: Callable[[], Variables] | None = None,
) -> Callable[[Examples], Evaluation]:
    """A function that evaluates these variables, as they then are, on a split, each replica on its share of it.

    served: what is evaluated in their place, where a rule serves other values than it trains.

    It raises InputError for examples that do not fit the variables.
    """
    distribution = distribution or Distribution()
    names: list[str] = []

    def means(*batch: tf.Tensor) -> tf.Tensor:
        values = variables if served is None else served()
        found = {"cost": workload.cost(values, *batch), **workload.metrics(values, *batch)}
        names[:] = found
        return tf.stack([tf.cast(one, tf.float64) for one in found.values()])[tf.newaxis]

    # TensorFlow counts retracings by code, and warns of many evaluators; a partial is its own.
    figures = tf.function(partial(means), autograph=False)

    def evaluate(examples: Examples) -> Evaluation:
        with mistakes_in(workload, method="check_fit"):
            workload.check_fit(variables, examples)
        replicas, count = distribution.replicas, len(examples[0])
        at_once = workload.evaluated_at_once * replicas
        shares = [
            [*zip(*(np.array_split(array[start : start + at_once], replicas) for array in examples), strict=True)]
            for start in range(0, count, at_once)
        ]
        found = np.concatenate([distribution.gathered(figures, one) for one in shares])
        sizes = np.array([len(share[0]) for one in shares for share in one])
        some = sizes > 0  # fewer examples than replicas leave some without
        return dict(zip(names, np.average(found[some], axis=0, weights=sizes[some]).tolist(), strict=True))

    return evaluate
