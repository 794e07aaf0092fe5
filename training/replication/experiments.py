"""The notebook's seven experiments and its five resumed epochs, over seeds, beside what it printed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from .bands import Beside, Difference
from .printed import EPOCHS, EXPERIMENTS, RESUMED_COSTS, Printed
from .scale import FIRST, Scale
from .works import Curves, Resumption, Training, Work

COMPARED_EPOCHS = (0, 10, 20)
"""Counted from 0, as the notebook does."""
ORDERINGS = (("adam-lr-0.005", "adam", "adam-lr-0.0005"), ("adam-batch-50", "adam", "adam-batch-200"))
"""Of test accuracy, the best first, as the notebook found them."""


@dataclass(frozen=True)
class Experiment:
    """One experiment over the seeds."""

    scale: Scale
    printed: Printed

    @property
    def name(self) -> str:
        return self.printed.name

    def trainings(self) -> list[Training]:
        return [Training(self.scale.settings(self.printed, seed)) for seed in self.scale.seeds]

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [*self.trainings()]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """Each compared figure beside the band; accuracy where as many epochs were made as the notebook made."""
        curves = [Curves.of(finished[work.name]) for work in self.trainings()]
        epochs = self.scale.epochs
        rows = [
            Beside.of(f"cost of epoch {epoch}", self.printed.costs[epoch], [float(c.cost[epoch]) for c in curves])
            for epoch in COMPARED_EPOCHS
            if epoch < epochs
        ]
        accuracies = [float(c.test_accuracy[-1]) for c in curves]
        if epochs == EPOCHS:
            rows.append(Beside.of("test accuracy", self.printed.test_accuracy, accuracies))
        return {
            "runs": [work.name for work in self.trainings()],
            "beside": [asdict(row) for row in rows],
            "test_accuracies": accuracies,
        }


@dataclass(frozen=True)
class Resume:
    """Five more epochs of the first experiment, from its checkpoints."""

    scale: Scale
    name: str = "resume"

    def resumptions(self) -> list[Resumption]:
        return [Resumption(training) for training in Experiment(self.scale, FIRST).trainings()]

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        resumptions = self.resumptions()
        return [*(resumption.before for resumption in resumptions), *resumptions]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        curves = [Curves.of(finished[work.name]) for work in self.resumptions()]
        rows = [
            Beside.of(f"cost of resumed epoch {epoch}", printed, [float(c.cost[epoch]) for c in curves])
            for epoch, printed in enumerate(RESUMED_COSTS)
            if self.scale.epochs == EPOCHS
        ]
        return {"runs": [work.name for work in self.resumptions()], "beside": [asdict(row) for row in rows]}


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
