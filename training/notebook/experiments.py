"""The notebook's seven experiments and its five resumed epochs, over seeds, beside what it printed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from .bands import FEWEST, Beside, Difference
from .printed import EPOCHS, EXPERIMENTS, RESUMED_COSTS, Printed
from .scale import FIRST, Scale
from .works import Curves, Resumption, Training, Work

COMPARED_EPOCHS = (1, 11, 21)
"""Counted from 1; the notebook, which counts from 0, calls them 0, 10 and 20."""
ORDERINGS = (("adam-lr-0.005", "adam", "adam-lr-0.0005"), ("adam-batch-50", "adam", "adam-batch-200"))
"""Of test accuracy, the best first, as the notebook found them."""


class _BesideTheNotebook(ABC):
    """Runs over the seeds, of which the notebook printed figures; where one of these is outside the band, more seeds
    are made, and it is looked at again."""

    scale: Scale

    @abstractmethod
    def runs(self, seeds: Sequence[int]) -> Sequence[Work]:
        """The run of each seed."""

    @abstractmethod
    def needs(self, seeds: Sequence[int]) -> Sequence[Work]:
        """These runs, and what they go on from."""

    @abstractmethod
    def rows(self, curves: Sequence[Curves]) -> list[Beside]:
        """What was printed beside the same of these runs."""

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        works = [*self.needs(self.scale.seeds)]
        if all(work.name in finished for work in works) and self._outside(finished):
            works += self.needs(self.scale.more_seeds)
        return works

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """beside: what was printed beside our seeds; again: what lay outside, beside our seeds and more."""
        outside, again = self._outside(finished), []
        if outside and self.scale.more_seeds:
            rows = self.rows(self._curves((*self.scale.seeds, *self.scale.more_seeds), finished))
            again = [row for row in rows if row.what in outside]
        curves = self._curves(self.scale.seeds, finished)
        return {
            "runs": [work.name for work in self.runs(self.scale.seeds)],
            "beside": [asdict(row) for row in self.rows(curves)],
            "again": [asdict(row) for row in again],
            "test_accuracies": [float(c.test_accuracy[-1]) for c in curves],
        }

    def _outside(self, finished: Mapping[str, Any]) -> list[str]:
        """Which of the figures are outside the band, where there are seeds enough to say so."""
        if len(self.scale.seeds) < FEWEST:
            return []
        return [row.what for row in self.rows(self._curves(self.scale.seeds, finished)) if row.outside != 0]

    def _curves(self, seeds: Sequence[int], finished: Mapping[str, Any]) -> list[Curves]:
        return [Curves.of(finished[work.name]) for work in self.runs(seeds)]


@dataclass(frozen=True)
class Experiment(_BesideTheNotebook):
    """One experiment."""

    scale: Scale
    printed: Printed

    @property
    def name(self) -> str:
        return self.printed.name

    def runs(self, seeds: Sequence[int]) -> list[Training]:
        return [Training(self.scale.settings(self.printed, seed)) for seed in seeds]

    needs = runs

    def rows(self, curves: Sequence[Curves]) -> list[Beside]:
        """Costs of three epochs; accuracy, where as many epochs were made as the notebook made."""
        epochs = self.scale.epochs
        rows = [
            Beside.of(
                f"cost of epoch {epoch}", self.printed.costs[epoch - 1], [float(c.cost[epoch - 1]) for c in curves]
            )
            for epoch in COMPARED_EPOCHS
            if epoch <= epochs
        ]
        if epochs == EPOCHS:
            accuracies = [float(c.test_accuracy[-1]) for c in curves]
            rows.append(Beside.of("test accuracy", self.printed.test_accuracy, accuracies))
        return rows


@dataclass(frozen=True)
class Resume(_BesideTheNotebook):
    """Five more epochs of the first experiment, from its checkpoints."""

    scale: Scale
    name: str = "resume"

    def runs(self, seeds: Sequence[int]) -> list[Resumption]:
        return [Resumption(training) for training in Experiment(self.scale, FIRST).runs(seeds)]

    def needs(self, seeds: Sequence[int]) -> list[Work]:
        return [work for run in self.runs(seeds) for work in (run.before, run)]

    def rows(self, curves: Sequence[Curves]) -> list[Beside]:
        """The cost of each resumed epoch, where as many came before as in the notebook."""
        return [
            Beside.of(f"cost of resumed epoch {epoch}", printed, [float(c.cost[epoch - 1]) for c in curves])
            for epoch, printed in enumerate(RESUMED_COSTS, start=1)
            if self.scale.epochs == EPOCHS
        ]


def orderings(experiments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each pair of neighbours in the notebook's orderings: its accuracies, ours, and their paired difference.

    experiments: the figures of the experiments by name.
    """
    printed = {experiment.name: experiment.test_accuracy for experiment in EXPERIMENTS}
    rows = []
    for better, worse in [pair for order in ORDERINGS for pair in pairwise(order)]:
        if better in experiments and worse in experiments:
            ours, theirs = (experiments[name]["test_accuracies"] for name in (better, worse))
            rows.append(
                {
                    "better": better,
                    "worse": worse,
                    "printed": printed[better] - printed[worse],
                    "difference": asdict(Difference.of(ours, theirs)),
                    "seeds_that_agree": sum(our > their for our, their in zip(ours, theirs, strict=True)),
                    "seeds": len(ours),
                }
            )
    return rows
