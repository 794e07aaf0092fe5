"""From samples to figures: paired ratios with their intervals."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

from .conductor import Contestant, Sample


class Ratio(NamedTuple):
    """A median of paired ratios, and its bootstrap 95 % interval."""

    median: float
    low: float
    high: float


def paired_ratio(theirs: Sequence[Sample], ours: Sequence[Sample], seed: int = 0) -> Ratio:
    """How many times as long one engine takes as the other: the median over rounds of the ratio within each.

    The interval is the percentile bootstrap's (Efron 1979), of 10,000 resamplings of the rounds.
    """
    ratios = np.array([their.wall / our.wall for their, our in zip(theirs, ours, strict=True)])
    interval = bootstrap(
        (ratios,), np.median, n_resamples=10_000, confidence_level=0.95, method="percentile", rng=seed
    ).confidence_interval
    return Ratio(float(np.median(ratios)), float(interval.low), float(interval.high))


def summaries(contestants: Sequence[Contestant], steps: int) -> list[dict[str, object]]:
    """The figures of each engine, of samples of `steps` steps; beside the first that did not fail."""
    reference = next((contestant for contestant in contestants if contestant.failure is None), None)
    return [_summary(contestant, reference, steps) for contestant in contestants]


def _summary(contestant: Contestant, reference: Contestant | None, steps: int) -> dict[str, object]:
    """Times in seconds."""
    first = {"start": contestant.start, "first_ten_steps": contestant.first and contestant.first.wall}
    if contestant.failure is not None or reference is None:
        return {"engine": contestant.name, "failure": contestant.failure, **first}
    walls, cpus = ([getattr(sample, clock) for sample in contestant.samples] for clock in ("wall", "cpu"))
    return {
        "engine": contestant.name,
        "times_as_long": paired_ratio(contestant.samples, reference.samples)._asdict(),
        "steps_per_second": steps / float(np.median(walls)),
        "wall": {"min": min(walls), "median": float(np.median(walls))},
        "cpu": {"min": min(cpus), "median": float(np.median(cpus))},
        "memory_mb": contestant.memory_mb,
        **first,
    }
