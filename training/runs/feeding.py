"""What a run is fed: the batches of a step, and how many steps a call takes."""

from core import InputError
from core.engine.feeds import Feed, Resident, Streamed

from ..workloads.workload import Data
from .settings import Settings

STEPS_PER_CALL, MOST_STEPS_PER_CALL = 128, 512
"""The most steps in one call: enough to make the call's own cost vanish, few enough to stop at soon. Smaller steps than
the notebook's, of 121 MFLOP, take as many as do its work, up to the second."""
NOTEBOOK_FLOP = 121_139_200
MOST_CALL_BYTES = 1 << 25
"""Of a call's examples that are read from a stream; those of the next call are in memory too, twice for a while."""


def call_lengths(steps: int, most: int = STEPS_PER_CALL) -> list[int]:
    """An epoch of `steps` steps as calls of at most `most`, of one length where that is possible.

    Every length is compiled apart. So the first number of calls is taken that divides the steps, leaves calls of 8
    steps or more and is at least two, for a time without compilation; failing that, three or more calls, of which
    the last is shorter.
    """
    fewest = -(-steps // most)
    divisors = (calls for calls in range(max(2, fewest), steps // 8 + 1) if steps % calls == 0)
    calls = next(divisors, min(steps, max(3, fewest)))
    length = -(-steps // calls)
    return [min(length, steps - start) for start in range(0, steps, length)]


def most_steps(work: int) -> int:
    """The most steps in a call, each of this many FLOP in products; 0 where they are not counted."""
    as_much = STEPS_PER_CALL * NOTEBOOK_FLOP // work if work else 0
    return min(MOST_STEPS_PER_CALL, max(STEPS_PER_CALL, as_much))


def fitting(most: int, data: Data, examples: int) -> int:
    """The most steps in a call, where a step takes `examples`: of a stream, no more than may be in memory at once."""
    if data.stream is None:
        return most
    return max(1, min(most, MOST_CALL_BYTES // (examples * sum(array[0].nbytes for array in data.train))))


def make_feed(data: Data, examples: int, seed: int) -> Feed:
    """Batches of this many training examples, of data that are held in memory or of a stream."""
    if data.stream is None:
        return Resident(data.train, examples, seed)
    return Streamed(data.stream, examples, seed, data.stream.window)


def check_accumulated(settings: Settings, data: Data) -> None:
    """Raises InputError where a step would take more examples than there are."""
    if settings.accumulate is not None and settings.examples > data.size:
        raise InputError(
            f"--accumulate {settings.accumulate} in batches of {settings.batch_size} takes {settings.examples:,} "
            f"examples a step; there are {data.size:,}."
        )
