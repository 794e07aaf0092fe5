"""A run with the recorder on, until it is done or a signal ends it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from core import Optimizer, Recorder

from ..data import Dataset
from ..display import RunDisplay, Tally
from ..loop import Trainer
from ..record import circumstances
from ..results import report
from .elements import elements, telling_elements
from .own_cost import PIECES, own_cost
from .trace import Trace


def recorder_of(
    dataset: Dataset,
    every: int,
    figures: Sequence[str],
    layers: Sequence[str] | None,
    values: Sequence[str],
    follow: Sequence[str] | None,
) -> Callable[[Optimizer], Recorder]:
    """What makes the recorder of an optimizer, as the command's options ask for it.

    Raises InputError for elements that are not written as such; what it returns raises what `Recorder` does.
    """
    coordinates = elements(telling_elements(dataset) if follow is None else follow)

    def record(optimizer: Optimizer) -> Recorder:
        return Recorder(
            optimizer, every=every, figures=figures, layers=layers, values=values, coordinates=coordinates
        )  # fmt: skip

    return record


def traced(trainer: Trainer, record: Callable[[Optimizer], Recorder], cost: bool, signals: Sequence[Any]) -> Trace:
    """Trains to the end, or until there is a signal; measures then, if asked, what recording costs.

    record: what made the trainer's recorder.
    """
    assert trainer.recorder is not None, "the trainer was made with a recorder"
    before = circumstances("rawstep")
    with RunDisplay(trainer) as display:
        for call in trainer.train():
            if signals:
                break
            display.after_call(call)
    measured = None
    if cost and not signals:
        with Tally(PIECES) as tally:
            measured = own_cost(trainer, record, tally.begin, lambda: signals)
    steps, columns = trainer.recorder.recording()
    found = Trace(steps, columns, {})
    about = (
        before
        | report(trainer)
        | {
            "steps_taken": trainer.step,
            "interrupted": not trainer.finished,
            "recorder": {"every": trainer.recorder.every, "layers": found.layers, "follow": found.elements},
            "own_cost": None if measured is None else asdict(measured),
        }
    )
    return found._replace(about=about)
