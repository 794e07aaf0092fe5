"""Formulas left alone, several trials beside each other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .formulas import Formula
from .judge import free_run
from .rounded import Rounded
from .trial import Trial


def free_together(trials: Sequence[Trial]) -> None:
    """Runs the formulas of several trials beside each other, as one of settings by coordinate: a third of the time."""
    forms: dict[Any, list[tuple[Trial, Formula]]] = {}
    for trial in trials:
        if isinstance(of := trial.left_alone, Formula):
            choices = tuple((name, value) for name, value in of.settings.items() if isinstance(value, bool))
            form = (of.compute, of.slots, of.complement_in, of.power_in, of.running, choices, trial.longest)
            forms.setdefault(form, []).append((trial, of))
    for together in forms.values():
        _free_beside(together)


def _free_beside(together: Sequence[tuple[Trial, Formula]]) -> None:
    """Trials of one form, and of as many steps."""
    trials, formulas = zip(*together, strict=True)
    streams = trials[0].streams
    count, steps = streams.gradients.shape[1], trials[0].longest
    settings = {
        name: value if isinstance(value, bool) else _by_coordinate([one.settings[name] for one in formulas], count)
        for name, value in formulas[0].settings.items()
    }
    g, begin = np.tile(streams.gradients[:steps], len(trials)), np.tile(streams.start, len(trials))
    start = {slot: np.concatenate([trial.start[slot] for trial in trials]) for slot in trials[0].start}
    run = free_run(replace(formulas[0], settings=settings), g, begin, start)
    for number, trial in enumerate(trials):
        mine = slice(number * count, (number + 1) * count)
        trial.free_run = {
            name: Rounded(value.value[:, mine], value.error[:, mine], value.precision) for name, value in run.items()
        }


def _by_coordinate(values: Sequence[Any], count: int) -> Any:
    """A setting of several formulas, each for as many coordinates; a schedule where one is a schedule."""
    if not any(map(callable, values)):
        return np.repeat(np.array(values), count)
    return lambda step: np.concatenate(
        [np.full(count, value(step) if callable(value) else value, np.result_type(step)) for value in values]
    )
