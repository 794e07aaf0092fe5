"""The charts of the page: curves that can be hovered, and series that can be switched off."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ...output.pages import COLOURS, COST, NEUTRAL, axes, chart, mode
from ...output.pages.charts import LOGARITHMIC
from .series import Series, experiments, over_seeds

FEW_EPOCHS = 10
"""Up to as many each has a tick; Plotly would put others between them."""


def charts(results: Mapping[str, Any]) -> dict[str, str]:
    """The HTML of each chart by its name, of the parts that were made; they need Plotly's script on the page."""
    return {name: chart(name, figure) for name, figure in _figures(results)}


def _figures(results: Mapping[str, Any]) -> Iterator[tuple[str, go.Figure]]:
    parts = results["parts"]
    if costs := experiments(results, "cost"):
        yield "costs", _over_epochs(costs, "mean cost of the epoch's batches", logarithmic=True)
        yield "accuracies", _over_epochs(experiments(results, "test_accuracy"), "test accuracy")
    if "question-1" in parts:
        run = [parts["question-1"]["run"]]
        named = {"cost": "cost", "validation_accuracy": "validation accuracy", "test_accuracy": "test accuracy"}
        cost, *accuracies = (over_seeds(results, run, curve, named[curve], i) for i, curve in enumerate(named))
        yield "epochs", _epochs(cost, accuracies, parts["question-1"])
    if "question-2" in parts:
        yield "learning-rates", _learning_rates(parts["question-2"]["rules"])
    if "question-3" in parts:
        rows = parts["question-3"]["rows"]
        yield (
            "optimizers",
            _over_epochs(
                [
                    over_seeds(
                        results,
                        row["runs"],
                        "test_accuracy",
                        f"{row['rule']} {row['learning_rate']:g}, {row['whose']}",
                        i,
                    )
                    for i, row in enumerate(rows)
                ],
                "test accuracy",
            ),
        )
    if "question-4" in parts:
        yield "batch-sizes", _batch_sizes(parts["question-4"])


def _over_epochs(series: Sequence[Series], title: str, logarithmic: bool = False) -> go.Figure:
    """Curves with their bands and printed figures; the legend switches all three of a series."""
    figure = go.Figure()
    for one in series:
        figure.add_traces(_band(one))
        if one.printed:
            figure.add_scatter(
                x=one.epochs[: len(one.printed)],
                y=one.printed,
                name=f"{one.name}, notebook",
                legendgroup=one.name,
                showlegend=False,
                mode="markers",
                marker=dict(color=one.colour, symbol="x-thin-open", size=7),
            )
    axes(figure, "epoch", title, logarithmic)
    if max(len(one.epochs) for one in series) <= FEW_EPOCHS:
        figure.update_xaxes(dtick=1)
    return figure


def _band(one: Series) -> list[go.Scatter]:
    """The mean with the band from the lowest to the highest seed; of few epochs each point has a bar instead."""
    few = mode(len(one.epochs)) != "lines"
    mean = go.Scatter(x=one.epochs, y=one.mean, name=one.name, line_color=one.colour, legendgroup=one.name,
                      mode=mode(len(one.epochs)))  # fmt: skip
    if few:
        mean.error_y = dict(array=one.high - one.mean, arrayminus=one.mean - one.low, thickness=1.5)
        return [mean]
    edge = dict(legendgroup=one.name, mode="lines", line_width=0, hoverinfo="skip", showlegend=False)
    return [
        go.Scatter(x=one.epochs, y=one.low, **edge),
        go.Scatter(x=one.epochs, y=one.high, **edge, fill="tonexty", fillcolor=f"{one.colour}40"),
        mean,
    ]


def _epochs(cost: Series, accuracies: Sequence[Series], figures: Mapping[str, Any]) -> go.Figure:
    figure, drawn = go.Figure(), mode(len(cost.epochs))
    for one in accuracies:
        figure.add_scatter(x=one.epochs, y=one.mean, name=one.name, mode=drawn, line_color=one.colour)
    figure.add_scatter(x=cost.epochs, y=cost.mean, name="cost (right)", mode=drawn, line_color=COST, yaxis="y2")
    # At different heights: the two may be epochs close to each other.
    for name, height in (("enough", "top"), ("best", "bottom")):
        side = "left" if 2 * figures[name]["epoch"] > len(cost.epochs) else "right"
        figure.add_vline(x=figures[name]["epoch"], line_dash="dot", line_color=NEUTRAL, annotation_text=name,
                         annotation_position=f"{height} {side}")  # fmt: skip
    axes(figure, "epoch", "accuracy")
    figure.update_layout(
        yaxis2=LOGARITHMIC
        | dict(dtick=1, exponentformat="none", overlaying="y", side="right", showgrid=False, title="cost")
    )
    return figure


def _learning_rates(rules: Mapping[str, Any]) -> go.Figure:
    figure = go.Figure()
    for colour, (rule, of) in zip(COLOURS, rules.items(), strict=False):
        for accuracy, dash in (("validation_accuracy", "solid"), ("test_accuracy", "dot")):
            figure.add_scatter(
                x=[row["learning_rate"] for row in of["grid"]],
                y=[row[accuracy] for row in of["grid"]],
                name=f"{rule}, {accuracy.partition('_')[0]}",
                mode="lines+markers",
                line=dict(color=colour, dash=dash),
            )
    axes(figure, "learning rate", "accuracy after the last epoch")
    figure.update_xaxes(LOGARITHMIC, nticks=6, exponentformat="none")
    return figure


def _batch_sizes(question: Mapping[str, Any]) -> go.Figure:
    figure = go.Figure()
    names = {
        "equal_epochs": f"after {question['epochs']} epochs",
        "equal_steps": f"after {question['steps']:,} steps",
    }
    for colour, (equal, name) in zip(COLOURS, names.items(), strict=False):
        for accuracy, dash in (("validation_accuracy", "solid"), ("test_accuracy", "dot")):
            figure.add_scatter(
                x=[row["batch"] for row in question["rows"]],
                y=[row[equal][accuracy] for row in question["rows"]],
                name=f"{name}, {accuracy.partition('_')[0]}",
                mode="lines+markers",
                line=dict(color=colour, dash=dash),
            )
    axes(figure, "batch size", "accuracy")
    figure.update_xaxes(type="log", tickvals=[row["batch"] for row in question["rows"]])
    return figure
