"""Question 4: what happens with another batch size?"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..paired import paired_ratio
from .scale import FIRST, Scale
from .works import Curves, EpochTimes, Training, Work, steps_per_epoch


@dataclass(frozen=True)
class BatchSizes:
    """The first experiment in batches of many sizes, at equal epochs and at equal steps; one run serves for both."""

    scale: Scale
    name: str = "question-4"

    @property
    def times(self) -> EpochTimes:
        return EpochTimes(self.scale.batches, self.scale.rounds, self.scale.seeds[0])

    def epochs_of_steps(self, batch: int) -> int:
        """The epochs that come closest to the equal steps."""
        return max(1, round(self.scale.steps / steps_per_epoch(batch)))

    def training(self, batch: int) -> Training:
        epochs = max(self.scale.epochs, self.epochs_of_steps(batch))
        return Training(self.scale.settings(FIRST, self.scale.seeds[0], batch_size=batch, epochs=epochs))

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [*(self.training(batch) for batch in self.scale.batches), self.times]

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
        return {"rows": rows, "epochs": self.scale.epochs, "steps": self.scale.steps}


def _after(curves: Curves, epochs: int, batch: int) -> dict[str, Any]:
    figures = {name: float(curve[epochs - 1]) for name, curve in curves._asdict().items()}
    return {"epochs": epochs, "steps": epochs * steps_per_epoch(batch), **figures}
