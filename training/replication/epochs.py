"""Question 1: what happens with more epochs, and when do they stop being of use?"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from .scale import FIRST, Scale
from .works import Curves, Training, Work

VALIDATION_IMAGES = 5_000
PATIENCE = (3, 5, 10)
"""Epochs without a better validation accuracy, after which training stops."""


@dataclass(frozen=True)
class Epochs:
    """The first experiment, three times as long, watched on the validation images that the notebook never used."""

    scale: Scale
    name: str = "question-1"

    @property
    def training(self) -> Training:
        return Training(self.scale.settings(FIRST, self.scale.seeds[0], epochs=self.scale.long))

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [self.training]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """Epochs are counted from 1 here. enough: the first within a standard error of the best (Breiman et al. 1984).

        first_rise: the first epoch whose cost is above the last one's, where the notebook would have stopped.
        """
        curves = Curves.of(finished[self.training.name])
        accuracy = curves.validation_accuracy
        best = int(np.argmax(accuracy))
        error = sqrt(accuracy[best] * (1 - accuracy[best]) / VALIDATION_IMAGES)
        rises = np.flatnonzero(np.diff(curves.cost) > 0)
        return {
            "run": self.training.name,
            "best": _at(curves, best),
            "standard_error": error,
            "enough": _at(curves, int(np.argmax(accuracy >= accuracy[best] - error))),
            "first_rise": _at(curves, int(rises[0]) + 1) if len(rises) else None,
            "rises": len(rises),
            "last": _at(curves, len(accuracy) - 1),
            "stopping": [stopped(curves, patience) for patience in PATIENCE],
        }


def stopped(curves: Curves, patience: int) -> dict[str, Any]:
    """Early stopping after the fact: the epoch in which it stops, and the figures of the weights that it keeps, those
    of the best validation accuracy until then. Where it does not stop, "stopped" is None."""
    best = 0
    for epoch, accuracy in enumerate(curves.validation_accuracy):
        if accuracy > curves.validation_accuracy[best]:
            best = epoch
        if epoch - best >= patience:
            return {"patience": patience, "stopped": epoch + 1, **_at(curves, best)}
    return {"patience": patience, "stopped": None, **_at(curves, best)}


def _at(curves: Curves, index: int) -> dict[str, Any]:
    return {"epoch": index + 1} | {name: float(curve[index]) for name, curve in curves._asdict().items()}
