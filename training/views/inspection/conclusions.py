"""What follows from the figures of a step, in plain words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .kernels import Kind

KIND_NAMES: Mapping[Kind, tuple[str, str]] = {
    "fusion": ("fused loop", "fused loops"),
    "product": ("matrix product", "matrix products"),
    "call": ("library call", "library calls"),
    "copy": ("copy", "copies"),
    "other": ("single operation", "single operations"),
}
UNKNOWN = "What a step needs at least is not known: the workload does not count its products."


def conclusions(step: Mapping[str, Any], rungs: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Launches, the phase with the most traffic, the distance from the least work, where to look; and what XLA gains.

    step, rungs: see `figures`; None for a ladder that was not run.
    """
    known = step["whole"]["least"]["bytes"] is not None
    near = [_nearness(step), _where_to_look(step)] if known else [UNKNOWN]
    return [_launches(step), _shares(step), *near, *([_gain(rungs)] if rungs else [])]


def facts(step: Mapping[str, Any]) -> list[str]:
    """What the tables do not show: the loop, what is updated in place, copied and fused, and the memory."""
    variables, memory = step["variables"], step["memory"]
    kept = [one["name"] for one in variables if not one["in_place"]]
    parts = ", ".join(f"{name} {memory[name] / 1e6:.3g}" for name in ("arguments", "outputs", "temporaries"))
    return [
        _loop(step),
        f"{len(variables) - len(kept)} of {len(variables)} variables are updated in place"
        + (f"; not {', '.join(kept)}." if kept else "."),
        _copies(step),
        *_fused(step),
        f"A call holds {memory['total'] / 1e6:.3g} MB at its peak: {parts} (XLA's own buffer assignment).",
    ]


def _launches(step: Mapping[str, Any]) -> str:
    launches = step["whole"]["launches"]
    kinds = [_counted(count, *KIND_NAMES[kind]) for kind, count in launches.items() if count]
    return f"A step launches {_counted(sum(launches.values()), 'kernel', 'kernels')}: {_listed(kinds)}."


def _shares(step: Mapping[str, Any]) -> str:
    phases, whole = step["phases"], step["whole"]
    moves = max(phases, key=lambda phase: _moved(phases[phase]))
    computes = max(phases, key=lambda phase: _flop(phases[phase]))
    arithmetic = "of the arithmetic" if moves == computes else f"{computes} that of the arithmetic"
    return (
        f"{moves.capitalize()} takes the largest share of the bytes, {_moved(phases[moves]) / _moved(whole):.0%}, and "
        f"{arithmetic}, {_flop(phases[computes]) / _flop(whole):.0%}."
    )


def _nearness(step: Mapping[str, Any]) -> str:
    """Below the least are steps whose phases XLA fused: an intermediate is never written, a product of one example is
    an elementwise operation."""
    whole = step["whole"]
    moved, computed = _moved(whole) / whole["least"]["bytes"], whole["flop"]["products"] / whole["least"]["products"]
    fused = " The least is that of phases by themselves: fused, they need less." if min(moved, computed) < 1 else ""
    return (
        f"The whole step moves {moved:.2f} times the least bytes and computes {computed:.2f} times the least products."
        + fused
    )


def _where_to_look(step: Mapping[str, Any]) -> str:
    phase, work = max(step["phases"].items(), key=lambda item: _moved(item[1]) - item[1]["least"]["bytes"])
    more = _moved(work) - work["least"]["bytes"]
    if more <= 0:
        return "No phase moves more than its least bytes."
    kernel = max((one for one in step["kernels"] if one["phase"] == phase), key=lambda one: one["times"] * _moved(one))
    return (
        f"Look at {phase} first: it moves {more / 1e6:.3g} MB more than its least {work['least']['bytes'] / 1e6:.3g}, "
        f"and its kernel {kernel['name']} moves the most, {kernel['times'] * _moved(kernel) / 1e6:.3g} MB."
    )


def _gain(rungs: Sequence[Mapping[str, Any]]) -> str:
    """Of the last rung against the first."""
    eager, loop = rungs[0], rungs[-1]
    paid = loop["over_eager"]
    return (
        f"A step takes {1e6 * loop['step_seconds']:,.0f} µs in {loop['execution']}, and {eager['ratio']['median']:.1f} "
        f"times as long in {eager['execution']}; compiling "
        + (f"pays off after {_counted(paid, 'step', 'steps')}." if paid is not None else "does not surely pay off.")
    )


def _loop(step: Mapping[str, Any]) -> str:
    if not step["loops"]:
        return "The program is one step: it has no loop over steps."
    if step["trip_count"] is None:
        return "XLA does not know how often the loop over steps runs; on a GPU it waits for the host at every step."
    return f"XLA knows how often the loop over steps runs: {step['trip_count']:,} times."


def _copies(step: Mapping[str, Any]) -> str:
    copied = [one for one in step["variables"] if one["copied"]]
    if not copied:
        return "No step copies a whole variable."
    # A copy is read and written.
    size, moved = sum(one["bytes"] for one in copied), _moved(step["whole"])
    return (
        f"Each step copies the whole of {', '.join(one['name'] for one in copied)}: {size / 1e6:.3g} MB, "
        f"{2 * size / moved:.1%} of all bytes moved."
    )


def _fused(step: Mapping[str, Any]) -> list[str]:
    across = Counter((kernel["phase"], tuple(kernel["others"])) for kernel in step["kernels"] if kernel["others"])
    if not across:
        return []
    parts = [f"{phase} computes parts of {_listed(others)} in {_counted(count, 'kernel', 'kernels')}"
             for (phase, others), count in across.items()]  # fmt: skip
    return [f"XLA fused operations of different phases: {_listed(parts)}; their work counts in the phase named first."]


def _moved(work: Mapping[str, Any]) -> int:
    return work["read"] + work["written"]


def _flop(work: Mapping[str, Any]) -> int:
    return work["flop"]["products"] + work["flop"]["elementwise"]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
