"""All that `rawstep inspect` found, as JSON, the tables and the page have it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from core import Rule
from core.checks import slots_of

from ..work import flop, traffic
from .ladder import Rung
from .phases import Phase
from .step import Inspection, PhaseWork, by_phase, together


def least(layers: Sequence[int], batch_size: int, rule: Rule) -> dict[Phase, dict[str, int]]:
    """The least arithmetic, of products alone, and the least traffic of a step's phases; see `training.work`."""
    slots = len(slots_of(rule, np.zeros(1, np.float32)))
    products, moved = flop(layers, batch_size), traffic(layers, batch_size, slots)
    return {
        "gather": {"products": 0, "bytes": moved.gather},
        "forward": {"products": products.forward, "bytes": moved.forward},
        "backward": {"products": products.weight_gradients + products.input_gradients, "bytes": moved.backward},
        "update": {"products": 0, "bytes": moved.update},
    }


def step_figures(inspection: Inspection, least: Mapping[Phase, Mapping[str, int]]) -> dict[str, Any]:
    """A step, as JSON can hold it: its phases beside the least they take, its kernels, variables and memory."""
    none = {"products": 0, "bytes": 0}
    whole = {part: sum(one[part] for one in least.values()) for part in none}
    return {
        "loops": inspection.loops,
        "trip_count": inspection.trip_count,
        "phases": {
            phase: _work(work) | {"least": dict(least.get(phase, none))}
            for phase, work in by_phase(inspection.kernels).items()
        },
        "whole": _work(together(inspection.kernels)) | {"least": whole},
        "kernels": [asdict(kernel) | {"flop": kernel.flop._asdict()} for kernel in inspection.kernels],
        "variables": [variable._asdict() for variable in inspection.variables],
        "memory": inspection.memory._asdict() | {"total": inspection.memory.total},
    }


def ladder_figures(rungs: Sequence[Rung]) -> list[dict[str, Any]]:
    """The rungs, as JSON can hold them."""
    return [rung._asdict() | {"ratio": rung.ratio._asdict(), "drift": rung.drift._asdict()} for rung in rungs]


def sentences(step: Mapping[str, Any]) -> list[str]:
    """What the tables do not show: the loop, what is updated in place, what is copied, and the memory."""
    variables, memory = step["variables"], step["memory"]
    kept = [one["name"] for one in variables if not one["in_place"]]
    copied = [one for one in variables if one["copied"]]
    parts = ", ".join(f"{name} {memory[name] / 1e6:.3g}" for name in ("arguments", "outputs", "temporaries"))
    return [
        _loop(step),
        f"{len(variables) - len(kept)} of {len(variables)} variables are updated in place"
        + (f"; not {', '.join(kept)}." if kept else "."),
        f"Each step copies the whole of {', '.join(one['name'] for one in copied)}: "
        f"{sum(one['bytes'] for one in copied) / 1e6:.3g} MB."
        if copied
        else "No step copies a whole variable.",
        f"A call holds {memory['total'] / 1e6:.3g} MB at its peak: {parts} (XLA's own buffer assignment).",
    ]


def _loop(step: Mapping[str, Any]) -> str:
    if not step["loops"]:
        return "The program is one step: it has no loop over steps."
    if step["trip_count"] is None:
        return "XLA does not know how often the loop over steps runs; on a GPU it waits for the host at every step."
    return f"XLA knows how often the loop over steps runs: {step['trip_count']:,} times."


def _work(work: PhaseWork) -> dict[str, Any]:
    return asdict(work) | {"flop": work.flop._asdict()}
