"""The charts of the page: contours with paths that a slider moves along, and costs over the steps."""

import numpy as np
import plotly.graph_objects as go

from ...output.pages import COLOURS, NEUTRAL, axes, chart
from .conduct import Race
from .frame import path, side, visible
from .pictures import colours, ring
from .relief import LINES, Relief, frames, labels

PLACE = dict(color="#fff", line=dict(color="#000", width=1.5))
"""Of start and minima: seen on either page and inside the rules' rings."""
ANGLES = (270, 90, 180, 0)
"""Of an arrow out of the map, in degrees, by `side`."""
DIGITS = 5
"""Of a coordinate; finer than a pixel, and a page a third as large."""


def charts(one: Race, relief: Relief) -> dict[str, str]:
    """The HTML of the map and of the costs of one landscape; they need Plotly's script on the page."""
    name = one.landscape.name
    return {"map": chart(f"{name}-map", map_chart(one, relief)), "costs": chart(f"{name}-costs", costs_chart(one))}


def map_chart(one: Race, relief: Relief) -> go.Figure:
    """Contours, the path of each rule from the first start, and a ring where it is at the slider's step."""
    paths = {rule: path(outcome.x) for rule, outcome in one.outcomes.items()}
    steps = frames(len(next(iter(one.outcomes.values())).x) - 1)
    figure, drawn = go.Figure(), [*_contours(one, paths, relief), *_paths(one, paths, relief), *_places(one)]
    moving = list(range(len(drawn), len(drawn) + len(paths)))
    figure.add_traces([*drawn, *_rings(paths, one, relief, steps[-1])])
    figure.frames = [go.Frame(name=str(step), data=_rings(paths, one, relief, step), traces=moving) for step in steps]
    axes(figure, "x", "y")
    (left, right), (low, high) = relief.frame
    figure.update_layout(
        height=580, margin=dict(l=48, r=16, t=12, b=150), sliders=[_slider(steps)], updatemenus=[_buttons()]
    )
    figure.update_xaxes(range=[left, right], showgrid=False, title_standoff=2)
    figure.update_yaxes(range=[low, high], showgrid=False)
    return figure


def costs_chart(one: Race) -> go.Figure:
    """The cost above the minimum of each rule, from the first start, after each step; what is 0, at the bottom."""
    figure = go.Figure()
    shown = _thinned(len(next(iter(one.outcomes.values())).cost) - 1)
    above = {rule: outcome.cost[shown, 0] - one.landscape.least for rule, outcome in one.outcomes.items()}
    floor = zero_line(np.stack(list(above.values())))
    for (rule, costs), colour in zip(above.items(), colours(one), strict=True):
        drawn = np.where(costs > 0, costs, floor)
        figure.add_scatter(x=shown, y=np.where(np.isfinite(costs), drawn, np.nan), name=_name(one, rule), mode="lines",
                           line_color=colour, connectgaps=False)  # fmt: skip
    if any((costs <= 0).any() for costs in above.values()):
        figure.add_hline(y=floor, line=dict(color=NEUTRAL, dash="dot", width=1))
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=np.log10(floor), yanchor="bottom", text="exactly 0",
                              showarrow=False)  # fmt: skip
    axes(figure, "step", "cost above the minimum", logarithmic=True)
    return figure


def zero_line(above: np.ndarray) -> float:
    """Where a logarithmic axis shows 0: the power of ten below all costs above 0."""
    positive = above[np.isfinite(above) & (above > 0)]
    return 10.0 ** (np.floor(np.log10(positive.min())) - 1) if len(positive) else 1.0


def _contours(one: Race, paths: dict[str, np.ndarray], relief: Relief) -> list[go.Contour | go.Scatter]:
    """Thin lines, thicker ones at the powers of ten, and what these are."""
    low, high = relief.contours()[[0, -1]]
    grid = dict(x=relief.x, y=relief.y, z=np.float32(relief.height))
    same = dict(
        hoverinfo="skip", showscale=False, colorscale=[[0, NEUTRAL], [1, NEUTRAL]], autocontour=False, opacity=0.6
    )
    written = labels(relief, np.concatenate([*paths.values(), np.transpose(one.landscape.minima)], axis=1))
    return [
        go.Contour(**grid, **same, line_width=0.7,
                   contours=dict(start=low, end=high, size=1 / LINES, coloring="lines")),
        go.Contour(**grid, **same, line_width=1.6,
                   contours=dict(start=np.ceil(low), end=np.floor(high), size=1, coloring="lines")),
        go.Scatter(x=[label.x for label in written], y=[label.y for label in written],
                   text=[label.text for label in written], textfont_size=12, mode="text", hoverinfo="skip",
                   showlegend=False, name="contours"),
    ]  # fmt: skip


def _paths(one: Race, paths: dict[str, np.ndarray], relief: Relief) -> list[go.Scatter]:
    """Lines as far as they are on the map, then an arrow wherever one leaves it."""
    lines, arrows = [], []
    for (rule, way), colour in zip(paths.items(), colours(one), strict=True):
        seen = visible(way, relief.frame)
        x, y = np.round(seen.line, DIGITS)
        lines.append(go.Scatter(
            x=x, y=y, name=_name(one, rule), legendgroup=rule, mode="lines", line=dict(color=colour, width=2),
            hovertemplate=f"{rule}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        ))  # fmt: skip
        if seen.exits.size:
            angles = [ANGLES[side(point, relief.frame)] for point in seen.exits.T]
            arrows.append(go.Scatter(
                x=seen.exits[0], y=seen.exits[1], name=f"{rule} leaves the map", legendgroup=rule, showlegend=False,
                mode="markers", marker=dict(symbol="arrow", size=13, angle=angles, color=colour), cliponaxis=False,
                hovertemplate=f"{rule} leaves the map<extra></extra>",
            ))  # fmt: skip
    return lines + arrows


def _places(one: Race) -> list[go.Scatter]:
    places = (("minimum", one.landscape.minima, "star"), ("start", [one.landscape.start], "square"))
    return [
        go.Scatter(
            x=[x for x, _ in points], y=[y for _, y in points], name=name, mode="markers",
            marker=dict(symbol=symbol, size=9, **PLACE),
            hovertemplate=f"{name}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        )
        for name, points, symbol in places
    ]  # fmt: skip


def _rings(paths: dict[str, np.ndarray], one: Race, relief: Relief, step: int) -> list[go.Scatter]:
    """Where every rule is; what is beyond the map is kept near it, where Plotly does not draw it."""
    low, high = relief.frame.T
    width = high - low
    return [
        go.Scatter(
            x=[x], y=[y], name=rule, legendgroup=rule, showlegend=False, mode="markers",
            marker=dict(color=colour, size=2 * ring(one, number) - 4, symbol="circle-open", line_width=3),
            hovertemplate=f"{rule}, step {step:,}<br>%{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        )
        for number, ((rule, way), colour) in enumerate(zip(paths.items(), colours(one), strict=True))
        for x, y in [np.clip(way[:, step], low - width, high + width)]
    ]  # fmt: skip


def _name(one: Race, rule: str) -> str:
    """In the legend, with the learning rate that it was tuned to."""
    return f"{rule} ({one.outcomes[rule].chosen})"


def _thinned(steps: int) -> np.ndarray:
    """At most some 400 of the steps 0 to `steps`, the last among them."""
    return np.unique(np.append(np.arange(0, steps + 1, max(1, steps // 400)), steps))


def _slider(steps: list[int]) -> dict:
    still = dict(mode="immediate", frame=dict(duration=0, redraw=False), transition=dict(duration=0))
    return dict(
        active=len(steps) - 1, x=0, len=1, y=-0.14, yanchor="top", pad=dict(t=42, b=0), minorticklen=0, ticklen=0,
        currentvalue=dict(prefix="step ", xanchor="right"), bgcolor="rgba(128,128,128,0.35)", borderwidth=0,
        activebgcolor=COLOURS[0], font=dict(size=13),
        steps=[dict(label=f"{step:,}", method="animate", args=[[str(step)], still]) for step in steps],
    )  # fmt: skip


def _buttons() -> dict:
    play = dict(fromcurrent=True, frame=dict(duration=120, redraw=False), transition=dict(duration=0))
    stop = dict(mode="immediate", frame=dict(duration=0, redraw=False), transition=dict(duration=0))
    return dict(
        type="buttons", direction="left", x=0, xanchor="left", y=-0.16, yanchor="top", pad=dict(t=8), showactive=False,
        bgcolor="rgba(128,128,128,0.2)", bordercolor="rgba(128,128,128,0.5)",
        buttons=[
            dict(label="▶ play", method="animate", args=[None, play]),
            dict(label="❚❚ pause", method="animate", args=[[None], stop]),
        ],
    )  # fmt: skip
