"""A comparison as a table, for the terminal and for README.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import MARKDOWN, SIMPLE_HEAD, Box
from rich.console import Console
from rich.table import Table

HEADINGS = ("engine", "time", "95 %", "steps/s", "least s", "CPU s", "first s", "MB")

LEGEND = (
    "time: of an epoch, in times of the first engine's: the median of the ratios within rounds, with its bootstrap "
    "95 % interval; steps/s: median; least s, CPU s: of an epoch, by the clock and of all threads; first s: the first "
    "ten steps, with what they trace and compile; MB: the most memory its process held."
)


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    if "failure" in figure:
        return (figure["engine"], figure["failure"], *[""] * (len(HEADINGS) - 2))
    ratio = figure["times_as_long"]
    return (
        figure["engine"],
        f"{ratio['median']:.2f}×",
        f"{ratio['low']:.2f}–{ratio['high']:.2f}",
        f"{figure['steps_per_second']:,.0f}",
        f"{figure['wall']['min']:.2f}",
        f"{figure['cpu']['median']:.2f}",
        f"{figure['first_ten_steps']:.1f}",
        f"{figure['memory_mb']:,.0f}",
    )


def comparison_table(figures: Sequence[Mapping[str, Any]], title: str | None = None, *, box: Box) -> Table:
    """One row an engine."""
    table = Table(title=title, box=box, padding=(0, 0, 0, 1))
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for figure in figures:
        table.add_row(*_row(figure))
    return table


def print_comparison(figures: Sequence[Mapping[str, Any]], title: str) -> None:
    """To standard output."""
    console = Console(highlight=False)
    console.print(comparison_table(figures, title, box=SIMPLE_HEAD))
    console.print(LEGEND)


def markdown(figures: Sequence[Mapping[str, Any]]) -> str:
    """The same table in Markdown."""
    console = Console(width=1000, highlight=False)
    with console.capture() as capture:
        console.print(comparison_table(figures, box=MARKDOWN))
    return "\n".join(line.strip() for line in capture.get().strip().splitlines())
