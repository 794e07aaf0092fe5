"""What the terminal shows of a replication."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from ...output.screen import Screen
from ..place import REPORT, Place
from .tables import beside, figure


def records(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The notebook's figures beside ours, a row for each; those of the seeds by their numbers."""
    seeds = results["scale"]["seeds"]
    return [row | {"figures": dict(zip(map(str, seeds), row["figures"], strict=True))} for row in beside(results)]


def print_summary(results: Mapping[str, Any], place: Place) -> None:
    """The notebook's figures beside ours, a line for each answer, and where the report is, to standard output."""
    console = Screen(wide=True)
    if rows := beside(results):
        table = Table(title=f"the notebook's figures beside {len(results['scale']['seeds'])} seeds")
        for heading in ("experiment", "figure", "notebook", "mean", "deviation", "band", "in our band?"):
            table.add_column(
                heading, justify="left" if heading in ("experiment", "figure", "in our band?") else "right"
            )
        for row in rows:
            printed, mean, deviation, low, high = (
                figure(value, row["what"]) for value in (row["printed"], *row["band"].values())
            )
            table.add_row(row["experiment"], row["what"], printed, mean, deviation, f"{low} – {high}", row["verdict"])
        console.print(table)
    for name, answer in results["answers"].items():
        console.print(f"{name[-1]}. {answer['question']} The notebook's answer {answer['verdict']}.", soft_wrap=True)
        console.print(f"   {answer['sentences'][0]}", soft_wrap=True)
    console.print(f"report: {place.path / REPORT}", soft_wrap=True)
