"""From samples to figures."""

from collections.abc import Sequence

import numpy as np

from training.paired import paired_ratio

from .conductor import Contestant


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
        "times_as_long": paired_ratio(walls, [sample.wall for sample in reference.samples])._asdict(),
        "steps_per_second": steps / float(np.median(walls)),
        "wall": {"min": min(walls), "median": float(np.median(walls))},
        "cpu": {"min": min(cpus), "median": float(np.median(cpus))},
        "memory_mb": contestant.memory_mb,
        **first,
    }
