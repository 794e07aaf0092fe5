"""Cells as a person reads them: a table for each dtype and gradient, a rule a row and a library a column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ...output.screen import Screen
from .cells import Cell
from .walks import GRADIENTS, OURS, START

COLUMNS = {
    OURS: "rawstep, masters",
    "keras": "Keras",
    "torch": "PyTorch",
    "optax": "Optax",
    "tf1-kernel": "TF1's kernel",
}
FAR = 0.1
"""Of what went this much further, or less far, than in float32, the share is said."""

LEGEND = (
    "A number is the step after which the parameter stands still. ½ ulp: the update is no more than half a unit in the "
    "parameter's last place, or each of the parts that are subtracted one by one. Δ = 0: the update is 0, and why. "
    "Slots stand still: so does the parameter, which is computed from them alone, as Ftrl's, or gets the update in two "
    "parts, as PyTorch's Nadam's. →: what the dtype makes of a setting. ×: how far a rule went beside the same "
    "optimizer in float32. –: the library lacks the rule."
)


def title(dtype: str, gradient: float, steps: int) -> str:
    size = "1" if gradient == 1 else "2⁻¹³, which is 1.2e-4"
    return f"{dtype}: θ is {START:g} at first, and {steps:,} steps have a gradient of {size}"


def text(cell: Cell) -> str:
    """A cell in a few words."""
    if cell.outcome in ("lacks", "missing", "refuses"):
        return {"lacks": "–", "missing": f"needs {cell.why}", "refuses": "refuses the dtype"}[cell.outcome]
    if cell.outcome == "not finite":
        return f"not finite at {cell.step}: {cell.why}" if cell.why else f"not finite at {cell.step}"
    if cell.outcome == "stops":
        return f"{cell.step:,}: {cell.why}"
    if cell.way is None:
        return "moves"
    far = abs(cell.way - 1) > FAR
    return f"moves ×{cell.way:,.{0 if abs(cell.way) >= 10 else 2}f}" if far else "moves"


def rows(cells: Iterable[Cell], dtype: str, gradient: float) -> dict[str, list[str]]:
    """By rule, the texts of all columns, of those cells that are of a dtype and a gradient."""
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        if (cell.dtype, cell.gradient) == (dtype, gradient):
            found.setdefault(cell.rule, {})[cell.library] = text(cell)
    return {rule: [of[library] for library in COLUMNS] for rule, of in found.items()}


def each(cells: Sequence[Cell], steps: int) -> Iterable[tuple[str, dict[str, list[str]]]]:
    """The title and the rows of each table."""
    for dtype in dict.fromkeys(cell.dtype for cell in cells):
        for gradient in GRADIENTS:
            yield title(dtype, gradient, steps), rows(cells, dtype, gradient)


def print_tables(cells: Sequence[Cell], steps: int) -> None:
    """All of it, to standard output."""
    screen = Screen(wide=True)
    for name, found in each(cells, steps):
        table = Table(title=name, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for column in ("rule", *COLUMNS.values()):
            table.add_column(column)
        for rule, texts in found.items():
            table.add_row(rule, *texts)
        screen.print(table)
    screen.print(LEGEND, soft_wrap=True)


def markdown(record: Mapping[str, Any]) -> str:
    """The same of a record that `as_record` made."""
    cells, parts = [Cell(**cell) for cell in record["cells"]], []
    for name, found in each(cells, record["steps"]):
        lines = ["| " + " | ".join(("rule", *COLUMNS.values())) + " |", "|---" * (1 + len(COLUMNS)) + "|"]
        lines += [f"| {' | '.join(map(_cell, (rule, *texts)))} |" for rule, texts in found.items()]
        parts.append("\n".join((f"**{name}**", "", *lines)))
    return "\n\n".join((*parts, LEGEND))


def _cell(text: str) -> str:
    """As a cell of a table in Markdown, which is HTML too."""
    return " ".join(text.replace("<", "&lt;").replace("|", r"\|").split())


def as_record(cells: Sequence[Cell], steps: int) -> dict[str, Any]:
    """All of it as JSON can hold it."""
    return {"steps": steps, "start": START, "gradients": list(GRADIENTS), "cells": [vars(cell) for cell in cells]}
