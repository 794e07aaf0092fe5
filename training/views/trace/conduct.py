"""A run with the recorder on, until it is done or a signal ends it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from signal import Signals

from core import NonFiniteError, Optimizer, Recorder

from ...output.screen import Tally
from ...runs.conduct import endings
from ...runs.display import RunDisplay
from ...runs.record import circumstances
from ...runs.results import report
from ...runs.trainer import Trainer
from .elements import elements
from .own_cost import PIECES, own_cost
from .trace import Trace


@dataclass(frozen=True)
class Watch:
    """What is recorded; see `core.Recorder`, which `of` makes, and whose errors it raises.

    follow: elements as a person writes them, such as h1[300,5].
    """

    every: int
    figures: Sequence[str]
    layers: Sequence[str] | None
    values: Sequence[str]
    follow: Sequence[str]

    def of(self, optimizer: Optimizer) -> Recorder:
        """The recorder of an optimizer. Raises InputError for what is not there, or not written as an element is."""
        return Recorder(
            optimizer,
            every=self.every,
            figures=self.figures,
            layers=self.layers,
            values=self.values,
            coordinates=elements(self.follow),
        )


def traced(trainer: Trainer, watch: Watch, cost: bool, signals: Sequence[Signals]) -> tuple[Trace, Signals | None]:
    """Trains to the end, until there is a signal or a number that is not finite; measures after the end, if asked, what
    recording costs. Returns what was recorded, and the signal that came to this process or another worker's.

    trainer: made with `watch.of`.
    """
    assert trainer.recorder is not None, "the trainer was made with a recorder"
    before, agreed = circumstances("rawstep"), trainer.distribution.agreed
    with RunDisplay(trainer) as display, suppress(NonFiniteError):  # which the guard keeps
        for call in trainer.train():
            if agreed(signals) is not None:
                break
            display.after_call(call)
        for note in endings(trainer, None):
            display.note(note)
    measured = None
    if cost and trainer.finished:
        with Tally(PIECES) as tally:
            measured = own_cost(trainer, watch.of, tally.begin, lambda: agreed(signals))
    about = {
        "network": trainer.workload.title(trainer.data),
        "steps_taken": trainer.step,
        "interrupted": not trainer.finished,
        "recorder": asdict(watch) | {"layers": watch.layers or [*trainer.variables]},
        "own_cost": None if measured is None else asdict(measured),
    }
    trace = Trace(*trainer.recorder.recording(), before | report(trainer) | about)
    return trace, agreed(signals)
