"""Makes what a replication lacks, one work after another, and puts the results together."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from signal import Signals
from typing import Any, Protocol

from ..display import WorkDisplay
from ..interruption import Interrupted
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
    works:   what has to be finished for it, as far as what is finished tells: it may grow.
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
    """The works that are still to be made, in order, each once. `finished` may be added to meanwhile."""
    for part in parts:
        while missing := [work for work in part.works(finished) if work.name not in finished]:
            yield missing[0]


def steps_left(parts: Sequence[Part], finished: Mapping[str, Any]) -> int:
    """Training steps of all that is lacking, as far as can be told."""
    works = {work.name: work for part in parts for work in part.works(finished)}
    return sum(work.steps for name, work in works.items() if name not in finished)


def results(parts: Sequence[Part], finished: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of the parts by name, the orderings, and the outcomes that they come from."""
    figures = {part.name: part.figures(finished) for part in parts}
    experiments = {name: of for name, of in figures.items() if "test_accuracies" in of}
    used = {work.name: finished[work.name] for part in parts for work in part.works(finished)}
    return {
        "parts": figures,
        "orderings": orderings(experiments),
        "answers": {name: asdict(answer) for name, answer in answers(figures).items()},
        "runs": used,
    }


def conduct(
    parts: Sequence[Part], place: Place, before: Mapping[str, Any], display: WorkDisplay, signals: Sequence[Signals]
) -> dict[str, Any]:
    """Makes all that is lacking, and returns and writes the results, anew after each part.

    before: the circumstances; signals: those that came meanwhile.

    Raises Interrupted after the first signal, and InputError where something cannot be written; what is finished by
    then is kept.
    """

    def advance(steps: int) -> None:
        display.advance(steps)
        if signals:
            raise Interrupted(signals[0], f"finished runs are kept in {place.path}, and the same command goes on")

    finished, together = place.finished(), {}
    for number, part in enumerate(parts, start=1):
        for work in lacking([part], finished):
            display.begin(f"{part.name}: {work.name}", steps_left(parts, finished))
            begun = time.perf_counter()
            outcome = work.do(place, advance)
            made = {name: before[name] for name in ("date", "commit", "versions")}
            made["seconds"] = time.perf_counter() - begun
            finished[work.name] = place.keep(work.name, outcome | {"made": made})
        together = {**before, "scale": asdict(parts[0].scale), **results(parts[:number], finished)}
        place.finish(together)
    return together
