"""Runs of several seeds as series that pictures draw."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...output.pages import COLOURS
from ..printed import EXPERIMENTS
from ..works import Curves


class Series(NamedTuple):
    """One curve with its band: values float64 [epochs], epochs from 1; printed: the notebook's, of the first epochs.

    low and high are the least and the greatest of the seeds.
    """

    name: str
    colour: str
    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    printed: list[float]


def over_seeds(
    results: Mapping[str, Any], runs: Sequence[str], curve: str, name: str, number: int, printed: Sequence[float] = ()
) -> Series:
    """One field of `Curves` of these runs, as the series of this name and number."""
    values = np.array([getattr(Curves.of(results["runs"][run]), curve) for run in runs])
    epochs = np.arange(1, values.shape[1] + 1)
    return Series(
        name,
        COLOURS[number],
        epochs,
        values.mean(axis=0),
        values.min(axis=0),
        values.max(axis=0),
        [*printed][: len(epochs)],
    )


def experiments(results: Mapping[str, Any], curve: str) -> list[Series]:
    """The notebook's experiments, as far as they were made; beside costs, those that it printed."""
    made = [printed for printed in EXPERIMENTS if printed.name in results["parts"]]
    return [
        over_seeds(
            results,
            results["parts"][printed.name]["runs"],
            curve,
            printed.name,
            EXPERIMENTS.index(printed),
            printed.costs if curve == "cost" else (),
        )
        for printed in made
    ]
