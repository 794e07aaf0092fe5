"""What `rawstep inspect` found, as a person reads it in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..display import Screen
from .figures import sentences

STEP_LEGEND = (
    "launches: of kernels in a step, of which fused: loops over several operations; operations: XLA's instructions in "
    "them; read, written: MB at the kernels' borders, whether in a cache or not; at least: both together, of a phase "
    "that reads once what others give it, and writes once what they need; products, others: MFLOP."
)
LADDER_LEGEND = (
    "compile: seconds to trace and compile; a step: µs, the median; × xla-loop: paired ratio of a step's time, and its "
    "95 % interval; pays: steps after which compiling has paid for itself against the rung before, and against eager, "
    "where it surely does; moved: how far the weights are, after one call, from those of a float64 run, as a share of "
    "the way that those went; roundings: the same in 2⁻²⁴·‖θ‖, of which a float64 run rounded to float32 has 0.4; "
    "cost: the relative difference of the last cost."
)


def print_step(figures: Mapping[str, Any]) -> None:
    """A row a phase, and what the table does not show, to standard output."""
    step, screen = figures["step"], Screen(wide=True)
    headings = (
        "phase", "launches", "fused", "products", "calls", "copies", "operations", "read", "written", "at least",
        "products", "at least", "others",
    )  # fmt: skip
    table = _table("A step as XLA compiled it", headings)
    for phase, work in step["phases"].items():
        table.add_row(phase, *_work_cells(work))
    table.add_section()
    table.add_row("all", *_work_cells(step["whole"]))
    screen.print(figures["title"], soft_wrap=True)
    screen.print(table)
    screen.print(STEP_LEGEND)
    for sentence in sentences(step):
        screen.print(sentence, soft_wrap=True)


def print_ladder(figures: Mapping[str, Any]) -> None:
    """A row a rung, to standard output."""
    screen = Screen(wide=True)
    headings = "rung", "compile", "a step", "× xla-loop", "95 %", "pays", "over eager", "moved", "roundings", "cost"
    table = _table(f"The ladder, from {figures['start']}", headings)
    for rung in figures["ladder"]:
        table.add_row(*_rung_cells(rung))
    screen.print(table)
    screen.print(LADDER_LEGEND)


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return table


def _work_cells(work: Mapping[str, Any]) -> list[str]:
    launches, flop, least = work["launches"], work["flop"], work["least"]
    counts = [sum(launches.values()), *(launches[kind] for kind in ("fusion", "product", "call", "copy"))]
    amounts = (work["read"], work["written"], least["bytes"], flop["products"], least["products"], flop["elementwise"])
    return [*map(str, counts), str(sum(work["operations"].values())), *(f"{one / 1e6:.3f}" for one in amounts)]


def _rung_cells(rung: Mapping[str, Any]) -> list[str]:
    ratio, drift = rung["ratio"], rung["drift"]
    return [
        rung["execution"],
        count(rung["compile_seconds"], ".2f"),
        f"{1e6 * rung['step_seconds']:,.0f}",
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}–{ratio['high']:.2f}",
        count(rung["over_before"], ",d"),
        count(rung["over_eager"], ",d"),
        f"{drift['moved']:.1e}",
        f"{drift['roundings']:.3g}",
        f"{drift['cost']:.1e}",
    ]


def count(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)
