"""One printed figure beside the figures of several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

WIDTH = 3
"""Standard deviations on either side of the mean."""
FEWEST = 5
"""Seeds from which a band is taken at its word."""


@dataclass(frozen=True)
class Band:
    """Mean and standard deviation (of n − 1) of a figure over seeds, and the band of three deviations around it."""

    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Band":
        """Of one figure alone the deviation is NaN, and so the band."""
        mean = float(np.mean(figures))
        deviation = float(np.std(figures, ddof=1)) if len(figures) > 1 else float("nan")
        return cls(mean, deviation, mean - WIDTH * deviation, mean + WIDTH * deviation)


@dataclass(frozen=True)
class Beside:
    """A figure that was printed, and ours: one of each seed, and their band.

    outside: by how much the printed figure is above the band, below it as a negative number, 0 inside; NaN where
    figures are not finite, or only one.
    deviations: from our mean to the printed figure.
    """

    what: str
    printed: float
    figures: list[float]
    band: Band
    outside: float
    deviations: float

    @classmethod
    def of(cls, what: str, printed: float, figures: Sequence[float]) -> "Beside":
        band = Band.of(figures)
        outside = printed - float(np.clip(printed, band.low, band.high))
        deviations = (printed - band.mean) / band.deviation if band.deviation else float("nan")
        return cls(what, printed, list(figures), band, outside, deviations)


def outside_by_chance(seeds: int) -> float:
    """How often one more run of the same program falls outside the band of `seeds` runs, if figures are normal.

    A new figure and the mean of n differ by a deviation of σ·√(1 + 1/n), and σ is known from n − 1 degrees of freedom.
    """
    if seeds < 2:
        return float("nan")
    return float(2 * student.sf(WIDTH / np.sqrt(1 + 1 / seeds), seeds - 1))


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, and its 95 % interval by Student's t."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> "Difference":
        differences = np.subtract(ours, theirs)
        mean, count = float(np.mean(differences)), len(differences)
        if count < 2:
            return cls(mean, float("nan"), float("nan"))
        half = float(student.ppf(0.975, count - 1) * np.std(differences, ddof=1) / np.sqrt(count))
        return cls(mean, mean - half, mean + half)
