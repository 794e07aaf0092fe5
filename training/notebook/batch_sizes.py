"""Question 4: what happens with another batch size?"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from ..runs.paired import paired_ratio
from .bands import Difference
from .scale import FIRST, Scale
from .works import Curves, EpochTimes, Training, Work, steps_per_epoch

COMPARED = (50, 100, 200)
"""The notebook's own, which are compared over all seeds."""


@dataclass(frozen=True)
class BatchSizes:
    """The first experiment in batches of many sizes: one run serves for equal epochs and for about equal steps."""

    scale: Scale
    name: str = "question-4"

    @property
    def times(self) -> EpochTimes:
        return EpochTimes(self.scale.batches, self.scale.rounds, self.scale.seeds[0])

    def epochs_of_steps(self, batch: int) -> int:
        """The epochs that come closest to the equal steps."""
        return max(1, round(self.scale.steps / steps_per_epoch(batch)))

    def training(self, batch: int, seed: int | None = None) -> Training:
        """Of the first seed, where none is given."""
        seed = self.scale.seeds[0] if seed is None else seed
        epochs = max(self.scale.epochs, self.epochs_of_steps(batch))
        return Training(self.scale.settings(FIRST, seed, batch_size=batch, epochs=epochs))

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        seeded = [self.training(batch, seed) for batch in COMPARED for seed in self.scale.seeds]
        return [*(self.training(batch) for batch in self.scale.batches), *seeded, self.times]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """times_as_long: an epoch's time in times of that in batches of 100, paired within rounds."""
        seconds = {int(batch): times for batch, times in finished[self.times.name]["seconds"].items()}
        rows = []
        for batch in self.scale.batches:
            curves = Curves.of(finished[self.training(batch).name])
            rows.append(
                {
                    "run": self.training(batch).name,
                    "batch": batch,
                    "steps_per_epoch": steps_per_epoch(batch),
                    "equal_epochs": _after(curves, self.scale.epochs, batch),
                    "equal_steps": _after(curves, self.epochs_of_steps(batch), batch),
                    "seconds": median(seconds[batch]),
                    "times_as_long": paired_ratio(seconds[batch], seconds[FIRST.batch_size])._asdict(),
                }
            )
        return {
            "rows": rows,
            "epochs": self.scale.epochs,
            "steps": self.scale.steps,
            "equal_epochs": self._differences(finished, lambda _: self.scale.epochs),
            "equal_steps": self._differences(finished, self.epochs_of_steps),
        }

    def _differences(self, finished: Mapping[str, Any], epochs: Callable[[int], int]) -> list[dict[str, Any]]:
        """Of each of the notebook's batch sizes over the next, in test accuracy after these epochs, paired by seed."""
        after = {
            batch: [
                float(Curves.of(finished[self.training(batch, seed).name]).test_accuracy[epochs(batch) - 1])
                for seed in self.scale.seeds
            ]
            for batch in COMPARED
        }
        return [
            {"smaller": smaller, "larger": larger, **asdict(Difference.of(after[smaller], after[larger]))}
            for smaller, larger in pairwise(COMPARED)
        ]


def _after(curves: Curves, epochs: int, batch: int) -> dict[str, Any]:
    figures = {name: float(curve[epochs - 1]) for name, curve in curves._asdict().items()}
    return {"epochs": epochs, "steps": epochs * steps_per_epoch(batch), **figures}
