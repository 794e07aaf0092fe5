"""What can train a workload, each as its own users would write it; a file for each library.

An engine is built from a `TrainingWork`. `prepare(batches)` puts example numbers [steps, batch size] into the form that
its users hand over, outside the time that is measured. `train(prepared)` takes those steps, waits until they are
done, and returns the mean of their costs. What only updates, or only shows what the machine can do, has the same form.

One of the user's own is a function of the work, which returns `train`; see `own.OwnEngine`.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import numpy as np

from core import InputError
from core.engine.xla_options import MERGED_LOOPS
from training.workloads.imports import import_named

from .. import devices
from ..work import Work
from .own import check_own


class Engine(Protocol):
    def prepare(self, batches: np.ndarray) -> Any: ...

    def train(self, prepared: Any) -> float | None: ...


class Entry(NamedTuple):
    """Where an engine is, its settings, the packages that it needs beyond rawstep's own, and what it can train.

    place:      module:Class, imported in the engine's own process alone.
    xla_flags:  options of XLA, on top of the user's own.
    workloads:  by name, those of which it has a network; None for an engine that trains any.
    all_reduce: the name in `ALL_REDUCES` of what its steps wait for, if they are taken by replicas.
    may_differ: the share of the mean cost by which it may differ from others, where that is more than their rounding.
    """

    place: str
    settings: Mapping[str, Any] = {}
    packages: tuple[str, ...] = ()
    xla_flags: str = ""
    workloads: tuple[str, ...] | None = None
    all_reduce: str = ""
    may_differ: float = 0.0


_HERE = "benchmarks.engines"
_JAX = ("jax", "optax")
_NETWORKS = ("mlp", "cnn", "transformer")
"""Those in benchmarks.networks, of each library."""


def _keras(**settings: Any) -> Entry:
    return Entry(f"{_HERE}.keras_fit:KerasFit", settings, workloads=_NETWORKS)


def _jax(engine: str) -> Entry:
    return Entry(f"{_HERE}.jax_optax:{engine}", packages=_JAX, workloads=_NETWORKS)


def _torch(**settings: Any) -> Entry:
    return Entry(f"{_HERE}.torch_adam:TorchAdam", settings, ("torch",), workloads=_NETWORKS)


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
    "keras-mirrored-2": _replicated("keras_fit:KerasFit", 2, "devices")._replace(workloads=_NETWORKS),
}
"""Engines that share each batch equally among replicas."""

ENGINES: Mapping[str, Entry] = {
    "rawstep": Entry(f"{_HERE}.rawstep_program:RawstepTrain"),
    "rawstep-streamed": Entry(f"{_HERE}.rawstep_streamed:RawstepStreamed", workloads=("mlp", "cnn")),
    "rawstep-checkpointed": Entry(f"{_HERE}.rawstep_checkpointed:RawstepCheckpointed"),
    "rawstep-stop": Entry(f"{_HERE}.rawstep_program:RawstepTrain", {"on_nonfinite": "stop"}),
    "rawstep-skip": Entry(f"{_HERE}.rawstep_program:RawstepTrain", {"on_nonfinite": "skip"}),
    # A step in bfloat16 rounds to 0.4 %; float16's first steps may be dropped, until the loss scale fits.
    "rawstep-bfloat16": Entry(f"{_HERE}.rawstep_program:RawstepTrain", {"compute": "bfloat16"}, may_differ=0.05),
    "rawstep-float16": Entry(f"{_HERE}.rawstep_program:RawstepTrain", {"compute": "float16"}, may_differ=0.5),
    "rawstep-bfloat16-parameters": Entry(
        f"{_HERE}.rawstep_program:RawstepTrain", {"parameters": "bfloat16"}, may_differ=0.05
    ),
    "xla-loop": Entry(f"{_HERE}.rawstep_program:RawstepProgram"),
    "xla-loop-one-pass": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"one_pass": True}, xla_flags=MERGED_LOOPS),
    "xla-loop-recorded": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"every": 1}),
    "xla-loop-recorded-10": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"every": 10}),
    "xla-step": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "xla-step"}),
    "graph": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "graph"}),
    "eager": Entry(f"{_HERE}.rawstep_program:RawstepProgram", {"execution": "eager"}),
    "tf1-session": Entry(f"{_HERE}.notebook_session:NotebookSession", workloads=("mlp",)),
    "keras-fit": _keras(),
    "keras-jit": _keras(jit_compile=True),
    "keras-epoch": _keras(jit_compile=True, steps_per_execution=None),
    "keras-unrolled": _keras(jit_compile=True, steps_per_execution=50, unrolled=5),
    "keras-graph-epoch": _keras(jit_compile=False, steps_per_execution=None),
    "keras-step": Entry(f"{_HERE}.keras_step:KerasStep"),
    "frozen-step": Entry(f"{_HERE}.frozen_step:FrozenStep", workloads=("mlp",)),
    "jax-step": _jax("JaxStep"),
    "jax-scan": _jax("JaxScan"),
    "torch-eager": _torch(),
    "torch-fused": _torch(fused=True),
    "torch-compiled": _torch(compiled=True),
    "torch-channels-last": _torch(fused=True, channels_last=True)._replace(workloads=("cnn",)),
    **REPLICATED,
}


UPDATERS: Mapping[str, Entry] = {
    "rawstep": Entry(f"{_HERE}.tensorflow_updates:RawstepUpdate"),
    "rawstep-one-pass": Entry(f"{_HERE}.tensorflow_updates:RawstepUpdate", {"one_pass": True}, xla_flags=MERGED_LOOPS),
    "keras": Entry(f"{_HERE}.tensorflow_updates:KerasUpdate"),
    "keras-one-pass": Entry(f"{_HERE}.tensorflow_updates:KerasUpdate", xla_flags=MERGED_LOOPS),
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


def check_engines(names: Sequence[str], among: Mapping[str, Entry] = ENGINES, workload: str = "") -> None:
    """Raises InputError for an engine that cannot be imported here, before anything is timed, and for one that has no
    network of a workload.

    names: each is one of `among`, or module:function, looked up in the working directory first; an @ and options of XLA
    may follow.
    """
    for name in (name.partition("@")[0] for name in names):
        if name not in among and ":" not in name:
            raise InputError(
                f"There is no engine {name!r}; there are: {', '.join(among)}, or give module:function.", name, among
            )
        if name not in among:
            check_own(name)
        elif workload and not _trains(among[name], workload):
            raise InputError(
                f"The engine {name} has no {workload}; of {workload} there are: {', '.join(engines_of(workload))}."
            )
        elif absent := [package for package in among[name].packages if find_spec(package) is None]:
            install = "pip install -e '.[peers]', or choose other --engines"
            raise InputError(f"The engine {name} needs {' and '.join(absent)}, not installed here: {install}.")


def engines_of(workload: str) -> list[str]:
    """All engines that train it on one device."""
    return [name for name, entry in ENGINES.items() if name not in REPLICATED and _trains(entry, workload)]


def usual_engines(workload: str) -> list[str]:
    """Those that are compared where none are named: what `rawstep train` runs, and others by default."""
    if workload == "mlp":
        return ["xla-loop", "tf1-session", "keras-fit", "frozen-step"]
    return [
        name for name in ("rawstep", "keras-fit", "keras-graph-epoch", "keras-step") if name in engines_of(workload)
    ]


def _trains(entry: Entry, workload: str) -> bool:
    return entry.workloads is None or workload in entry.workloads


def all_reduces(names: Sequence[str]) -> list[str]:
    """Those in `ALL_REDUCES` that steps of these engines wait for, each once."""
    return [name for name in dict.fromkeys(map(all_reduce_of, names)) if name]


def all_reduce_of(name: str) -> str:
    """The one of an engine, or ""."""
    return _entry(name, ENGINES).all_reduce


def may_differ(name: str) -> float:
    """The share of a mean cost by which an engine that trains may differ from others beyond their rounding."""
    return _entry(name, ENGINES).may_differ


def environment(name: str, work: Work) -> dict[str, str]:
    """Variables of the environment in which an engine's process starts."""
    flags = [os.environ.get("XLA_FLAGS", ""), _entry(name, _table(work)).xla_flags]
    return devices.environment(work.device) | {"XLA_FLAGS": " ".join(flag for flag in flags if flag)}


def build(name: str, work: Work) -> Engine:
    """One of those above, or module:function. Raises InputError where it cannot be imported."""
    entry = _entry(name, _table(work))
    if work.device == "gpu":  # where TensorFlow's default is TF32
        import tensorflow as tf  # which core has brought in

        tf.config.experimental.enable_tensor_float_32_execution(work.tf32)
    return import_named(entry.place)(work, **entry.settings)


def _table(work: Work) -> Mapping[str, Entry]:
    return ENGINES if work.name else UPDATERS


def _entry(name: str, among: Mapping[str, Entry]) -> Entry:
    """name@flags is an engine with these options of XLA."""
    name, _, flags = name.partition("@")
    entry = {**among, **ALONE}.get(name) or Entry(f"{_HERE}.own:OwnEngine", {"name": name})
    return entry._replace(xla_flags=f"{entry.xla_flags} {flags}".strip())
