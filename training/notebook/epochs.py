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

RISES = (0.0, 0.2, 0.5, 1.0)
"""Of the cost from one epoch to the next, as shares of it: what the notebook may have called much."""


@dataclass(frozen=True)
class Epochs:
    """The first experiment, longer, watched on the validation images that the notebook never used."""

    scale: Scale
    name: str = "question-1"

    @property
    def training(self) -> Training:
        return Training(self.scale.settings(FIRST, self.scale.seeds[0], epochs=self.scale.long))

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [self.training]

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        """Epochs are counted from 1 here. enough: the first within a standard error of the best (Breiman et al. 1984).

        near: how many after `enough` are so near it, too. rises: the first epoch whose cost is above the last one's
        by a share or more, where the notebook would stop, if that is what it calls much.
        """
        curves = Curves.of(finished[self.training.name])
        accuracy = curves.validation_accuracy
        best = int(np.argmax(accuracy))
        error = sqrt(accuracy[best] * (1 - accuracy[best]) / VALIDATION_IMAGES)
        near = accuracy >= accuracy[best] - error
        enough = int(np.argmax(near))
        return {
            "run": self.training.name,
            "best": _at(curves, best),
            "standard_error": error,
            "enough": _at(curves, enough),
            "near": int(near[enough + 1 :].sum()),
            "rises": [{"by": by, "at": _first_rise(curves, by)} for by in RISES],
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


def _first_rise(curves: Curves, by: float) -> dict[str, Any] | None:
    """The first epoch whose cost is above the last one's by this share of it or more; None where there is none."""
    rises = np.flatnonzero(np.diff(curves.cost) / curves.cost[:-1] > by)
    return _at(curves, int(rises[0]) + 1) if len(rises) else None


def _at(curves: Curves, index: int) -> dict[str, Any]:
    return {"epoch": index + 1} | {name: float(curve[index]) for name, curve in curves._asdict().items()}
