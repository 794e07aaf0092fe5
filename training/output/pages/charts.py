"""Charts as HTML: curves that can be hovered, and series that can be switched off."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#4292c6", "#8a8a8a")
"""Of series in their order: Okabe & Ito's, except those too light for a white page or too dark for a black one."""
COST = "#8168d8"
"""Of a network's cost, which is no layer's and no rule's."""
NEUTRAL = COLOURS[-1]
"""Of what belongs to no series, or to all."""

CONFIG = {"displayModeBar": False, "responsive": True}
HEIGHT = 430
"""Pixels."""
FEW = 25
"""The number of points up to which a series marks each: a single one would be no line at all."""

PERCENT = [
    dict(dtickrange=[step, None], value=f".{digits}%")
    for digits, step in enumerate((0.0099, 0.00099, 0.000099, 0.0000099, 0))
]
"""By the distance of ticks: as many digits as make their labels differ."""
LOGARITHMIC = dict(type="log", minorloglabels="complete")
TICKS = ((1.3, 3), (2.5, 4), (1_000, 6))
"""Pairs: for a logarithmic axis of fewer decades, the number of ticks to ask Plotly for; with more they overlap."""
PLAIN = (-4, 5)
"""Between these powers of ten such an axis has plain numbers, and powers beyond."""
SHARE = dict(tickformatstops=PERCENT, hoverformat=".2%", rangemode="nonnegative")
"""Of an axis."""


def chart(name: str, figure: go.Figure) -> str:
    """The HTML of a chart, an element of this id in one of the class "chart"; it needs Plotly's script on the page.

    The figure is as high as its layout says, or `HEIGHT`; on a narrow screen the lines of its legend are added. A
    figure with frames does not move by itself.
    """
    entries = sum(trace.get("showlegend", True) for trace in figure.to_plotly_json()["data"])
    height, drawn = figure.layout.height or HEIGHT, go.Figure(figure).update_layout(height=None)
    inner = drawn.to_html(
        full_html=False, include_plotlyjs=False, div_id=name, config=CONFIG, auto_play=False, default_height="100%"
    )
    return f'<div class="chart" style="--height: {height}px; --entries: {entries}">{inner}</div>'


def mode(points: int) -> str:
    """Plotly's mode for a series with this number of points."""
    return "lines+markers" if points <= FEW else "lines"


def axes(figure: go.Figure, x: str, y: str, logarithmic: bool = False) -> None:
    """Nothing but what the data need; colours of text and grid are the page's, and labels of ticks differ."""
    axis = dict(gridcolor="rgba(128,128,128,0.25)", zeroline=False, automargin=True, title_standoff=8)
    figure.update_layout(
        template=dict(layout=dict(xaxis=axis, yaxis=axis)),
        margin=dict(l=0, r=16, t=12, b=0),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend=dict(orientation="h", x=0, y=1.02, yanchor="bottom"),
        hovermode="closest",
        font=dict(family="inherit"),
    )
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    if logarithmic:
        figure.update_yaxes(LOGARITHMIC, **_ticks(*_logarithms(figure)))
    elif "accuracy" in y:
        figure.update_yaxes(SHARE)


def _logarithms(figure: go.Figure) -> tuple[float, float]:
    """Of the least and the greatest value above 0; of 1 where there is none."""
    traces: Any = figure.data
    drawn = [trace.y for trace in traces if trace.y is not None]
    values = np.concatenate([np.asarray(one, np.float64).ravel() for one in drawn or [[]]])
    positive = values[np.isfinite(values) & (values > 0)]
    return (math.log10(positive.min()), math.log10(positive.max())) if len(positive) else (0.0, 0.0)


def _ticks(low: float, high: float) -> dict[str, Any]:
    """Of a logarithmic axis; trace/page.js has the same."""
    plain = PLAIN[0] <= low and high <= PLAIN[1]
    return {
        "nticks": next(ticks for decades, ticks in TICKS if high - low < decades),
        "exponentformat": "none" if plain else "power",
    }
