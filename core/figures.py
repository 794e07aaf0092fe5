"""The figures that the flight recorder takes of one variable in one step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from .reductions import half_octaves, order_statistics, total
from .rules import Rule, Step

QUARTILES = {"min": 0.0, "quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75, "max": 1.0}


@dataclass(frozen=True)
class Layer:
    """One variable in one step: the rule that updated it, its gradient g, its value x after the step, and the step, in
    the dtype of its slots; whether XLA compiles it."""

    rule: Rule
    g: tf.Tensor
    x: tf.Tensor
    step: Step
    compiled: bool

    def total(self, x: tf.Tensor) -> tf.Tensor:
        return total(x, self.compiled)

    def norm(self, x: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(self.total(x * x))

    def mean(self, x: tf.Tensor) -> tf.Tensor:
        return self.total(x) / tf.size(x, tf.float64)


def _norms(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    yield from ((f"norm_{name}", layer.norm(x)) for name, x in _magnitudes(layer))
    for slot, value in layer.step.slots._asdict().items():
        if slot in getattr(layer.step.slots, "SQUARES", ()):
            yield f"norm_root_{slot}", tf.sqrt(layer.total(value))
        else:
            yield f"norm_{slot}", layer.norm(value)
    yield from ((name, layer.mean(value)) for name, value in layer.rule.telling(layer.step).items())
    yield from ((name, value) for name, value in layer.step.stages.items() if not value.shape.rank)


def _shares(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    yield "share_zero_g", layer.mean(tf.equal(layer.g, 0))
    outweighs = layer.rule.epsilon_outweighs(layer.step)
    if outweighs is not None:
        yield "share_epsilon_outweighs", layer.mean(outweighs)
    # They are counted only where the sum is not finite, which it is not unless there are any, or squares overflow.
    for name, x in (("g", layer.g), ("x", layer.x)):
        finite = tf.math.is_finite(layer.norm(x))
        yield f"nonfinite_{name}", tf.cond(finite, lambda: tf.zeros([], tf.float64), partial(_nonfinite, layer, x))


def _nonfinite(layer: Layer, x: tf.Tensor) -> tf.Tensor:
    return layer.total(tf.logical_not(tf.math.is_finite(x)))


def _rates(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    rates = order_statistics(layer.step.delta / layer.g, tf.not_equal(layer.g, 0), [*QUARTILES.values()])
    yield from zip((f"rate_{name}" for name in QUARTILES), tf.unstack(rates), strict=True)


def _histograms(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    yield from ((f"histogram_{name}", half_octaves(x)) for name, x in _magnitudes(layer))


def _magnitudes(layer: Layer) -> list[tuple[str, tf.Tensor]]:
    return [("g", layer.g), ("delta", layer.step.delta), ("x", layer.x)]


FIGURES: Mapping[str, Callable[[Layer], Iterator[tuple[str, tf.Tensor]]]] = {
    "norms": _norms,
    "shares": _shares,
    "rates": _rates,
    "histograms": _histograms,
}
"""The groups of figures that `Recorder` explains."""
