"""The paired comparison: engines in processes of their own, one sample of each a round, in shuffled order.

A machine's speed drifts, by a factor of two within minutes on a shared one. So no time is compared but with that of
another engine in the same round, and the figure is the median of those ratios.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from core.errors import SlowExecutionWarning
from core.mistakes import mistakes_in
from core.seeds import generator
from training.runs.processes import Process

from .contestants import Contestant, Sample, able, compare_costs, engines, leave_out_beaten
from .engines import ALONE, Engine, build, environment
from .processes import cpu_seconds, peak_memory_mb
from .work import Work

FIRST_STEPS = 10


class EngineProcess(Process):
    """An engine in a process of its own, which waits while it is asked for nothing."""

    def __init__(self, name: str, work: Work):
        super().__init__(environment(name, work))
        self._built = self.submit(_build, name, work)

    def wait_until_built(self) -> None:
        self._built.result()

    def sample(self, batches: np.ndarray) -> Sample:
        return self.submit(_sample, batches).result()

    def peak_memory_mb(self) -> float:
        return self.submit(peak_memory_mb).result()


def compare(
    names: Sequence[str],
    work: Work,
    rounds: int,
    heard: Callable[[str], None] = lambda doing: None,
    failed: Callable[[str], None] = lambda sentence: None,
) -> list[Contestant]:
    """Lets engines do the same samples of a work, one after another within each round; returns what was seen of each.

    All start from the same weights; the first of `names` sets the costs that the others must have, over ten steps and
    over an untimed sample. An engine that has other costs, or raises an error, takes no further part: its `failure`
    says why, and `failed` is called with a sentence at once. `heard` is called with what goes on.

    A KeyboardInterrupt ends the rounds; those that were complete are returned if there are two or more, and it is
    raised again if there are fewer.
    """
    sampler, random = work.sampler(), generator(work.seed, "rounds")
    contestants = [Contestant(name, failed=failed) for name in names]
    processes: dict[Contestant, EngineProcess] = {}
    try:
        for contestant in contestants:
            heard(f"starting {contestant.name}")
            begin = time.perf_counter()
            process = processes[contestant] = EngineProcess(contestant.name, work)
            if contestant.name not in ALONE:  # whose starts are not measured, and may overlap
                contestant.attempt(process.wait_until_built)
                contestant.start = time.perf_counter() - begin
        for contestant in contestants:
            if contestant.name in ALONE:
                contestant.attempt(processes[contestant].wait_until_built)
        heard("first steps")
        batches = sampler.take(FIRST_STEPS)
        for contestant in able(contestants):
            contestant.first = contestant.attempt(processes[contestant].sample, batches)
        compare_costs(contestants, "first", work.first_steps_may_differ)
        heard("warming up")
        batches = sampler.take(work.steps)
        for contestant in able(contestants):
            contestant.warm_up = contestant.attempt(processes[contestant].sample, batches)
        compare_costs(contestants, "warm_up", work.warm_up_may_differ)
        leave_out_beaten(contestants)
        with _rounds_kept(contestants):
            for number in range(rounds):
                left = able(contestants)
                if not engines(left):
                    break
                heard(f"round {number + 1} of {rounds}")
                batches = sampler.take(work.steps)
                for contestant in (left[place] for place in random.permutation(len(left))):
                    sample = contestant.attempt(processes[contestant].sample, batches)
                    contestant.samples += [sample] if sample else []
        for contestant in able(contestants):
            contestant.memory_mb = contestant.attempt(processes[contestant].peak_memory_mb)
    finally:
        for process in processes.values():
            process.stop()
    return contestants


@contextmanager
def _rounds_kept(contestants: Sequence[Contestant]) -> Iterator[None]:
    """Ctrl-C ends what is done here; the rounds that were complete stay, if a median can be taken of them."""
    try:
        yield
    except KeyboardInterrupt:
        complete = min((len(contestant.samples) for contestant in able(contestants)), default=0)
        if complete < 2:
            raise
        for contestant in contestants:
            del contestant.samples[complete:]


_engine: Engine
"""Of an engine's own process."""


def _build(name: str, work: Work) -> None:
    global _engine
    warnings.simplefilter("ignore", SlowExecutionWarning)  # how slow is what is asked for
    _engine = build(name, work)


def _sample(batches: np.ndarray) -> Sample:
    with mistakes_in(_engine, method="train"):
        prepared = _engine.prepare(batches)
        cpu, wall = cpu_seconds(), time.perf_counter()
        cost = _engine.train(prepared)
        wall = time.perf_counter() - wall
        return Sample(cost, wall, cpu_seconds() - cpu)
