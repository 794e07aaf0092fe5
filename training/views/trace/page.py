"""The interactive page of a trace."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from core import Rule

from ...output.pages import COLOURS, COST, NEUTRAL, axes, render
from ...output.pages.charts import CONFIG, FEW, LOGARITHMIC, PLAIN, SHARE, TICKS
from .equations import Followed, followed
from .figures import Figure, Scale, curves, histograms
from .own_cost import in_words
from .series import curves_of, edges, histogram_steps, histograms_of
from .table import clips
from .trace import Trace

AXES: Mapping[Scale, Mapping[str, Any]] = {
    "logarithmic": LOGARITHMIC,
    "share": SHARE,
    "linear": {"rangemode": "tozero"},
}
DASHES = ("solid", "dot", "dash", "longdash", "dashdot", "longdashdot")


def page(name: str, trace: Trace, rule: Rule, beside: Mapping[str, Trace]) -> str:
    """The page of a trace, under this name, of a run that `rule` trained; with others, by their names, beside it."""
    runs = {name: trace, **beside}
    columns = list(dict.fromkeys(column for run in runs.values() for column in run.columns))
    drawn, spread, through = curves(columns), histograms(columns), followed(trace, rule)
    return render(
        "training.views.trace",
        "page.html.jinja",
        data=_embedded(_data(trace, runs, drawn, through)),
        name=name,
        title=_title(trace.about["settings"]),
        network=trace.about["network"],
        trace=trace,
        runs=runs,
        drawn=drawn,
        spread=spread,
        meanings=[(figure.title, figure.meaning) for figure in (*drawn.values(), *spread.values())],
        followed=through,
        settings=settings_table(runs),
        clips=clips(trace),
        own_cost=in_words(trace.about["own_cost"]),
    )


def settings_table(runs: Mapping[str, Trace]) -> list[list[str]]:
    """A row a setting: its name, and its value in each run."""
    columns = [_settings(run) for run in runs.values()]
    names = dict.fromkeys(name for column in columns for name in column)
    return [[name, *(column.get(name, "–") for column in columns)] for name in names]


def _title(settings: Mapping[str, Any]) -> str:
    dialect = f" ({settings['dialect']})" if settings["dialect"] else ""
    return f"{settings['rule']}{dialect}, learning rate {settings['learning_rate']}"


def _data(
    trace: Trace, runs: Mapping[str, Trace], drawn: Mapping[str, Figure], through: Sequence[Followed]
) -> dict[str, Any]:
    """What page.js draws: colours of layers, dashes of runs, curves, histograms, equations with numbers."""
    return {
        "runs": _runs(runs, histogram_steps(trace)),
        "layers": _coloured(dict.fromkeys(layer for run in runs.values() for layer in run.layers)),
        "colours": {"cost": COST, "neutral": NEUTRAL},
        "figures": {key: figure._asdict() for key, figure in drawn.items()},
        "histogram_steps": histogram_steps(trace),
        "edges": edges(),
        "followed": [_plain(one) for one in through],
        "layouts": {"curves": _layout("step", ""), "histograms": _layout("magnitude", "share per octave")},
        "axes": AXES,
        "ticks": TICKS,
        "plain": PLAIN,
        "few": FEW,
        "config": CONFIG,
    }


def _settings(run: Trace) -> dict[str, str]:
    settings, recorder, cost = run.about["settings"], run.about["recorder"], run.about["own_cost"]
    rule = {f"rule’s {name}": value for name, value in settings["rule_settings"].items() if name not in settings}
    own = {name: value for of in ("workload_options", "rule_options") for name, value in settings.get(of, {}).items()}
    shown = {name: value for name, value in settings.items() if not isinstance(value, dict) and value is not None}
    shown |= {name: value for name, value in own.items() if value is not None} | rule
    shown |= {f"recorder’s {name}": value for name, value in recorder.items()}
    shown |= {"records": len(run.steps), **run.judged}
    if cost is not None:
        shown["recording took"] = f"{cost['times_as_long']:.2f} [{cost['low']:.2f}–{cost['high']:.2f}] times as long"
    return {name: _text(value) for name, value in shown.items()}


def _text(value: Any) -> str:
    return " ".join(map(str, value)) or "–" if isinstance(value, list | tuple) else str(value)


def _runs(runs: Mapping[str, Trace], steps: list[int]) -> list[dict[str, Any]]:
    return [
        {"name": name, "dash": DASHES[number % len(DASHES)]}
        | curves_of(run)
        | {"histograms": histograms_of(run, steps)}
        for number, (name, run) in enumerate(runs.items())
    ]


def _coloured(names: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "colour": COLOURS[number % len(COLOURS)]} for number, name in enumerate(names)]


def _plain(one: Followed) -> dict[str, Any]:
    """JSON alone would make lists of named tuples."""
    parts = {name: [part._asdict() for part in getattr(one, name)] for name in ("values", "equations")}
    return one._asdict() | parts


def _layout(x: str, y: str) -> dict[str, Any]:
    figure = go.Figure()
    axes(figure, x, y)
    figure.update_layout(showlegend=False)
    return figure.to_plotly_json()["layout"]


def _embedded(data: Any) -> Markup:
    """JSON that may stand inside a script element, whatever texts it holds."""
    return Markup(json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", r"\u003c"))
