"""What `rawstep inspect` finds, for a terminal of 80 columns or more."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ...output.screen import Screen
from .conclusions import conclusions, facts

LAUNCH_HEADINGS = ("phase", "launches", "fused", "products", "calls", "copies", "operations")
TIME_HEADINGS = ("rung", "compile", "a step", "× xla-loop", "95 %", "pays", "over eager")
PIECE_HEADINGS = ("with", "launches", "MB", "passes", "a step", "× the rule", "95 %")
DRIFT_HEADINGS = ("rung", "moved", "roundings", "cost")
LAUNCHES = (
    "launches: of kernels in a step; fused: loops over several operations; operations: XLA's instructions in the "
    "kernels."
)
WORK = (
    "read, written: MB that kernels read and write, from a cache or not; at least: both together, of a phase by "
    "itself that reads its inputs once and writes its results once, forward and backward reading the examples in "
    "place; products, others: MFLOP."
)
TIMES = (
    "compile: seconds to trace and compile; a step: µs, the median; × xla-loop: paired ratio of a step's time, and its "
    "95 % interval; pays: steps after which compiling has paid for itself against the rung before, and against eager; "
    "– where it is not certain to."
)
DRIFTS = (
    "moved: how far the variables are, after one call, from those of a float64 run, as a share of the distance that "
    "those moved; roundings: the same in units of 2⁻²⁴·‖θ‖, where a float64 run rounded to float32 has 0.4; cost: the "
    "relative difference of the last cost."
)

PIECES = (
    "with: the rule, then a piece more in each row; launches: of kernels in the update; MB: read and written by "
    "these; passes: the same as a multiple of all parameters; a step: µs of the whole step, the median; "
    "× the rule: paired ratio to the rule alone, and its 95 % interval."
)


def print_step(figures: Mapping[str, Any]) -> None:
    """Two tables of the phases, what they launch and what that does, then conclusions, to standard output."""
    step, screen = figures["step"], Screen()
    screen.print(figures["title"], soft_wrap=True)
    rows = [*step["phases"].items(), ("all", step["whole"])]
    _print(screen, "What each phase launches", LAUNCH_HEADINGS, rows, launch_cells, LAUNCHES)
    headings = ("phase", "read", "written", "at least", "products", "at least", "others")
    _print(screen, "What it moves and computes", headings, rows, work_cells, WORK)
    screen.print(" ".join(conclusions(step, figures["ladder"])), soft_wrap=True)
    for sentence in facts(step):
        screen.print(sentence, soft_wrap=True)


def print_ladder(figures: Mapping[str, Any]) -> None:
    """Two tables of the rungs, times and drift, and one of the pieces around a rule, to standard output."""
    screen, rows = Screen(), [(rung["execution"], rung) for rung in figures["ladder"]]
    _print(screen, "The ladder", TIME_HEADINGS, rows, time_cells, TIMES)
    title = f"Drift in {figures['steps']} steps, from {figures['start']}"
    _print(screen, title, DRIFT_HEADINGS, rows, drift_cells, DRIFTS)
    if figures["pieces"]:
        _print(screen, "What each piece costs", PIECE_HEADINGS, piece_rows(figures), piece_cells, PIECES)


def piece_rows(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What is in each row of the pieces, by its name: a plus before each that is added."""
    return [(f"+ {one['name']}" if place else one["name"], one) for place, one in enumerate(figures["pieces"])]


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


def launch_cells(work: Mapping[str, Any]) -> list[str]:
    """Of a phase: launches, by kind, and operations."""
    launches = work["launches"]
    counts = [sum(launches.values()), *(launches[kind] for kind in ("fusion", "product", "call", "copy"))]
    return [*map(str, counts), str(sum(work["operations"].values()))]


def work_cells(work: Mapping[str, Any]) -> list[str]:
    """Of a phase: MB read, written and needed at least; MFLOP of products, at least, and of all else. A dash for the
    least that is not known."""
    flop, least = work["flop"], work["least"]
    amounts = (work["read"], work["written"], least["bytes"], flop["products"], least["products"], flop["elementwise"])
    return [count(None if one is None else one / 1e6, ".3f") for one in amounts]


def time_cells(rung: Mapping[str, Any]) -> list[str]:
    """Of a rung: seconds to compile, µs of a step, the ratio to xla-loop and its interval, and where it pays."""
    ratio = rung["ratio"]
    return [
        count(rung["compile_seconds"], ".2f"),
        f"{1e6 * rung['step_seconds']:,.0f}",
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}–{ratio['high']:.2f}",
        count(rung["over_before"], ",d"),
        count(rung["over_eager"], ",d"),
    ]


def piece_cells(piece: Mapping[str, Any]) -> list[str]:
    """Of a rule with some pieces: launches, MB, passes, µs of a step, the ratio to the rule alone and its interval."""
    ratio = piece["ratio"]
    return [
        str(piece["launches"]),
        f"{(piece['read'] + piece['written']) / 1e6:.3f}",
        f"{piece['passes']:.2f}",
        f"{1e6 * piece['step_seconds']:,.0f}",
        f"{ratio['median']:.2f}",
        f"{ratio['low']:.2f}–{ratio['high']:.2f}",
    ]


def drift_cells(rung: Mapping[str, Any]) -> list[str]:
    """Of a rung: the three figures of its drift."""
    drift = rung["drift"]
    return [f"{drift['moved']:.1e}", f"{drift['roundings']:.3g}", f"{drift['cost']:.1e}"]
