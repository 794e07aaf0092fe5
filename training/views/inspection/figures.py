"""All that `rawstep inspect` finds, in the form that JSON, tables and page share."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from core import Rule
from core.engine.checks import slots_of
from core.rules import named

from ...workloads.work import Product, flop, traffic
from .ladder import Rung
from .phases import Phase
from .step import Inspection, PhaseWork, by_phase, together


def least(
    products: Sequence[Product], parameters: int, example_bytes: int, batch_size: int, rule: Rule
) -> dict[Phase, dict[str, int]]:
    """The least arithmetic, of products alone, and the least traffic of a step's phases; see `workloads.work`. A rule
    that reads the norm of all gradients needs each of them once more, before it can begin. Nothing for a workload whose
    products are not counted."""
    if not products:
        return {}
    slots = len(named(slots_of(rule, np.zeros(1, np.float32))))
    gradients = 4 * parameters
    computed, moved = flop(products, batch_size), traffic(products, parameters, example_bytes, batch_size, slots)
    return {
        "gather": {"products": 0, "bytes": moved.gather},
        "forward": {"products": computed.forward, "bytes": moved.forward},
        "backward": {"products": computed.weight_gradients + computed.input_gradients, "bytes": moved.backward},
        "update": {"products": 0, "bytes": moved.update + rule.reads_norm * gradients},
    }


def step_figures(inspection: Inspection, least: Mapping[Phase, Mapping[str, int]]) -> dict[str, Any]:
    """A step for JSON: its phases beside their least work, its kernels, variables and memory. Where nothing is known of
    the least, it is None."""
    none = {"products": 0, "bytes": 0} if least else dict.fromkeys(("products", "bytes"))
    whole = {part: sum(one[part] for one in least.values()) for part in none} if least else none
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
    """The rungs for JSON."""
    return [rung._asdict() | {"ratio": rung.ratio._asdict(), "drift": rung.drift._asdict()} for rung in rungs]


def _work(work: PhaseWork) -> dict[str, Any]:
    return asdict(work) | {"flop": work.flop._asdict()}
