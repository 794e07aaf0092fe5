"""A certificate's units, one claim in one dtype each, judged here or several at a time in processes of their own."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, NamedTuple

from core import InputError
from core.verification import DTYPES, Claim, Row, Streams
from core.verification.claims import Lacking

from ...runs.processes import Process, cores
from .subjects import claims_about

MOST_JOBS = 8
"""Processes at a time unless more are asked for: each holds TensorFlow and its compiler."""
CHECK_SECONDS = 0.2

Claims = Sequence[Claim | Lacking]


class Unit(NamedTuple):
    """A claim, by its number among those of `Work`, in one dtype."""

    claim: int
    dtype: str


class Work(NamedTuple):
    """What a process needs to judge units: the arguments of `claims_about`, gradients by dtype, and executions."""

    asked: tuple[Any, ...]
    streams: Mapping[str, Streams]
    executions: tuple[str, ...]

    def rows(self, claims: Claims, unit: Unit) -> list[Row]:
        """Judges one unit of these claims."""
        return [*claims[unit.claim].rows(self.streams[unit.dtype], self.executions)]


def units_of(claims: Claims, dtypes: Sequence[str] | None) -> list[Unit]:
    """Of these claims in these dtypes, or in all in which each can be asked."""
    chosen = dict.fromkeys(dtypes or DTYPES)
    return [Unit(n, one) for n, claim in enumerate(claims) for one in chosen if dtypes or claim.can_be_asked(one)]


def judged(
    claims: Claims,
    work: Work,
    units: Sequence[Unit],
    jobs: int | None,
    begin: Callable[[str], None],
    check: Callable[[], None],
) -> list[Row]:
    """The rows of all units of these claims, in their order.

    jobs:  how many processes judge at a time; 1 is this one. Unless given, as many as there are cores, and at most
           `MOST_JOBS`.
    begin: called with the name of each unit as it begins. check: called before each, and often meanwhile; it may raise.

    Raises InputError as `Claim.rows` does, and where a process died.
    """
    names = {unit: f"{claims[unit.claim].name} ({claims[unit.claim].dialect}), {unit.dtype}" for unit in units}
    jobs = min(jobs or min(cores(), MOST_JOBS), len(units))
    if jobs == 1:
        rows = []
        for unit in units:
            check()
            begin(names[unit])
            rows += work.rows(claims, unit)
        return rows
    with ExitStack() as stack:
        idle = [Process() for _ in range(jobs)]
        for process in idle:
            stack.callback(process.stop)
            process.submit(_prepare, work)
        waiting, running, found = [*reversed(units)], {}, {}
        try:
            while waiting or running:
                while waiting and idle:
                    unit, process = waiting.pop(), idle.pop()
                    begin(names[unit])
                    running[process.submit(_judge, unit)] = unit, process
                done, _ = wait(running, CHECK_SECONDS, FIRST_COMPLETED)
                check()
                for future in done:
                    unit, process = running.pop(future)
                    found[unit] = future.result()
                    idle.append(process)
        except BrokenProcessPool as death:
            raise InputError("A process that judged was killed; --jobs 1 starts none and needs less memory.") from death
    return [row for unit in units for row in found[unit]]


_here: tuple[Claims, Work]
"""What a process judges that judges for another."""


def _prepare(work: Work) -> None:
    global _here
    _here = claims_about(*work.asked), work


def _judge(unit: Unit) -> list[Row]:
    claims, work = _here
    return work.rows(claims, unit)
