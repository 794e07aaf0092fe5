"""First values of weights and biases: draws for a shape, in float64."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np

from core.errors import InputError

Init = Literal["normal", "he", "glorot", "sparse"]
CONNECTIONS = 15
Initializer = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """What each output sums up, and what each input leads to, of a matrix [inputs, units] or a kernel
    [height, width, inputs, units]."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """N(0, 1) for weights and biases alike, as the notebook draws them."""
    return random.standard_normal(shape)


def _he(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights N(0, 2 / inputs), biases 0 (He et al. 2015, equation 10)."""
    return random.standard_normal(shape) * math.sqrt(2 / _fans(shape)[0]) if len(shape) > 1 else np.zeros(shape)


def _glorot(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights uniform in ±√(6 / (inputs + units)), biases 0 (Glorot & Bengio 2010, equation 16)."""
    limit = math.sqrt(6 / sum(_fans(shape))) if len(shape) > 1 else 0
    return random.uniform(-limit, limit, shape) if len(shape) > 1 else np.zeros(shape)


def _sparse(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """N(0, 1) for 15 of the weights into each unit, or for all where there are fewer; other weights and biases 0
    (Martens 2010, section 5)."""
    values = np.zeros(shape)
    if len(shape) > 1:
        into = values.reshape(-1, shape[-1])
        kept = random.random(into.shape).argsort(axis=0)[:CONNECTIONS]
        np.put_along_axis(into, kept, random.standard_normal(kept.shape), axis=0)
    return values


INITIALIZERS: Mapping[str, Initializer] = dict(zip(get_args(Init), (_normal, _he, _glorot, _sparse), strict=True))
"""Each draws the values of a shape; vectors are biases."""


def initializer(name: str) -> Initializer:
    """One of `INITIALIZERS`. Raises InputError for another name."""
    if name not in INITIALIZERS:
        raise InputError(
            f"There is no initialisation {name!r}; there are: {', '.join(INITIALIZERS)}.", name, INITIALIZERS
        )
    return INITIALIZERS[name]
