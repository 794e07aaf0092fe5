"""One comparison, from the work to what a record keeps of it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from .conductor import compare
from .figures import summaries
from .workload import Work


def measure(
    names: Sequence[str], work: Work, rounds: int, heard: Callable[[str], None] = lambda doing: None
) -> dict[str, Any]:
    """Compares engines at a work, beside what the machine can do, and returns all samples and the figures of them.

    rounds: those that were complete, fewer than were asked for if Ctrl-C ended them. load_after: the machine's load
    averages at the end.
    """
    contestants = compare([*names, *work.ceilings], work, rounds, heard)
    return {
        "work": asdict(work),
        "steps": work.steps,
        "rounds": max(len(contestant.samples) for contestant in contestants),
        "figures": summaries(contestants, work),
        "samples": [asdict(contestant) for contestant in contestants],
        "load_after": os.getloadavg(),
    }


def pieces(names: Sequence[str], work: Work, rounds: int) -> int:
    """How often `measure` is heard."""
    return len(names) + len(work.ceilings) + 2 + rounds
