"""Makes what a replication lacks, one work after another, and puts the results together."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from signal import Signals
from typing import Any, Protocol

from core import InputError

from ..output.interruption import Interrupted
from ..output.screen import WorkDisplay
from .answers import answers
from .batch_sizes import BatchSizes
from .epochs import Epochs
from .experiments import Experiment, Resume, orderings
from .learning_rates import LearningRates
from .optimizers import Optimizers
from .place import Place
from .printed import EXPERIMENTS
from .scale import Scale
from .sittings import ThreeSittings
from .works import Work


class Part(Protocol):
    """An experiment or a question.

    scale:   how much is made.
    works:   what has to be finished for it, as far as the finished works show: it may grow.
    figures: what came of it, as JSON can hold it, once all its works are finished.
    """

    @property
    def name(self) -> str: ...

    @property
    def scale(self) -> Scale: ...

    def works(self, finished: Mapping[str, Any]) -> Sequence[Work]: ...

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]: ...


QUESTIONS = (Epochs, LearningRates, Optimizers, BatchSizes, ThreeSittings)

NAMES = (
    *(experiment.name for experiment in EXPERIMENTS),
    "resume",
    *(f"question-{number}" for number, _ in enumerate(QUESTIONS, start=1)),
)


def parts(names: Sequence[str], scale: Scale) -> list[Part]:
    """The parts of these names, in the order of `NAMES`."""
    every = [
        *(Experiment(scale, printed) for printed in EXPERIMENTS),
        Resume(scale),
        *(question(scale) for question in QUESTIONS),
    ]
    return [part for part in every if part.name in names]


def lacking(parts: Sequence[Part], finished: Mapping[str, Any]) -> Iterator[Work]:
    """The works that are not finished, in order, each once. `finished` may be added to meanwhile."""
    while missing := _missing(parts, finished):
        yield next(iter(missing.values()))


def _missing(parts: Sequence[Part], finished: Mapping[str, Any]) -> dict[str, Work]:
    """Those that are not finished, as far as the finished works show."""
    return {work.name: work for part in parts for work in part.works(finished) if work.name not in finished}


def earlier(parts: Sequence[Part], place: Place) -> dict[str, Any]:
    """The outcomes of these parts' works that are finished already. Raises InputError where one is damaged."""
    finished: dict[str, Any] = {}
    while found := {name: work for name, work in _missing(parts, finished).items() if place.run(name).exists()}:
        for name, work in found.items():
            finished[name] = place.outcome(name)
            if not work.fits(finished[name]) or "made" not in finished[name]:
                raise InputError(f"{place.run(name)} is of something else; remove it, and that run alone is repeated.")
    return finished


def results(parts: Sequence[Part], finished: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of the parts by name, the orderings, answers, and the outcomes that all of it comes from."""
    scale = parts[0].scale
    figures = {part.name: part.figures(finished) for part in parts}
    experiments = {part.name: figures[part.name] for part in parts if isinstance(part, Experiment)}
    used = {work.name: finished[work.name] for part in parts for work in part.works(finished)}
    return {
        "scale": asdict(scale),
        "parts": figures,
        "orderings": orderings(experiments),
        "answers": {name: asdict(answer) for name, answer in answers(figures, scale).items()},
        "runs": used,
    }


def conduct(
    parts: Sequence[Part], place: Place, before: Mapping[str, Any], display: WorkDisplay, signals: Sequence[Signals]
) -> dict[str, Any]:
    """Makes all that is lacking, then writes and returns the results; those of an earlier call stay until then.

    before: the circumstances; signals: those that came meanwhile.

    Raises Interrupted after the first signal, and InputError where something cannot be written; what is finished by
    then is kept.
    """

    def advance(steps: int) -> None:
        display.advance(steps)
        if signals:
            raise Interrupted(signals[0], f"finished runs are kept in {place.path}, and the same command goes on")

    finished = earlier(parts, place)
    made = {name: before[name] for name in ("date", "commit", "versions", "processor", "cores")}
    for work in lacking(parts, finished):
        display.begin(work.name, sum(missing.steps for missing in _missing(parts, finished).values()))
        begun = time.perf_counter()
        outcome = work.do(place, advance)
        outcome["made"] = made | {"seconds": time.perf_counter() - begun}
        finished[work.name] = place.keep(work.name, outcome)
    return place.finish({**before, **results(parts, finished)})
