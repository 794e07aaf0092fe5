"""Coordinates laid out as tensors: a scalar, matrices both ways round, four axes, and a vector of all the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import Any, Self

import numpy as np

SHAPES: Mapping[str, tuple[int, ...]] = {"scalar": (), "tall": (3, 2), "wide": (2, 3), "axes": (2, 1, 3, 2)}
"""Beside a vector of whatever coordinates are left; those that are larger than what is left are left out."""

SPREAD = 0.618
"""Neighbours are laid this share of all coordinates apart, so that every tensor has several kinds of gradients."""


@dataclass(frozen=True)
class Layout:
    """Which coordinates each tensor holds, by the tensor's name: arrays of positions, of the tensors' shapes."""

    places: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, kinds: Sequence[str]) -> Self:
        """All shapes that fit, for coordinates of these kinds; the scalar is the first of the kind "mixed", if any."""
        count = len(kinds)
        step = next(n for n in range(max(1, round(SPREAD * count)), 2 * count + 2) if gcd(n, count) == 1)
        begin = kinds.index("mixed") if "mixed" in kinds else 0
        order, places = (begin + step * np.arange(count)) % count, {}
        for name, shape in SHAPES.items():
            if (size := prod(shape)) < len(order):
                places[name], order = order[:size].reshape(shape), order[size:]
        return cls({**places, "vector": order})

    @classmethod
    def flat(cls, count: int) -> Self:
        """One vector of all coordinates."""
        return cls({"vector": np.arange(count)})

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return sum(map(np.size, self.places.values()))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: places.shape for name, places in self.places.items()}

    def order(self, number: int) -> list[str]:
        """The tensors' names in an order that changes with the number."""
        names = list(self.places)
        first = number % len(names)
        return (names[first:] + names[:first])[:: -1 if number % 2 else 1]

    def calls(self, orders: Sequence[Sequence[str]]) -> np.ndarray:
        """[steps, coordinates] the number, from 1, of the call that updates a tensor, in each step's order."""
        numbers = np.empty((len(orders), self.size), np.int64)
        for step, order in enumerate(orders):
            for call, name in enumerate(order, start=1):
                numbers[step, self.places[name].ravel()] = step * len(order) + call
        return numbers

    def split(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """The tensors of an array [..., coordinates], each [..., *shape]."""
        return {name: flat[..., places] for name, places in self.places.items()}

    def joined(self, tensors: Mapping[str, Any], axes: int = 0) -> np.ndarray:
        """[..., coordinates] of tensors [..., *shape] with `axes` axes before their own; a scalar fills its tensor."""
        parts = {name: np.asarray(tensors[name]) for name in self.places}
        first = next(iter(parts.values()))
        flat = np.empty((*first.shape[:axes], self.size), np.result_type(*(part.dtype for part in parts.values())))
        for name, places in self.places.items():
            part = parts[name].reshape(*first.shape[:axes], -1)
            flat[..., places.ravel()] = part
        return flat
