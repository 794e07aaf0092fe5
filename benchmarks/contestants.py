"""What is seen of engines in a comparison, and which of them are left in it."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import InitVar, dataclass, field
from numbers import Real
from typing import Any, NamedTuple

from core.mistakes import in_words

from .engines import ALONE, PRODUCTS
from .engines import may_differ as allowed

BEATEN = 3
"""Times as long as the fastest library's in the warm-up, from which a library's products are left out of the rounds: a
machine drifts by less, and on one that has other work NumPy's take thirty times as long as TensorFlow's."""


class Sample(NamedTuple):
    """One engine's part of one round.

    cost: the mean over its steps; None of what trains nothing. wall and cpu: seconds, for the latter of all threads of
    its process and of those that help it.
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
    beaten:    whether its products took several times as long as another library's: it takes no further part.
    failed:    is called with a sentence as soon as it fails.
    """

    name: str
    start: float | None = None
    first: Sample | None = None
    warm_up: Sample | None = None
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None
    memory_mb: float | None = None
    beaten: bool = False
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

    def attempt(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """What the task returns, or None and a failure: one engine's end is not that of all."""
        try:
            return task(*arguments)
        except BrokenProcessPool:
            self.fail("its process died")
        except Exception as error:  # whatever an engine may come to
            self.fail(in_words(error).rstrip("."))
        return None


def able(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Those that take further part."""
    return [contestant for contestant in contestants if contestant.failure is None and not contestant.beaten]


def engines(contestants: Sequence[Contestant]) -> list[Contestant]:
    """All except the parts of a step by themselves, which have no costs."""
    return [contestant for contestant in contestants if contestant.name not in ALONE]


def leave_out_beaten(contestants: Sequence[Contestant]) -> None:
    """Marks the libraries whose products cannot be the machine's rate, by their warm-ups."""
    seconds = {one: one.warm_up.wall for one in able(contestants) if one.name in PRODUCTS and one.warm_up}
    for contestant, wall in seconds.items():
        contestant.beaten = wall > BEATEN * min(seconds.values())


def compare_costs(contestants: Sequence[Contestant], part: str, may_differ: float) -> None:
    """Fails the engines whose costs of a part, "first" or "warm_up", are no finite numbers, or differ from those of the
    first engine that is left by more than a share of them."""
    for contestant in engines(able(contestants)):
        if not (isinstance(cost := getattr(contestant, part).cost, Real) and math.isfinite(cost)):
            contestant.fail(f"its mean cost must be a finite number, found {cost!r}")
    left = engines(able(contestants))
    for contestant in left[1:]:
        expected, found = (getattr(who, part).cost for who in (left[0], contestant))
        most = max(may_differ, allowed(contestant.name))
        if not abs(found - expected) <= most * abs(expected):
            contestant.fail(
                f"it trains something else: mean cost {found:#.7g}, {left[0].name} has {expected:#.7g}; "
                f"rounding explains {most:.0e} of it"
            )
