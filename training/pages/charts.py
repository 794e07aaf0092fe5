"""Charts as HTML: curves that can be hovered, and series that can be switched off."""

from typing import Any

import plotly.graph_objects as go

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#4292c6", "#8a8a8a")
"""Okabe & Ito's, but for those too light for a white page or too dark for a black one."""

CONFIG = {"displayModeBar": False, "responsive": True}


FEW = 10
"""Points of a curve, of which each is marked: a single one has no line to be seen by."""


def chart(name: str, figure: go.Figure) -> str:
    """The HTML of a chart, an element of this id; it needs Plotly's script on the page, and moves when asked to."""
    figure.for_each_trace(_mark, selector={"type": "scatter", "mode": "lines"})
    return figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=CONFIG, auto_play=False)


def axes(figure: go.Figure, x: str, y: str, logarithmic: bool = False) -> None:
    """Nothing but what the data need; colours of text and grid are the page's."""
    figure.update_layout(
        template="none",
        height=430,
        margin=dict(l=56, r=56, t=12, b=48),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend=dict(orientation="h", x=0, y=1.02, yanchor="bottom"),
        hovermode="closest",
        font=dict(family="inherit"),
    )
    figure.update_xaxes(title=x, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    figure.update_yaxes(title=y, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    if logarithmic:
        figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    elif "accuracy" in y:
        figure.update_yaxes(tickformat=".0%", hoverformat=".2%")


def _mark(curve: Any) -> None:
    if curve.line.width != 0 and len(curve.x) <= FEW:  # a line without width is the edge of a band
        curve.mode = "lines+markers"
