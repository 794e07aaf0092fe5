"""What can train the workload, each as its own users would write it; one library's ways a file.

An engine is built from a `Workload`. `prepare(batches)` puts example numbers [steps, batch size] into the form that
its users hand over, outside the time that is measured. `train(prepared)` takes those steps, waits until they are
done, and returns the mean of their costs.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import numpy as np

from core import InputError

from ..workload import Workload


class Engine(Protocol):
    def prepare(self, batches: np.ndarray) -> Any: ...

    def train(self, prepared: Any) -> float: ...


class Entry(NamedTuple):
    """Where an engine is, its settings, and the packages that it needs beyond rawstep's own.

    place: module:Class, imported in the engine's own process alone.
    """

    place: str
    settings: Mapping[str, Any] = {}
    packages: tuple[str, ...] = ()


_HERE = "benchmarks.engines"
_JAX = ("jax", "optax")

ENGINES: Mapping[str, Entry] = {
    "xla-loop": Entry(f"{_HERE}.rawstep_program:RawstepProgram"),
    "xla-step": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "xla-step"}),
    "graph": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "graph"}),
    "eager": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "eager"}),
    "tf1-session": Entry(f"{_HERE}.notebook_session:NotebookSession"),
    "keras-fit": Entry(f"{_HERE}.keras_fit:KerasFit"),
    "keras-jit": Entry(f"{_HERE}.keras_fit:KerasFit", {"jit_compile": True}),
    "keras-epoch": Entry(f"{_HERE}.keras_fit:KerasFit", {"jit_compile": True, "steps_per_execution": None}),
    "keras-unrolled": Entry(
        f"{_HERE}.keras_fit:KerasFit", {"jit_compile": True, "steps_per_execution": 50, "unrolled": 5}
    ),
    "keras-step": Entry(f"{_HERE}.keras_step:KerasStep"),
    "frozen-step": Entry(f"{_HERE}.frozen_step:FrozenStep"),
    "jax-step": Entry(f"{_HERE}.jax_optax:JaxStep", packages=_JAX),
    "jax-scan": Entry(f"{_HERE}.jax_optax:JaxScan", packages=_JAX),
    "torch-eager": Entry(f"{_HERE}.torch_adam:TorchAdam", packages=("torch",)),
    "torch-fused": Entry(f"{_HERE}.torch_adam:TorchAdam", {"fused": True}, packages=("torch",)),
    "torch-compiled": Entry(f"{_HERE}.torch_adam:TorchAdam", {"compiled": True}, packages=("torch",)),
}


def check_name(name: str) -> None:
    """Raises InputError for a name that is none of these and no module:Class either."""
    if name not in ENGINES and ":" not in name:
        raise InputError(f"There is no engine {name!r}; there are: {', '.join(ENGINES)}, or give module:Class.")


def build(name: str, workload: Workload) -> Engine:
    """One of the engines above, or module:Class. Raises InputError where a package that it needs is not installed."""
    entry = ENGINES.get(name, Entry(name))
    if absent := [package for package in entry.packages if find_spec(package) is None]:
        raise InputError(f"{' and '.join(absent)} not installed: pip install -e '.[peers]'")
    module, _, attribute = entry.place.partition(":")
    return getattr(import_module(module), attribute)(workload, **entry.settings)
