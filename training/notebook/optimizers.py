"""Question 3: which optimizer is the best, each at its own best learning rate?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .bands import Band, Difference
from .learning_rates import LearningRates
from .printed import RULES
from .scale import Scale
from .works import Curves, Training, Work

NOTEBOOKS_RATE = 1e-3
PAPERS_ADADELTA_RATE = 1.0
"""Zeiler 2012 has no learning rate: its update is taken as it is."""
REACHED = 0.95
"""Validation accuracy, the first epoch of which is reported."""


@dataclass(frozen=True)
class Optimizers:
    """Each optimizer at the notebook's learning rate and at its best of question 2, over the seeds; Adadelta also at
    its paper's."""

    scale: Scale
    name: str = "question-3"

    @property
    def _rates(self) -> LearningRates:
        return LearningRates(self.scale)

    def entries(self, finished: Mapping[str, Any]) -> list[tuple[str, float, str]]:
        """Rule, learning rate, and whose it is."""
        entries = []
        for rule in RULES:
            best = self._rates.best(rule, self._rates.grid(rule, finished), finished)
            entries += [(rule, NOTEBOOKS_RATE, "the notebook's")] if best != NOTEBOOKS_RATE else []
            entries.append((rule, best, "its best"))
            if rule == "adadelta" and best != PAPERS_ADADELTA_RATE:
                entries.append((rule, PAPERS_ADADELTA_RATE, "its paper's"))
        return entries

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        grid = [self._rates.training(rule, rate) for rule in RULES for rate in self._rates.grid(rule, finished)]
        if any(work.name not in finished for work in grid):
            return [*grid]
        entries = self.entries(finished)
        return [*grid, *(work for rule, rate, _ in entries for work in self._trainings(rule, rate))]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """ahead: by how much Adam is ahead of each other optimizer in test accuracy, paired by seed, both at the
        notebook's learning rate; ahead_at_best: each at its best.
        """
        rows = []
        for rule, rate, whose in self.entries(finished):
            works = self._trainings(rule, rate)
            curves = [Curves.of(finished[work.name]) for work in works]
            accuracies = [float(c.test_accuracy[-1]) for c in curves]
            reached = [int(np.argmax(c.validation_accuracy >= REACHED)) + 1 for c in curves
                       if np.any(c.validation_accuracy >= REACHED)]  # fmt: skip
            rows.append(
                {
                    "rule": rule,
                    "learning_rate": rate,
                    "whose": whose,
                    "runs": [work.name for work in works],
                    "test_accuracies": accuracies,
                    "test_accuracy": asdict(Band.of(accuracies)),
                    "cost": asdict(Band.of([float(c.cost[-1]) for c in curves])),
                    "reached": float(np.median(reached)) if len(reached) == len(curves) else None,
                }
            )
        return {"rows": rows, "ahead": _ahead(rows, lambda row: row["learning_rate"] == NOTEBOOKS_RATE),
                "ahead_at_best": _ahead(rows, lambda row: row["whose"] == "its best")}  # fmt: skip

    def _trainings(self, rule: str, rate: float) -> list[Training]:
        return [self._rates.training(rule, rate, seed) for seed in self.scale.seeds]


def _ahead(rows: Sequence[Mapping[str, Any]], among: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    accuracies = {row["rule"]: row["test_accuracies"] for row in rows if among(row)}
    adams = accuracies.pop("adam")
    return {rule: asdict(Difference.of(adams, others)) for rule, others in accuracies.items()}
