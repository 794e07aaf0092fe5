"""Times of interleaved runs, compared within rounds: a machine's speed drifts, its ratios hardly do."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap


class Ratio(NamedTuple):
    """A median of paired ratios, and its bootstrap 95 % interval."""

    median: float
    low: float
    high: float


def paired_ratio(theirs: Sequence[float], ours: Sequence[float], seed: int = 0) -> Ratio:
    """How many times as long one takes as the other: the median over rounds of the ratio of their times within each.

    The interval is the percentile bootstrap's (Efron 1979), of 10,000 resamplings of the rounds.
    """
    ratios = np.array([their / our for their, our in zip(theirs, ours, strict=True)])
    interval = bootstrap(
        (ratios,), np.median, n_resamples=10_000, confidence_level=0.95, method="percentile", rng=seed
    ).confidence_interval
    return Ratio(float(np.median(ratios)), float(interval.low), float(interval.high))
