"""The figures that the flight recorder takes of one variable in one step."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ..mistakes import mistakes_in
from ..rules import Rule, Step, named
from ..rules.slots import squares
from .reductions import half_octaves, order_statistics

QUARTILES = {"min": 0.0, "quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75, "max": 1.0}


class Layer(NamedTuple):
    """One variable in one step: the rule that updates it, its gradient g, its value x after the step, and the step, all
    in the dtype of its slots."""

    rule: Rule
    g: tf.Tensor
    x: tf.Tensor
    step: Step


class Total(NamedTuple):
    """A figure made of Σx over all elements: finish(Σx), in NumPy float64."""

    x: tf.Tensor
    finish: Callable[[np.ndarray], np.ndarray]


class Count(NamedTuple):
    """How many of x are ∞ or NaN."""

    x: tf.Tensor


class Histogram(NamedTuple):
    """How the magnitudes of x are distributed; see `half_octaves`."""

    counts: tf.Tensor


class Scalar(NamedTuple):
    """A figure that is there already."""

    value: tf.Tensor


Figure = Total | Count | Histogram | Scalar


def norm(x: tf.Tensor) -> Total:
    """‖x‖."""
    return Total(x * x, np.sqrt)


def mean(x: tf.Tensor) -> Total:
    """The mean of x; of booleans, the share that holds."""
    elements = x.shape.num_elements()
    return Total(x, lambda total: total / elements)


def _norms(layer: Layer) -> Iterator[tuple[str, Figure]]:
    yield from ((f"norm_{name}", norm(x)) for name, x in _magnitudes(layer))
    squared = squares(layer.step.slots)
    for slot, value in named(layer.step.slots).items():
        yield (f"norm_root_{slot}", Total(value, np.sqrt)) if slot in squared else (f"norm_{slot}", norm(value))
    if layer.rule.serves:
        with mistakes_in(layer.rule, method="served"):
            yield "norm_served", norm(layer.rule.served(layer.x, layer.step.slots))
    yield from ((name, Scalar(value)) for name, value in layer.step.values.items() if not value.shape.rank)


def _shares(layer: Layer) -> Iterator[tuple[str, Figure]]:
    yield "share_zero_g", mean(tf.equal(layer.g, 0))
    yield from ((f"share_{name}", mean(holds)) for name, holds in layer.step.conditions.items())
    yield "nonfinite_g", Count(layer.g)
    yield "nonfinite_x", Count(layer.x)


def _rates(layer: Layer) -> Iterator[tuple[str, Figure]]:
    rates = order_statistics(layer.step.delta / layer.g, tf.not_equal(layer.g, 0), [*QUARTILES.values()])
    yield from ((f"rate_{name}", Scalar(rate)) for name, rate in zip(QUARTILES, tf.unstack(rates), strict=True))


def _histograms(layer: Layer) -> Iterator[tuple[str, Figure]]:
    yield from ((f"histogram_{name}", Histogram(half_octaves(x))) for name, x in _magnitudes(layer))


def _magnitudes(layer: Layer) -> list[tuple[str, tf.Tensor]]:
    return [("g", layer.g), ("delta", layer.step.delta), ("x", layer.x)]


FIGURES: Mapping[str, Callable[[Layer], Iterator[tuple[str, Figure]]]] = {
    "norms": _norms,
    "shares": _shares,
    "rates": _rates,
    "histograms": _histograms,
}
"""The groups of figures that `Recorder` explains."""
