"""A picture of a run: its costs and its accuracies, epoch by epoch."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from core import InputError

from ..runs.display import run_title
from .files import check_file, write_whole

FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: Path) -> None:
    """Raises InputError unless a picture can be written at `path`, in the format that its ending names."""
    if path.suffix not in FORMATS:
        raise InputError(f"{path} must end in {' or '.join(FORMATS)}.")
    check_file(path)


def plot_run(report: Mapping[str, Any], path: Path) -> None:
    """Draws the report of a run: the cost of each epoch on a logarithmic scale, and the accuracies.

    The same report produces the same bytes. Raises InputError; see `check_plot`.
    """
    epochs = range(1, len(report["epochs"]) + 1)
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    figure.suptitle(run_title(report))
    costs, accuracies = figure.subplots(1, 2)
    costs.semilogy(epochs, [epoch["cost"] for epoch in report["epochs"]], marker=".")
    costs.set_ylabel("mean cost of the epoch's batches")
    validation = [epoch["validation_accuracy"] for epoch in report["epochs"]]
    accuracies.plot(epochs, validation, marker=".", label="validation")
    accuracies.axhline(report["test_accuracy"], color="C1", label=f"test, at the end: {report['test_accuracy']:.2%}")
    accuracies.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    accuracies.set_ylabel("accuracy")
    accuracies.legend(loc="lower right")
    for axes in (costs, accuracies):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    write_picture(path, figure)


def write_picture(path: Path, figure: Figure) -> None:
    """Writes a figure, whole or not at all, in the format that the ending names. The same figure produces the same
    bytes.

    Raises InputError where it cannot be written.
    """
    picture = BytesIO()
    dated = {".svg": "Date", ".pdf": "CreationDate"}.get(path.suffix)
    with matplotlib.rc_context({"svg.hashsalt": "rawstep"}):
        figure.savefig(picture, format=path.suffix[1:], dpi=150, metadata=dated and {dated: None})
    write_whole(path, picture.getvalue())
