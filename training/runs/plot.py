"""A picture of a run: its costs and its metrics, epoch by epoch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..output.plot import letters, write_picture
from .display import run_title
from .figures import figure, heading

LONG = 100
"""Epochs beyond which they are shown on a logarithmic axis: what happens early would be too narrow to see."""


def plot_run(report: Mapping[str, Any], path: Path) -> None:
    """Draws the report of a run: the cost of each epoch on a logarithmic scale, and what the workload is judged by on
    each split that it watches.

    The same report produces the same bytes. Raises InputError; see `output.plot.check_plot`.
    """
    epochs, judged_by = report["epochs"], report["judged_by"]
    numbers = range(1, len(epochs) + 1)
    picture = Figure(figsize=(9, 3.2), layout="constrained")
    picture.suptitle(letters(run_title(report)))
    costs, judged = picture.subplots(1, 2)
    costs.semilogy(numbers, [epoch["cost"] for epoch in epochs], marker=".")
    costs.set_ylabel("mean cost of the epoch's batches")
    for name in (name for name in epochs[-1] if name.endswith(f"_{judged_by}")):
        split = name.removesuffix(f"_{judged_by}")
        judged.plot(numbers, [epoch[name] for epoch in epochs], marker=".", label=letters(split))
    test, color = report[f"test_{judged_by}"], f"C{len(judged.lines)}"
    percent = judged_by == "accuracy"
    said = f"{test:.2%}" if percent else figure(judged_by, test)
    judged.axhline(test, color=color, label=f"test, at the end: {said}")
    if percent:
        judged.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    judged.set_ylabel(letters(heading(judged_by)))
    judged.legend(loc="best" if len(numbers) > LONG else "lower right" if percent else "upper right")
    for axes in (costs, judged):
        axes.set_xlabel("epoch")
        if len(numbers) > LONG:
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    write_picture(path, picture)
