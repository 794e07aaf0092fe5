"""Pictures of a step's work beside the least it takes, and of what compiling costs and gains."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ...output.pages import COLOURS, NEUTRAL, axes, chart
from ...output.pages.charts import LOGARITHMIC

MOST_STEPS = 100_000


def traffic_chart(step: Mapping[str, Any]) -> str:
    """MB that each phase reads and writes, beside the least."""
    return _phases("traffic", step, "MB a step", {
        "read": lambda work: work["read"],
        "written": lambda work: work["written"],
        "at least": lambda work: work["least"]["bytes"],
    })  # fmt: skip


def arithmetic_chart(step: Mapping[str, Any]) -> str:
    """MFLOP that each phase computes in products and in all else, beside the least."""
    return _phases("arithmetic", step, "MFLOP a step", {
        "products": lambda work: work["flop"]["products"],
        "others": lambda work: work["flop"]["elementwise"],
        "at least": lambda work: work["least"]["products"],
    })  # fmt: skip


def ladder_chart(rungs: Sequence[Mapping[str, Any]]) -> str:
    """The time of a run by its steps, compilation included; where two lines cross, compiling has paid for itself."""
    steps, figure = np.geomspace(1, MOST_STEPS, 60), go.Figure()
    for rung, colour in zip(rungs, COLOURS, strict=False):
        seconds = (rung["compile_seconds"] or 0.0) + steps * rung["step_seconds"]
        figure.add_scatter(
            x=steps.tolist(), y=seconds.tolist(), name=rung["execution"], mode="lines", line_color=colour
        )
    axes(figure, "steps", "seconds, compilation included", logarithmic=True)
    figure.update_xaxes(LOGARITHMIC, nticks=6, exponentformat="power")
    return chart("ladder", figure)


def _phases(name: str, step: Mapping[str, Any], title: str, bars: Mapping[str, Any]) -> str:
    """Two bars a phase: what it takes, stacked, and the least, where it is known."""
    figure, phases = go.Figure(), list(step["phases"])
    for colour, (label, amount) in zip((COLOURS[0], COLOURS[1], NEUTRAL), bars.items(), strict=True):
        amounts = [amount(work) for work in step["phases"].values()]
        if None in amounts:
            continue
        values = [one / 1e6 for one in amounts]
        group = "least" if label == "at least" else "taken"
        figure.add_bar(x=phases, y=values, name=label, marker_color=colour, offsetgroup=group)
    axes(figure, "", title)
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    return chart(name, figure)
