"""The paired comparison: engines in processes of their own, one sample of each a round, in shuffled order.

A machine's speed drifts, by a factor of two within minutes on a shared one. So no time is compared but with that of
another engine in the same round, and the figure is the median of those ratios.
"""

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import InitVar, dataclass, field
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from core import InputError
from core.seeds import generator
from training.results import peak_memory_mb

from .engines import CEILINGS, Engine, build, environment
from .workload import Work

FIRST_STEPS = 10


class Sample(NamedTuple):
    """One engine's part of one round.

    cost: the mean over its steps; None of a ceiling, which trains nothing. wall and cpu: seconds, of all threads of
    its process for the latter.
    """

    cost: float | None
    wall: float
    cpu: float


@dataclass(eq=False)
class Contestant:
    """What was seen of an engine; the same one may take part twice, to show what a ratio of 1 looks like.

    start:     seconds to import, load the data and build it.
    first:     the first ten steps, with all that is traced and compiled for them.
    warm_up:   the sample before the measurement.
    samples:   one for each round that was completed.
    failure:   why it takes no further part, if it does not.
    memory_mb: the most main memory that its process held, in 10⁶ bytes.
    failed:    is called with a sentence as soon as it fails.
    """

    name: str
    start: float | None = None
    first: Sample | None = None
    warm_up: Sample | None = None
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None
    memory_mb: float | None = None
    failed: InitVar[Callable[[str], None]] = lambda sentence: None

    def __post_init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed

    @property
    def walls(self) -> list[float]:
        """Seconds of each sample."""
        return [sample.wall for sample in self.samples]

    def fail(self, reason: str) -> None:
        self.failure = reason
        self._failed(f"{self.name} failed: {reason}.")

    def attempt(self, task: Callable[..., Any], *arguments: Any, refusals: type[Exception] | tuple = ()) -> Any:
        """What the task returns, or None and a failure: one engine's end is not that of all. Raises `refusals`."""
        try:
            return task(*arguments)
        except refusals:
            raise
        except BrokenProcessPool:
            self.fail("its process died")
        except Exception as error:  # whatever an engine may come to
            self.fail(f"{type(error).__name__}: {error}".partition("\n")[0].rstrip("."))
        return None


class EngineProcess:
    """An engine in a process of its own, which waits while it is asked for nothing."""

    def __init__(self, name: str, work: Work):
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _settle_in)
        with _environment(environment(name, work.device)):
            self._number = self._executor.submit(os.getpid)
        self._built = self._executor.submit(_build, name, work)

    def wait_until_built(self) -> None:
        self._built.result()

    def sample(self, batches: np.ndarray) -> Sample:
        return self._executor.submit(_sample, batches).result()

    def peak_memory_mb(self) -> float:
        return self._executor.submit(peak_memory_mb).result()

    def stop(self) -> None:
        """At once, whatever it is doing: it may be compiling for a minute yet."""
        with suppress(BrokenProcessPool, ProcessLookupError):
            os.kill(self._number.result(), signal.SIGTERM)
        self._executor.shutdown(cancel_futures=True)


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
    raised again if there are fewer. Raises InputError for an engine that cannot be imported, before anything is timed.
    """
    sampler, random = work.sampler(), generator(work.seed, "rounds")
    contestants = [Contestant(name, failed=failed) for name in names]
    processes: dict[Contestant, EngineProcess] = {}
    try:
        for contestant in contestants:
            heard(f"starting {contestant.name}")
            begin = time.perf_counter()
            process = processes[contestant] = EngineProcess(contestant.name, work)
            contestant.attempt(process.wait_until_built, refusals=InputError)
            contestant.start = time.perf_counter() - begin
        heard("first steps")
        batches = sampler.take(FIRST_STEPS)
        for contestant in _able(contestants):
            contestant.first = contestant.attempt(processes[contestant].sample, batches)
        compare_costs(contestants, "first", work.first_steps_may_differ)
        heard("warming up")
        batches = sampler.take(work.steps)
        for contestant in _able(contestants):
            contestant.warm_up = contestant.attempt(processes[contestant].sample, batches)
        compare_costs(contestants, "warm_up", work.warm_up_may_differ)
        with _rounds_kept(contestants):
            for number in range(rounds):
                if not _engines(_able(contestants)):
                    break
                heard(f"round {number + 1} of {rounds}")
                batches = sampler.take(work.steps)
                able = _able(contestants)
                for contestant in (able[place] for place in random.permutation(len(able))):
                    sample = contestant.attempt(processes[contestant].sample, batches)
                    contestant.samples += [sample] if sample else []
        for contestant in _able(contestants):
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
        complete = min((len(contestant.samples) for contestant in _able(contestants)), default=0)
        if complete < 2:
            raise
        for contestant in contestants:
            del contestant.samples[complete:]


def _able(contestants: Sequence[Contestant]) -> list[Contestant]:
    return [contestant for contestant in contestants if contestant.failure is None]


def _engines(contestants: Sequence[Contestant]) -> list[Contestant]:
    """All but the ceilings, which have no costs."""
    return [contestant for contestant in contestants if contestant.name not in CEILINGS]


def compare_costs(contestants: Sequence[Contestant], part: str, may_differ: float) -> None:
    """Fails the engines whose costs of a part, "first" or "warm_up", are no finite numbers, or differ from those of the
    first engine that is left by more than a share of them."""
    for contestant in _engines(_able(contestants)):
        if not (isinstance(cost := getattr(contestant, part).cost, Real) and math.isfinite(cost)):
            contestant.fail(f"its mean cost must be a finite number, found {cost!r}")
    able = _engines(_able(contestants))
    for contestant in able[1:]:
        expected, found = (getattr(who, part).cost for who in (able[0], contestant))
        if not abs(found - expected) <= may_differ * abs(expected):
            contestant.fail(f"it trains something else: mean cost {found:.6g}, {able[0].name} has {expected:.6g}")


_engine: Engine
"""Of an engine's own process."""


def _settle_in() -> None:
    """Ctrl-C reaches all processes of a terminal, and the conductor alone answers it; its end is that of them all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_the_conductor() -> None:
        if conductor := multiprocessing.parent_process():
            conductor.join()
            os._exit(1)

    threading.Thread(target=end_with_the_conductor, daemon=True).start()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """For the processes that are started meanwhile: what TensorFlow and XLA read only once, as they are imported."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _build(name: str, work: Work) -> None:
    global _engine
    _engine = build(name, work)


def _sample(batches: np.ndarray) -> Sample:
    prepared = _engine.prepare(batches)
    wall, cpu = time.perf_counter(), time.process_time()
    cost = _engine.train(prepared)
    return Sample(cost, time.perf_counter() - wall, time.process_time() - cpu)
