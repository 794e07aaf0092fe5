"""What `rawstep inspect` found, as a person reads it in a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..display import Screen
from .figures import sentences

LAUNCHES = (
    "launches: of kernels in a step, of which fused: loops over several operations; operations: XLA's instructions in "
    "them."
)
WORK = (
    "read, written: MB at the kernels' borders, whether in a cache or not; at least: both together, of a phase that "
    "reads once what others give it, and writes once what they need; products, others: MFLOP."
)
TIMES = (
    "compile: seconds to trace and compile; a step: µs, the median; × xla-loop: paired ratio of a step's time, and its "
    "95 % interval; pays: steps after which compiling has paid for itself against the rung before, and against eager, "
    "where it surely does."
)
DRIFTS = (
    "moved: how far the weights are, after one call, from those of a float64 run, as a share of the way that those "
    "went; roundings: the same in 2⁻²⁴·‖θ‖, of which a float64 run rounded to float32 has 0.4; cost: the relative "
    "difference of the last cost."
)


def print_step(figures: Mapping[str, Any]) -> None:
    """Two rows a phase, what it launches and what that does, and what no table shows, to standard output."""
    step, screen = figures["step"], Screen()
    screen.print(figures["title"], soft_wrap=True)
    rows = [*step["phases"].items(), ("all", step["whole"])]
    headings = ("phase", "launches", "fused", "products", "calls", "copies", "operations")
    _print(screen, "What each phase launches", headings, rows, _launch_cells, LAUNCHES)
    headings = ("phase", "read", "written", "at least", "products", "at least", "others")
    _print(screen, "What it moves and computes", headings, rows, _work_cells, WORK)
    for sentence in sentences(step):
        screen.print(sentence, soft_wrap=True)


def print_ladder(figures: Mapping[str, Any]) -> None:
    """Two rows a rung, its times and its drift, to standard output."""
    screen, rows = Screen(), [(rung["execution"], rung) for rung in figures["ladder"]]
    headings = ("rung", "compile", "a step", "× xla-loop", "95 %", "pays", "over eager")
    _print(screen, "The ladder", headings, rows, _time_cells, TIMES)
    headings = ("rung", "moved", "roundings", "cost")
    title = f"Drift in {figures['steps']} steps, from {figures['start']}"
    _print(screen, title, headings, rows, _drift_cells, DRIFTS)


def records(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures of one table in full: a row for each rung; where there is no ladder, for each phase."""
    step = figures["step"]
    phases = [*step["phases"].items(), ("all", step["whole"])]
    return figures["ladder"] or [{"phase": name} | work for name, work in phases]


def count(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def _print(
    screen: Screen,
    title: str,
    headings: Sequence[str],
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    cells: Callable[[Mapping[str, Any]], Sequence[str]],
    legend: str,
) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for name, row in rows:
        table.add_row(name, *cells(row))
    screen.print(f"\n{title}")
    screen.print(table)
    screen.print(f"{legend}\n")


def _launch_cells(work: Mapping[str, Any]) -> list[str]:
    launches = work["launches"]
    counts = [sum(launches.values()), *(launches[kind] for kind in ("fusion", "product", "call", "copy"))]
    return [*map(str, counts), str(sum(work["operations"].values()))]


def _work_cells(work: Mapping[str, Any]) -> list[str]:
    flop, least = work["flop"], work["least"]
    amounts = (work["read"], work["written"], least["bytes"], flop["products"], least["products"], flop["elementwise"])
    return [f"{one / 1e6:.3f}" for one in amounts]


def _time_cells(rung: Mapping[str, Any]) -> list[str]:
    ratio = rung["ratio"]
    return [
        count(rung["compile_seconds"], ".2f"),
        f"{1e6 * rung['step_seconds']:,.0f}",
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}–{ratio['high']:.2f}",
        count(rung["over_before"], ",d"),
        count(rung["over_eager"], ",d"),
    ]


def _drift_cells(rung: Mapping[str, Any]) -> list[str]:
    drift = rung["drift"]
    return [f"{drift['moved']:.1e}", f"{drift['roundings']:.3g}", f"{drift['cost']:.1e}"]
