"""The charts of the page: contours with trajectories that a slider moves along, and costs over the steps."""

import numpy as np
import plotly.graph_objects as go

from ..pages import COLOURS, axes, chart
from .conduct import Race
from .pictures import colours, path
from .relief import Relief, frames

GREY = "#8a8a8a"
DIGITS = 5
"""Of a coordinate; finer than a pixel, and a page a third as large."""


def charts(one: Race, relief: Relief) -> dict[str, str]:
    """The HTML of the map and of the costs of one landscape; they need Plotly's script on the page."""
    name = one.landscape.name
    return {"map": chart(f"{name}-map", map_chart(one, relief)), "costs": chart(f"{name}-costs", costs_chart(one))}


def map_chart(one: Race, relief: Relief) -> go.Figure:
    """Contours, the way of each rule from the first start, and a marker where it is at the slider's step."""
    ways = {rule: path(outcome.x) for rule, outcome in one.outcomes.items()}
    steps = frames(len(next(iter(one.outcomes.values())).x) - 1)
    figure = go.Figure()
    figure.add_contour(
        x=relief.x, y=relief.y, z=np.float32(relief.height), ncontours=24, hoverinfo="skip", opacity=0.5,
        contours_coloring="lines", line_width=1, showscale=False, colorscale=[[0, GREY], [1, GREY]],
    )  # fmt: skip
    for (rule, way), colour in zip(ways.items(), colours(one), strict=True):
        x, y = np.round(_near(way, one), DIGITS)
        figure.add_scatter(x=x, y=y, name=rule, legendgroup=rule, mode="lines", line=dict(color=colour, width=2),
                           hovertemplate=f"{rule}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>")  # fmt: skip
    minima = np.transpose(one.landscape.minima)
    figure.add_scatter(x=minima[0], y=minima[1], name="minimum", mode="markers",
                       marker=dict(symbol="star", size=13, color=COLOURS[-1]))  # fmt: skip
    still = len(ways) + 2  # with the contours and the minima
    figure.add_traces(_markers(ways, one, steps[-1]))
    moving = list(range(still, still + len(ways)))
    figure.frames = [go.Frame(name=str(step), data=_markers(ways, one, step), traces=moving) for step in steps]
    axes(figure, "x", "y")
    (left, right), (low, high) = one.landscape.bounds
    figure.update_layout(
        height=560, margin=dict(l=48, r=12, t=12, b=150), sliders=[_slider(steps)], updatemenus=[_buttons()]
    )
    figure.update_xaxes(range=[left, right])
    figure.update_yaxes(range=[low, high])
    return figure


def costs_chart(one: Race) -> go.Figure:
    """The cost over the least of each rule, from the first start, after each step."""
    figure = go.Figure()
    shown = _thinned(len(next(iter(one.outcomes.values())).cost) - 1)
    for (rule, outcome), colour in zip(one.outcomes.items(), colours(one), strict=True):
        over = outcome.cost[shown, 0] - one.landscape.least
        finite = np.where(np.isfinite(over) & (over > 0), over, np.nan)
        figure.add_scatter(x=shown, y=finite, name=rule, mode="lines", line_color=colour, connectgaps=False)
    axes(figure, "step", "cost over the least", logarithmic=True)
    figure.update_yaxes(dtick=None, nticks=8, automargin=True, title_standoff=12)
    return figure


def _markers(ways: dict[str, np.ndarray], one: Race, step: int) -> list[go.Scatter]:
    return [
        go.Scatter(
            x=_near(way, one)[0, step : step + 1].tolist(), y=_near(way, one)[1, step : step + 1].tolist(),
            name=rule, legendgroup=rule, showlegend=False, mode="markers", marker=dict(color=colour, size=12),
            hovertemplate=f"{rule}, step {step:,}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        )
        for (rule, way), colour in zip(ways.items(), colours(one), strict=True)
    ]  # fmt: skip


def _near(way: np.ndarray, one: Race) -> np.ndarray:
    """The way, except what is so far out of the picture that a browser cannot draw a line to it."""
    bounds = np.array(one.landscape.bounds)
    width = bounds[:, 1:] - bounds[:, :1]
    return np.clip(way, bounds[:, :1] - 10 * width, bounds[:, 1:] + 10 * width)


def _thinned(steps: int) -> np.ndarray:
    """At most some 400 of the steps 0 to `steps`, the last among them."""
    return np.unique(np.append(np.arange(0, steps + 1, max(1, steps // 400)), steps))


def _slider(steps: list[int]) -> dict:
    still = dict(mode="immediate", frame=dict(duration=0, redraw=False), transition=dict(duration=0))
    return dict(
        active=len(steps) - 1, x=0, len=1, y=-0.12, yanchor="top", pad=dict(t=42, b=0), minorticklen=0, ticklen=0,
        currentvalue=dict(prefix="step ", xanchor="right"), bgcolor="rgba(128,128,128,0.35)", borderwidth=0,
        activebgcolor=COLOURS[0], font=dict(size=13),
        steps=[dict(label=f"{step:,}", method="animate", args=[[str(step)], still]) for step in steps],
    )  # fmt: skip


def _buttons() -> dict:
    play = dict(fromcurrent=True, frame=dict(duration=120, redraw=False), transition=dict(duration=0))
    stop = dict(mode="immediate", frame=dict(duration=0, redraw=False), transition=dict(duration=0))
    return dict(
        type="buttons", direction="left", x=0, xanchor="left", y=-0.14, yanchor="top", pad=dict(t=8), showactive=False,
        bgcolor="rgba(128,128,128,0.2)", bordercolor="rgba(128,128,128,0.5)",
        buttons=[
            dict(label="▶ play", method="animate", args=[None, play]),
            dict(label="❚❚ pause", method="animate", args=[[None], stop]),
        ],
    )  # fmt: skip
