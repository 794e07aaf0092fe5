"""A comparison as a table, for the terminal and for README.md."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.box import MARKDOWN, SIMPLE_HEAD, Box
from rich.table import Table

from training.output.screen import Screen

from .ceiling import Share, load, notes, shown_share

Figure = Mapping[str, Any]
Columns = Mapping[str, Callable[[Figure], str]]


def _ratio(figure: Figure) -> str:
    return f"{figure['times_as_long']['median']:.2f}×"


def _interval(figure: Figure) -> str:
    return f"{figure['times_as_long']['low']:.2f}–{figure['times_as_long']['high']:.2f}"


def _share(figure: Figure, which: Share = "share_of_ceiling") -> str:
    share = shown_share(figure, which)
    return "–" if share is None else f"{share:.0%}"


def _ahead(figure: Figure) -> str:
    return "–" if figure["ahead_after"] is None else f"{figure['ahead_after']:,}"


def _memory(figure: Figure) -> str:
    return "–" if figure["memory_mb"] is None else f"{figure['memory_mb']:,.0f}"


ALL_REDUCE = "all-reduce"
"""A column of tables that have engines on replicas."""

COMPARISON: Columns = {
    "time": _ratio,
    "95 %": _interval,
    "steps/s": lambda figure: f"{figure['steps_per_second']:,.0f}",
    "ceiling": _share,
    ALL_REDUCE: lambda figure: _share(figure, "share_of_all_reduce"),
    "least s": lambda figure: f"{figure['wall']['min']:.2f}",
    "CPU s": lambda figure: f"{figure['cpu']['median']:.2f}",
    "compile s": lambda figure: f"{figure['compile']:.1f}",
    "first s": lambda figure: f"{figure['start'] + figure['first']:.1f}",
    "ahead after": _ahead,
    "MB": _memory,
}

RECORDED: Columns = {name: COMPARISON[name] for name in ("time", "95 %", "least s", "CPU s", "compile s", "MB")}

SHARED: Columns = {
    name: COMPARISON[name] for name in ("time", "95 %", "steps/s", ALL_REDUCE, "CPU s", "compile s", "MB")
}

LEGEND = (
    "time: of a sample, relative to the first engine's: the median of the ratios within rounds, with its bootstrap "
    "95 % interval; steps/s: median; ceiling: the time that the step's matrix products and the optimizer's traffic "
    "take by themselves, measured in the same rounds, as a share of the engine's, – where it is not measured; least s, "
    "CPU s: of a sample, by the clock and of all threads; compile s: tracing and compiling; first s: from the start of "
    "the process to the result of ten steps; ahead after: steps after which the first engine has made up for its "
    "compilation; MB: the most memory its process held."
)
REPLICAS_LEGEND = (
    "all-reduce: the time that as many all-reduces of as many numbers as gradients and cost have take by themselves, "
    "measured in the same rounds, as a share of the engine's, – for engines without one. The batch is divided among "
    "the replicas. CPU s and MB are of all workers together."
)

UPDATES: Columns = {
    "time": _ratio,
    "95 %": _interval,
    "updates/s": lambda figure: f"{figure['steps_per_second']:,.0f}",
    "GB/s": lambda figure: f"{figure['gb_per_second']:.1f}",
    "stream": _share,
    "compile s": lambda figure: f"{figure['compile']:.1f}",
    "MB": _memory,
}

UPDATES_LEGEND = (
    "time: of an update, relative to the first engine's: the median of the ratios within rounds, with its bootstrap "
    "95 % interval; GB/s: of what an update must read and write, each once; stream: that rate as a share of the "
    "bandwidth of a stream over as many numbers, measured in the same rounds, – where it is not measured. one-pass: "
    "with XLA's option xla_cpu_use_multi_output_fusion."
)


def comparison_table(
    figures: Sequence[Figure], columns: Columns = COMPARISON, title: str | None = None, *, box: Box
) -> Table:
    """One row an engine."""
    if not any(figure.get("share_of_all_reduce") for figure in figures):
        columns = {heading: cell for heading, cell in columns.items() if heading != ALL_REDUCE}
    table = Table(title=title, box=box, padding=(0, 0, 0, 1))
    for heading in ("engine", *columns):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for figure in figures:
        failed = ["failed", *[""] * (len(columns) - 1)] if "failure" in figure else None
        table.add_row(figure["engine"], *(failed or [cell(figure) for cell in columns.values()]))
    return table


def print_comparison(record: Mapping[str, Any], title: str, columns: Columns) -> None:
    """The table and its notes, to standard output."""
    screen = Screen(wide=True)
    screen.print(comparison_table(record["figures"], columns, title, box=SIMPLE_HEAD))
    for note in notes(record):
        screen.print(note, soft_wrap=True)


def markdown(figures: Sequence[Figure], columns: Columns = COMPARISON) -> str:
    """The same table in Markdown."""
    return in_markdown(comparison_table(figures, columns, box=MARKDOWN))


def in_markdown(table: Table) -> str:
    """A table with the box MARKDOWN, as text."""
    screen = Screen()
    screen.width = 1000
    with screen.capture() as capture:
        screen.print(table)
    return "\n".join(line.strip() for line in capture.get().strip().splitlines())


def parts_table(parts: Sequence[Mapping[str, Any]], title: str | None = None, *, box: Box) -> Table:
    """One row a part of a call. A part is within noise where its interval contains 0, and not measured below that."""
    table = Table(title=title, box=box, padding=(0, 0, 0, 1))
    for heading in ("what", "µs", "95 %", "whose"):
        table.add_column(heading, justify="right" if heading in ("µs", "95 %") else "left")
    for part in parts:
        low, high = part["interval"]
        interval = f"{1e6 * low:,.0f} to {1e6 * high:,.0f}"
        what = part["what"] + {"part": "", "whole": ", in all", "beside": " (for comparison)"}[part["role"]]
        within = "–" if high < 0 else "within noise" if low <= 0 else f"{1e6 * part['seconds']:,.0f}"
        table.add_row(what, within, interval, part["whose"])
    return table


def print_parts(record: Mapping[str, Any], title: str) -> None:
    """The table, and a sentence where a part is not above 0, to standard output."""
    screen = Screen(wide=True)
    screen.print(parts_table(record["parts"], title, box=SIMPLE_HEAD))
    if any(part["interval"][0] <= 0 for part in record["parts"]):
        reason = "a part that is a difference of two times is not above 0, by their noise or where they overlap"
        screen.print(f"Not measured: {reason}; {load(record)}.", soft_wrap=True)
