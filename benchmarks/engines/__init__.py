"""What can train the workload, each as its own users would write it; a file for each library.

An engine is built from a `Workload`. `prepare(batches)` puts example numbers [steps, batch size] into the form that
its users hand over, outside the time that is measured. `train(prepared)` takes those steps, waits until they are
done, and returns the mean of their costs. What only updates, or only shows what the machine can do, has the same form.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import numpy as np

from core import InputError
from training.workloads.imports import import_named

from .. import devices
from ..devices import Device
from ..workload import Work


class Engine(Protocol):
    def prepare(self, batches: np.ndarray) -> Any: ...

    def train(self, prepared: Any) -> float | None: ...


class Entry(NamedTuple):
    """Where an engine is, its settings, and the packages that it needs beyond rawstep's own.

    place:      module:Class, imported in the engine's own process alone.
    xla_flags:  options of XLA, on top of the user's own.
    all_reduce: the name in `ALL_REDUCES` of what its steps wait for, if they are taken by replicas.
    """

    place: str
    settings: Mapping[str, Any] = {}
    packages: tuple[str, ...] = ()
    xla_flags: str = ""
    all_reduce: str = ""


ONE_PASS = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
"""Lets XLA's CPU compiler merge loops that read the same. With `Optimizer(…, one_pass=True)` an update is one loop; by
default Adam's is three, which read again what the others have read."""

_HERE = "benchmarks.engines"
_JAX = ("jax", "optax")


def _replicated(engine: str, number: int, holders: str, **settings: Any) -> Entry:
    """holders: of a replica each, devices or workers. settings: of the engine; those with some gather, and do not
    all-reduce."""
    name = "" if settings else f"all-reduce on {number} {holders if number > 1 else holders[:-1]}"
    given = {"engine": f"{_HERE}.{engine}", holders: number, **settings}
    return Entry(f"{_HERE}.replicas:Replicated", given, all_reduce=name)


REPLICATED: Mapping[str, Entry] = {
    **{
        f"{name}-{number}": _replicated("rawstep_program:RawstepProgram", number, holders)
        for name, holders in (("mirrored", "devices"), ("workers", "workers"))
        for number in (1, 2, 3, 4)
    },
    **{
        f"{name}-2-ordered": _replicated("rawstep_program:RawstepProgram", 2, holders, microbatches=2)
        for name, holders in (("mirrored", "devices"), ("workers", "workers"))
    },
    # Without XLA, as Keras decides under a strategy; with jit_compile=True TensorFlow 2.21 fails on logical devices:
    # "Trying to access resource … located in device CPU:1 from device CPU:0".
    "keras-mirrored-2": _replicated("keras_fit:KerasFit", 2, "devices"),
}
"""Engines that share each batch equally among replicas."""

ENGINES: Mapping[str, Entry] = {
    "xla-loop": Entry(f"{_HERE}.rawstep_program:RawstepProgram"),
    "xla-loop-one-pass": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"one_pass": True}, xla_flags=ONE_PASS),
    "xla-loop-recorded": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"every": 1}),
    "xla-loop-recorded-10": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"every": 10}),
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
    **REPLICATED,
}


UPDATERS: Mapping[str, Entry] = {
    "rawstep": Entry(f"{_HERE}.tensorflow_updates:RawstepUpdate"),
    "rawstep-one-pass": Entry(f"{_HERE}.tensorflow_updates:RawstepUpdate", {"one_pass": True}, xla_flags=ONE_PASS),
    "keras": Entry(f"{_HERE}.tensorflow_updates:KerasUpdate"),
    "keras-one-pass": Entry(f"{_HERE}.tensorflow_updates:KerasUpdate", xla_flags=ONE_PASS),
    "tf1-kernel": Entry(f"{_HERE}.tensorflow_updates:TF1Update"),
    "torch": Entry(f"{_HERE}.torch_update:TorchUpdate", packages=("torch",)),
    "optax": Entry(f"{_HERE}.optax_update:OptaxUpdate", packages=_JAX),
}
"""What can only update; see `Updates`."""

PRODUCTS: Mapping[str, Entry] = {
    "products by NumPy": Entry(f"{_HERE}.ceilings:NumpyProducts"),
    "products by TensorFlow": Entry(f"{_HERE}.ceilings:TensorFlowProducts"),
    "products by XLA": Entry(f"{_HERE}.ceilings:XlaProducts"),
}
"""One of them is the machine's rate: which is the fastest depends on the sizes, the load and NumPy's BLAS kernel."""

CEILINGS: Mapping[str, Entry] = {**PRODUCTS, "stream": Entry(f"{_HERE}.ceilings:Stream")}
"""What the machine can do."""

ALL_REDUCES: Mapping[str, Entry] = {
    entry.all_reduce: entry._replace(settings={**entry.settings, "engine": f"{_HERE}.replicas:AllReduce"})
    for entry in REPLICATED.values()
    if entry.all_reduce
}
"""What the steps of `REPLICATED` wait for."""

ALONE: Mapping[str, Entry] = {**CEILINGS, **ALL_REDUCES}
"""Parts of a step by themselves; they train nothing and have no costs."""


def check_engines(names: Sequence[str], among: Mapping[str, Entry] = ENGINES) -> None:
    """Raises InputError for an engine that cannot be imported here, before anything is timed.

    names: each is one of `among`, or module:Class, looked up in the working directory first; an @ and options of XLA
    may follow.
    """
    for name in (name.partition("@")[0] for name in names):
        if name not in among and ":" not in name:
            raise InputError(
                f"There is no engine {name!r}; there are: {', '.join(among)}, or give module:Class.", name, among
            )
        if name not in among:
            _check_own(name)
        elif absent := [package for package in among[name].packages if find_spec(package) is None]:
            install = "pip install -e '.[peers]', or choose other --engines"
            raise InputError(f"The engine {name} needs {' and '.join(absent)}, not installed here: {install}.")


def _check_own(name: str) -> None:
    engine = import_named(name)
    if not (callable(engine) and hasattr(engine, "prepare") and hasattr(engine, "train")):
        raise InputError(f"{name} must be a class with the methods prepare and train, found {engine!r}.")


def all_reduces(names: Sequence[str]) -> list[str]:
    """Those in `ALL_REDUCES` that steps of these engines wait for, each once."""
    return [name for name in dict.fromkeys(map(all_reduce_of, names)) if name]


def all_reduce_of(name: str) -> str:
    """The one of an engine, or ""."""
    return _entry(name).all_reduce


def environment(name: str, device: Device) -> dict[str, str]:
    """Variables of the environment in which an engine's process starts."""
    flags = [os.environ.get("XLA_FLAGS", ""), _entry(name).xla_flags]
    return devices.environment(device) | {"XLA_FLAGS": " ".join(flag for flag in flags if flag)}


def build(name: str, work: Work) -> Engine:
    """One of those above, or module:Class. Raises InputError where it cannot be imported."""
    entry = _entry(name)
    if work.device == "gpu":  # where TensorFlow's default is TF32
        import tensorflow as tf  # which core has brought in

        tf.config.experimental.enable_tensor_float_32_execution(work.tf32)
    return import_named(entry.place)(work, **entry.settings)


def _entry(name: str) -> Entry:
    """name@flags is an engine with these options of XLA."""
    name, _, flags = name.partition("@")
    entry = {**ENGINES, **UPDATERS, **ALONE}.get(name, Entry(name))
    return entry._replace(xla_flags=f"{entry.xla_flags} {flags}".strip())
