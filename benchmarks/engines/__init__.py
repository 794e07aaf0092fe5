"""What can train the workload, each as its own users would write it; one engine a file.

An engine is built from a `Workload`. `prepare(batches)` puts example numbers [steps, batch size] into the form that
its users hand over, outside the time that is measured. `train(prepared)` takes those steps, waits until they are
done, and returns the mean of their costs.
"""

from importlib import import_module
from typing import Any, Protocol

import numpy as np

from core import InputError

from ..workload import Workload


class Engine(Protocol):
    def prepare(self, batches: np.ndarray) -> Any: ...

    def train(self, prepared: Any) -> float: ...


ENGINES = {
    "xla-loop": "benchmarks.engines.rawstep_program:RawstepProgram",
    "tf1-session": "benchmarks.engines.notebook_session:NotebookSession",
    "keras-fit": "benchmarks.engines.keras_fit:KerasFit",
    "frozen-step": "benchmarks.engines.frozen_step:FrozenStep",
}
"""module:Class by name. Each is imported in the engine's own process alone."""


def check_name(name: str) -> None:
    """Raises InputError for a name that is none of these and no module:Class either."""
    if name not in ENGINES and ":" not in name:
        raise InputError(f"There is no engine {name!r}; there are: {', '.join(ENGINES)}, or give module:Class.")


def build(name: str, workload: Workload) -> Engine:
    """One of the engines above, or module:Class."""
    module, _, attribute = ENGINES.get(name, name).partition(":")
    return getattr(import_module(module), attribute)(workload)
