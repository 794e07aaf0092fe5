"""A run as the flight recorder saw it, and the file that holds it."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core import InputError
from core.engine.reductions import HALF_OCTAVES

from ...runs.figures import figure, heading, judging
from ...workloads.data.npy import shortened
from ...workloads.data.npz import npz_arrays
from .figures import is_of_an_element, place

NAME = "trace.npz"
ABOUT, STEPS = "about", "steps"
"""The file's arrays beside the columns."""
GREATEST = 1e300
"""No figure is a whole number as large; float64 ends soon after."""
NEEDED = ("settings", "recorder", "own_cost", "versions")
"""What `about` has in any trace."""


class Trace(NamedTuple):
    """A recorded run: steps and columns as in `core.engine.recorder.Recording`; about: all else, for JSON."""

    steps: np.ndarray
    columns: Mapping[str, np.ndarray]
    about: Mapping[str, Any]

    @property
    def layers(self) -> list[str]:
        """The layers that have figures."""
        places = [place(column) for column in self.columns if not is_of_an_element(column)]
        return [*dict.fromkeys(layer for layer, _ in places if layer)]

    @property
    def elements(self) -> list[str]:
        """The elements that were followed, such as h1[300,5]."""
        return [*dict.fromkeys(place(column).layer for column in self.columns if is_of_an_element(column))]

    @property
    def judged(self) -> dict[str, str]:
        """What a person judges the run by, on the test examples: {"test accuracy": "0.9750"}."""
        names = judging(
            (name for name in self.about if name.startswith("test_")), self.about.get("judged_by", "accuracy")
        )
        return {heading(name): figure(name, self.about[name]) for name in names}

    @property
    def last(self) -> dict[str, float]:
        """Every scalar column's value in the last record; nothing where there is none."""
        scalars = {name: column for name, column in self.columns.items() if column.ndim == 1 and len(column)}
        return {name: float(column[-1]) for name, column in scalars.items()}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each recorded step of each layer, of each element that was followed and of the whole network, which
        is no layer: their scalars by name."""
        scalars = [(*place(name), column) for name, column in self.columns.items() if column.ndim == 1]
        layers = dict.fromkeys(layer for layer, _, _ in scalars)
        return [
            {"step": int(step), "layer": layer} | {key: column[i].item() for at, key, column in scalars if at == layer}
            for i, step in enumerate(self.steps)
            for layer in layers
        ]


def written(trace: Trace) -> bytes:
    """The file: a compressed npz of "steps", every column by its name, and "about", which is JSON in UTF-8."""
    file = BytesIO()
    about = np.frombuffer(json.dumps(trace.about, default=str).encode(), np.uint8)
    np.savez_compressed(file, allow_pickle=False, **{ABOUT: about, STEPS: trace.steps}, **trace.columns)
    return file.getvalue()


def load(folder: Path) -> Trace:
    """Reads the trace of a folder that `rawstep trace --out` wrote.

    Raises InputError where there is none, and where its file is damaged or something else.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{folder} holds no trace: {path} is not there.")
    try:
        path.open("rb").close()
        arrays = npz_arrays(path)
        trace = Trace(arrays.pop(STEPS), arrays, json.loads(arrays.pop(ABOUT).tobytes()))
        _check(trace)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except InputError as error:
        raise InputError(f"{path} must be a file that `rawstep trace` wrote, found one that is damaged.") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        found = shortened(f"something else: {error}")
        raise InputError(f"{path} must be a file that `rawstep trace` wrote, found {found}.") from error
    return trace


def _check(trace: Trace) -> None:
    """Raises ValueError for arrays that are those of no trace."""
    if trace.steps.ndim != 1 or trace.steps.dtype != np.int64 or "cost" not in trace.columns:
        raise ValueError("there are no steps with a cost")
    for name, column in trace.columns.items():
        shape = (len(trace.steps), HALF_OCTAVES) if place(name).key.startswith("histogram_") else (len(trace.steps),)
        if column.shape != shape or column.dtype.kind not in "fi" or not place(name).key:
            raise ValueError(f"the column {name} is {column.dtype} {list(column.shape)}, not numbers {list(shape)}")
    _check_about(trace.about)


def _check_about(about: Any) -> None:
    """Raises ValueError where what a page shows of a run is missing or something else."""
    if missing := [name for name in NEEDED if not isinstance(about, dict) or name not in about]:
        raise ValueError(f"{ABOUT} has no {missing[0]}")
    settings, cost = about["settings"], about["own_cost"]
    if not isinstance(settings, dict) or "rule_settings" not in settings:
        raise ValueError(f"{ABOUT} has no settings of a rule")
    options = [settings.get(name, {}) for name in ("rule_settings", "workload_options", "rule_options")]
    numbers = [value for name, value in about.items() if name.startswith("test_")]
    if cost is not None:
        numbers += [cost[name] for name in ("times_as_long", "low", "high")]
    if not all(isinstance(one, dict) for one in (about["recorder"], *options)):
        raise ValueError(f"{ABOUT} has settings that are none")
    if not all(isinstance(one, float) or (isinstance(one, int) and abs(one) < GREATEST) for one in numbers):
        raise ValueError(f"{ABOUT} has a figure that is none")
