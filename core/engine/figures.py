"""The figures that the flight recorder takes of one variable in one step."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ..mistakes import mistakes_in
from ..rules import Chain, Piece, Rule, Step, named
from ..rules.part import Part
from ..rules.settings import resolved
from ..rules.slots import squares
from .reductions import half_octaves, order_statistics

MEASURED_BY = {"decayed": "norm_delta", "distance": "norm_x"}
"""By the stage of a piece, what its norm is compared with: a decay with the whole step, the way from an average to the
parameter with the parameter."""
QUARTILES = {"min": 0.0, "quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75, "max": 1.0}


class Layer(NamedTuple):
    """One variable in step t: the rule that updates it, its gradient g, its value x after the step, and the step, all
    in the dtype of its slots."""

    t: tf.Tensor
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
    yield from ((f"norm_{name}", norm(value)) for name, value in _of_pieces(layer))
    yield from ((name, Scalar(value)) for name, value in layer.step.values.items() if not value.shape.rank)
    yield from ((name, Scalar(value)) for name, value in _scheduled(layer) if not value.shape.rank)


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


def _of_pieces(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    """The stages of a chain's pieces that have the variable's elements."""
    slots = named(layer.step.slots)
    for part in (name for name, part in _parts(layer.rule) if isinstance(part, Piece)):
        for name, value in layer.step.values.items():
            if name.startswith(f"{part}.") and name not in slots and value.shape.rank:
                yield name, value


def _scheduled(layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
    """The settings that follow the steps, as they are in this one: "learning_rate", and a piece's "l2.weight_decay"."""
    for name, part in _parts(layer.rule):
        for setting, value in resolved(vars(part), type(part), layer.t, layer.x).items():
            if callable(getattr(part, setting)):
                yield setting if isinstance(part, Rule) else f"{name}.{setting}", value


def _parts(rule: Rule) -> Sequence[tuple[str, Part]]:
    return rule.parts if isinstance(rule, Chain) else [("", rule)]


def relative(names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The ratios that a layer's figures of these names make: what each is called, and the two that are divided."""
    for name in names:
        value = name.removeprefix("norm_")
        part, _, stage = value.rpartition(".")
        by = "norm_x" if value == "delta" else MEASURED_BY.get(stage) if part else None
        if value != name and by:
            yield f"relative_{value}", name, by


def _magnitudes(layer: Layer) -> list[tuple[str, tf.Tensor]]:
    return [("g", layer.g), ("delta", layer.step.delta), ("x", layer.x)]


FIGURES: Mapping[str, Callable[[Layer], Iterator[tuple[str, Figure]]]] = {
    "norms": _norms,
    "shares": _shares,
    "rates": _rates,
    "histograms": _histograms,
}
"""The groups of figures that `Recorder` explains."""
