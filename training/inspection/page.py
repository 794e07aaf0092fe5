"""The inspection as one HTML page, which asks no network for anything."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ..pages import render
from .charts import arithmetic_chart, ladder_chart, traffic_chart
from .figures import sentences
from .tables import DRIFTS, LAUNCHES, TIMES, WORK, count


def page(figures: Mapping[str, Any], hlo: str) -> str:
    """The page of what was found. hlo: the text of XLA's optimized program."""
    step, rungs = figures["step"], figures["ladder"]
    charts = {"traffic": traffic_chart(step), "arithmetic": arithmetic_chart(step)}
    if rungs:
        charts["ladder"] = ladder_chart(rungs)
    return render(
        "training.inspection",
        "page.html.jinja",
        {"count": count, "millions": _millions, "operations": _operations, "breakable": _breakable},
        title=figures["title"],
        steps=figures["steps"],
        start=figures["start"],
        step=step,
        rungs=rungs,
        sentences=sentences(step),
        step_legends=(LAUNCHES, WORK),
        ladder_legends=(TIMES, DRIFTS),
        charts={name: Markup(html) for name, html in charts.items()},
        hlo=hlo,
    )


def _operations(counts: Mapping[str, int]) -> str:
    return ", ".join(opcode if count == 1 else f"{count} {opcode}" for opcode, count in counts.items())


def _millions(value: int) -> str:
    return f"{value / 1e6:.3f}"


def _breakable(name: str) -> Markup:
    """Long names go on in a new line after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))
