"""The rungs from eager execution to one compiled loop: what each costs before its first step, gains, and rounds."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple, Protocol, get_args

import numpy as np
import tensorflow as tf

from core import Program
from core.engine.executions import Execution
from core.seeds import generator

from ...runs.paired import Ratio, paired_ratio
from ...workloads.workload import in_dtype
from .drift import Drift, Walk, drift, vector

EXECUTIONS: tuple[Execution, ...] = get_args(Execution)
EAGER_SHARE = 5
"""An eager sample takes a fifth of the others' steps: one is the slower by about as much or more."""


class Subject(NamedTuple):
    """A program and the variables that it trains."""

    program: Program
    variables: Mapping[str, tf.Variable]


class Build(Protocol):
    """Makes a new program, always from the same values, in an execution and a dtype, their own unless given."""

    def __call__(self, execution: str, dtype: tf.DType | None = None) -> Subject: ...


class Rung(NamedTuple):
    """One execution beside the others.

    compile_seconds: of tracing and compiling, the median of some compilations: a first call, less its steps at the
                     rate of later ones. None in "eager".
    step_seconds:    the median over rounds.
    ratio:           how many times as long a step takes as one of "xla-loop", paired within rounds.
    over_before:     steps after which compilation has paid for itself against the rung before; None where its steps
                     are not surely faster, and in "eager".
    over_eager:      the same against "eager".
    drift:           from a run in float64, after one call.
    """

    execution: Execution
    compile_seconds: float | None
    step_seconds: float
    ratio: Ratio
    over_before: int | None
    over_eager: int | None
    drift: Drift


def ladder(
    build: Build,
    data: Sequence[tf.Tensor],
    batches: np.ndarray,
    rounds: int,
    compilations: int,
    seed: int = 0,
    heard: Callable[[str], None] = lambda doing: None,
) -> list[Rung]:
    """All four executions from one start on the same batches, a call of which is the unit of everything.

    rounds: at least 2; each takes one sample of every execution, in an order shuffled anew.
    compilations: of each execution, interleaved. seed: of the order. heard: called with the name of each piece
    of work, as often as `pieces` says.
    """
    heard("float64")
    reference = walk(build("graph", tf.float64), in_dtype(data, tf.float64), batches)
    _start_xla()
    subjects, walks = dict[Execution, Subject](), dict[Execution, Walk]()
    first: dict[Execution, list[float]] = {execution: [] for execution in EXECUTIONS}
    for number in range(compilations):
        for execution in EXECUTIONS[number > 0 :]:  # eager has nothing to compile again
            heard(f"compiling {execution}")
            subjects[execution] = build(execution)
            begin = time.perf_counter()
            walks[execution] = walk(subjects[execution], data, batches)
            first[execution].append(time.perf_counter() - begin)
    seconds: dict[Execution, list[float]] = {execution: [] for execution in EXECUTIONS}
    random = generator(seed, "rounds")
    for number in range(rounds):
        heard(f"round {number + 1} of {rounds}")
        for place in random.permutation(len(EXECUTIONS)):
            execution = EXECUTIONS[place]
            seconds[execution].append(sample(subjects[execution].program, data, batches))
    return rungs(first, seconds, len(batches), {each: drift(one, reference) for each, one in walks.items()})


def pieces(rounds: int, compilations: int) -> int:
    """How often `ladder` calls `heard`."""
    return 2 + compilations * (len(EXECUTIONS) - 1) + rounds


def walk(subject: Subject, data: Sequence[tf.Tensor], batches: np.ndarray) -> Walk:
    """One call of a program, from the variables as they are."""
    start = vector(subject.variables)
    costs = subject.program.run(data, batches).numpy()
    return Walk(start, vector(subject.variables), float(costs[-1]))


def rungs(
    first: dict[Execution, list[float]],
    seconds: dict[Execution, list[float]],
    steps: int,
    drifts: dict[Execution, Drift],
) -> list[Rung]:
    """From the seconds of each first call, and of a step in each round.

    steps: of a first call.
    """
    step = {execution: median(values) for execution, values in seconds.items()}
    compiling = {each: max(0.0, median(values) - steps * step[each]) for each, values in first.items()}
    compiling["eager"] = 0.0

    def pays(execution: Execution, over: Execution) -> int | None:
        if paired_ratio(seconds[over], seconds[execution]).low <= 1:  # so noisy that it may be none the faster
            return None
        return break_even(compiling[execution] - compiling[over], step[over] - step[execution])

    found = []
    for before, execution in zip((None, *EXECUTIONS), EXECUTIONS, strict=False):
        found.append(
            Rung(
                execution,
                None if before is None else compiling[execution],
                step[execution],
                paired_ratio(seconds[execution], seconds["xla-loop"]),
                None if before is None else pays(execution, before),
                None if before is None else pays(execution, "eager"),
                drifts[execution],
            )
        )
    return found


def break_even(more: float, gained: float) -> int | None:
    """The steps after which a start longer by `more` seconds is made up for by `gained` seconds a step.

    0 for one that takes no longer, unless its steps are slower; None where it never is.
    """
    if gained <= 0:
        return None
    return max(0, math.ceil(more / gained))


def sample(program: Program, data: Sequence[tf.Tensor], batches: np.ndarray) -> float:
    """Seconds a step of one call."""
    taken = batches[: max(1, len(batches) // EAGER_SHARE)] if not program.execution.traced else batches
    begin = time.perf_counter()
    program.run(data, taken).numpy()
    return (time.perf_counter() - begin) / len(taken)


def _start_xla() -> None:
    """XLA sets itself up with the first program of a process: that is no program's own time."""
    tf.function(lambda x: x + 1, autograph=False, jit_compile=True)(tf.constant(0.0))
