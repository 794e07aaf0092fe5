"""One comparison, from the work to what a record keeps of it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .ceiling import blas, ceiling
from .conductor import compare
from .engines import all_reduces
from .figures import summaries
from .work import Work


def measure(
    names: Sequence[str],
    work: Work,
    rounds: int,
    heard: Callable[[str], None] = lambda doing: None,
    failed: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Any]:
    """Compares engines at a work, beside what the machine can do and the all-reduces that replicas wait for.

    Returns all samples and the figures of them.

    heard, failed: as in `compare`.
    rounds: those that were complete, fewer than were asked for if Ctrl-C ended them; 0 where every engine failed.
    ceiling: the library whose matrix products were the fastest, and NumPy's BLAS; None where there is no ceiling.
    load_before, load_after: the machine's load averages.
    """
    load_before = os.getloadavg()
    contestants = compare([*names, *all_reduces(names), *work.ceilings], work, rounds, heard, failed)
    able = [contestant for contestant in contestants[: len(names)] if contestant.failure is None]
    best = ceiling(contestants, work) if able else None
    return {
        "work": work.described(),
        "steps": work.steps,
        "rounds": len(able[0].samples) if able else 0,
        "ceiling": best and {"products": best.products, "blas": blas()},
        "figures": summaries(contestants, work, best and best.seconds),
        "samples": [asdict(contestant) for contestant in contestants],
        "load_before": load_before,
        "load_after": os.getloadavg(),
    }


def pieces(names: Sequence[str], work: Work, rounds: int) -> int:
    """How often `measure` calls `heard`."""
    return len(names) + len(all_reduces(names)) + len(work.ceilings) + 2 + rounds


def failures(measured: Mapping[str, Any]) -> int:
    """How many engines failed."""
    return sum("failure" in figure for figure in measured["figures"])


def interrupted(measured: Mapping[str, Any], rounds: int) -> bool:
    """Whether Ctrl-C ended the rounds before engines that could go on had done all of them."""
    return measured["rounds"] < rounds and failures(measured) < len(measured["figures"])
