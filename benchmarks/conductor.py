"""The paired comparison: engines in processes of their own, one sample of each a round, in shuffled order.

A machine's speed drifts, by a factor of two within minutes on a shared one. So no time is compared but with that of
another engine in the same round, and the figure is the median of those ratios.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.seeds import generator
from training.results import peak_memory_mb

from .engines import Engine, build
from .workload import Workload

FIRST_STEPS = 10
FIRST_STEPS_MAY_DIFFER = 1e-5
"""Relative difference of the mean cost of the first ten steps. float32 rounds each engine's products and means apart by
1e-6 or less; a learning rate 1 % off, the smallest of planted errors, by more than 1e-5."""
WARM_UP_MAY_DIFFER = 0.01
"""Of the epoch before the measurement: from N(0,1) the rounding errors of 550 steps grow to less than 1 %."""


class Sample(NamedTuple):
    """One engine's part of one round.

    cost: the mean over its steps; wall and cpu: seconds, of all threads of its process for the latter.
    """

    cost: float
    wall: float
    cpu: float


@dataclass
class Contestant:
    """What was seen of an engine.

    start:     seconds to import, load the data and build it.
    first:     the first ten steps, with all that is traced and compiled for them.
    warm_up:   the epoch before the measurement.
    samples:   one for each round.
    failure:   why it takes no part, if it does not.
    memory_mb: the most main memory that its process held, in 10⁶ bytes.
    """

    name: str
    start: float | None = None
    first: Sample | None = None
    warm_up: Sample | None = None
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None
    memory_mb: float | None = None


class EngineProcess:
    """An engine in a process of its own, which waits while it is asked for nothing."""

    def __init__(self, name: str, workload: Workload):
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _ignore_interrupts)
        self._built = self._executor.submit(_build, name, workload)

    def wait_until_built(self) -> None:
        self._built.result()

    def sample(self, batches: np.ndarray) -> Sample:
        return self._executor.submit(_sample, batches).result()

    def peak_memory_mb(self) -> float:
        return self._executor.submit(peak_memory_mb).result()

    def stop(self) -> None:
        self._executor.shutdown(cancel_futures=True)


def compare(
    names: Sequence[str], workload: Workload, rounds: int, heard: Callable[[str], None] = lambda doing: None
) -> list[Contestant]:
    """Lets engines train the same epochs, one after another within each round, and returns what was seen of each.

    An epoch is a sample. All start from the same weights; the first of `names` sets the costs that the others must
    have, over ten steps and over an untimed epoch. One that has others, or fails, says so and takes no part; `heard`
    is told what goes on.
    """
    sampler, random = workload.sampler(), generator(workload.seed, "rounds")
    contestants = [Contestant(name) for name in names]
    processes: dict[str, EngineProcess] = {}
    try:
        for contestant in contestants:
            heard(f"starting {contestant.name}")
            begin = time.perf_counter()
            process = processes[contestant.name] = EngineProcess(contestant.name, workload)
            _attempt(contestant, process.wait_until_built)
            contestant.start = time.perf_counter() - begin
        heard("first steps")
        batches = sampler.take(FIRST_STEPS)
        for contestant in _able(contestants):
            contestant.first = _attempt(contestant, processes[contestant.name].sample, batches)
        _compare_costs(contestants, "first", FIRST_STEPS_MAY_DIFFER)
        heard("warming up")
        batches = sampler.take(sampler.steps_per_epoch)
        for contestant in _able(contestants):
            contestant.warm_up = _attempt(contestant, processes[contestant.name].sample, batches)
        _compare_costs(contestants, "warm_up", WARM_UP_MAY_DIFFER)
        for number in range(rounds):
            heard(f"round {number + 1} of {rounds}")
            batches = sampler.take(sampler.steps_per_epoch)
            able = _able(contestants)
            for contestant in (able[place] for place in random.permutation(len(able))):
                sample = _attempt(contestant, processes[contestant.name].sample, batches)
                contestant.samples += [sample] if sample else []
        for contestant in _able(contestants):
            contestant.memory_mb = _attempt(contestant, processes[contestant.name].peak_memory_mb)
    finally:
        for process in processes.values():
            process.stop()
    return contestants


def _able(contestants: Sequence[Contestant]) -> list[Contestant]:
    return [contestant for contestant in contestants if contestant.failure is None]


def _attempt(contestant: Contestant, task: Callable[..., Any], *arguments: Any) -> Any:
    """What the task returns, or None and a failure of the contestant: one engine's end is not that of all."""
    try:
        return task(*arguments)
    except BrokenProcessPool:
        contestant.failure = "its process died"
    except Exception as error:  # whatever an engine may come to
        contestant.failure = f"{type(error).__name__}: {error}".partition("\n")[0]
    return None


def _compare_costs(contestants: Sequence[Contestant], part: str, may_differ: float) -> None:
    able = _able(contestants)
    for contestant in able[1:]:
        expected, found = (getattr(who, part).cost for who in (able[0], contestant))
        if not abs(found / expected - 1) <= may_differ:
            contestant.failure = f"it trains something else: mean cost {found:.6g}, {able[0].name} has {expected:.6g}"


_engine: Engine
"""Of an engine's own process."""


def _ignore_interrupts() -> None:
    """Ctrl-C reaches all processes of a terminal; the conductor alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _build(name: str, workload: Workload) -> None:
    global _engine
    _engine = build(name, workload)


def _sample(batches: np.ndarray) -> Sample:
    prepared = _engine.prepare(batches)
    wall, cpu = time.perf_counter(), time.process_time()
    cost = _engine.train(prepared)
    return Sample(cost, time.perf_counter() - wall, time.process_time() - cpu)
