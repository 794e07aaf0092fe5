"""What recording costs, measured on the run's own workload."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core import Optimizer, Recorder

from ...runs.feeding import STEPS_PER_CALL
from ...runs.paired import paired_ratio
from ...runs.trainer import Trainer

ROUNDS = 8
SECONDS = 4.0
"""All timed calls together are to take about so long, compilation aside."""
PIECES = 1 + ROUNDS
"""The first round compiles."""


@dataclass(frozen=True)
class OwnCost:
    """How many times as long training takes with the recorder: a median over rounds, and its 95 % interval.

    rounds: pairs of calls, one with and one without; steps: of each call.
    """

    times_as_long: float
    low: float
    high: float
    rounds: int
    steps: int


def in_words(cost: Mapping[str, Any] | None) -> str:
    """A measured cost, as a trace keeps it, as a sentence."""
    if cost is None:
        return "What recording costs was not measured."
    return (
        f"Recording took {cost['times_as_long']:.2f} [{cost['low']:.2f}–{cost['high']:.2f}] times as long as training "
        f"without it ({cost['rounds']} pairs of calls of {cost['steps']} steps)."
    )


def own_cost(
    trainer: Trainer,
    record: Callable[[Optimizer], Recorder],
    begin: Callable[[str], Any],
    stopped: Callable[[], Any],
) -> OwnCost | None:
    """Trains two copies of a network that was trained, by turns, one with the recorder, and compares times by rounds.

    begin:   called with the name of each of `PIECES` pieces of work.
    stopped: whether to leave it; then there is no cost.
    """
    settings, examples, steps = trainer.settings, trainer.data, _steps(trainer)
    trainers = {
        name: Trainer(settings, examples, recorder, trainer.distribution)
        for name, recorder in (("without", None), ("with", record))
    }
    order, times = random.Random(settings.seed), {name: [] for name in trainers}
    for piece in range(PIECES):
        begin("measuring what recording costs" if piece else "compiling, to measure what recording costs")
        for name in order.sample([*trainers], k=len(trainers)):
            if stopped():
                return None
            copy = trainers[name]
            start = time.perf_counter()
            copy.program.run(copy.feed, steps).numpy()
            times[name].append(time.perf_counter() - start)
    return OwnCost(*paired_ratio(times["with"][1:], times["without"][1:]), ROUNDS, steps)


def _steps(trainer: Trainer) -> int:
    """Of a timed call: whole intervals of the recorder, so that each call records its share."""
    every = 1 if trainer.recorder is None else trainer.recorder.every
    rate = trainer.stopwatch.steps_per_second or STEPS_PER_CALL
    most = min(STEPS_PER_CALL, rate * SECONDS / (2 * ROUNDS))
    own = min(trainer.step, every * max(1, int(most // every)))
    return trainer.distribution.everyones(own)[0]
