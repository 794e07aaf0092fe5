"""From samples to figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.runs.paired import paired_ratio

from .conductor import FIRST_STEPS
from .contestants import Contestant, engines
from .engines import ALL_REDUCES, all_reduce_of
from .work import Work


def summaries(
    contestants: Sequence[Contestant], work: Work, least: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """The figures of each engine beside the first that did not fail; times in seconds.

    least: that a sample can take, in each round; see `ceiling.Ceiling`.

    times_as_long:     as the first: the median of the ratios within rounds, with its interval.
    steps_per_second:  median; gb_per_second: what the optimizer must move in that time, in 10⁹ bytes.
    share_of_ceiling:  the least time, in times of the engine's: the median of the ratios within rounds, with its
                       interval. None without a least time; see `ceiling.shown_share` for what it is worth.
    share_of_all_reduce: as much of the all-reduces by themselves, for engines on replicas alone.
    wall, cpu:         of a sample, the least and the median.
    start:             to import, load the data and build; first: the first ten steps, with all that is traced and
                       compiled for them; compile: that time without what the steps themselves take.
    ahead_after:       steps after which the first engine has made up for its longer compilation; 0 where it is ahead
                       from the first step, None where it never is.
    memory_mb:         the most main memory that its process held.
    failure:           instead of most of these, why there are none.
    """
    trained = engines(contestants)
    figures = [_summary(contestant, work, least) for contestant in trained]
    timed = [(figure, contestant) for figure, contestant in zip(figures, trained, strict=True) if "wall" in figure]
    reduced = {one.name: one.walls for one in contestants if one.name in ALL_REDUCES and one.failure is None}
    for figure, contestant in timed:
        first, reference = timed[0]
        figure["times_as_long"] = paired_ratio(contestant.walls, reference.walls)._asdict()
        figure["ahead_after"] = _ahead_after(first, figure)
        if alone := reduced.get(all_reduce_of(contestant.name)):
            figure["share_of_all_reduce"] = paired_ratio(alone, contestant.walls)._asdict()
    return figures


def _summary(contestant: Contestant, work: Work, least: Sequence[float] | None) -> dict[str, Any]:
    figure = {"engine": contestant.name, "start": contestant.start, "first": contestant.first and contestant.first.wall}
    if contestant.failure is not None or contestant.first is None:
        return figure | {"failure": contestant.failure}
    wall, cpu = contestant.walls, [sample.cpu for sample in contestant.samples]
    step = float(np.median(wall)) / work.steps
    return figure | {
        "steps_per_second": 1 / step,
        "gb_per_second": work.bytes_a_step / step / 1e9,
        "share_of_ceiling": least and paired_ratio(least, wall)._asdict(),
        "wall": {"min": min(wall), "median": float(np.median(wall))},
        "cpu": {"min": min(cpu), "median": float(np.median(cpu))},
        "compile": max(0.0, contestant.first.wall - FIRST_STEPS * step),
        "memory_mb": contestant.memory_mb,
    }


def _ahead_after(first: Mapping[str, Any], other: Mapping[str, Any]) -> int | None:
    saved = 1 / other["steps_per_second"] - 1 / first["steps_per_second"]
    owed = first["compile"] - other["compile"]
    if saved <= 0:
        return None
    return max(0, int(np.ceil(owed / saved)))
