"""The inspection as one HTML page that needs no network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ...output.pages import render
from .charts import arithmetic_chart, ladder_chart, traffic_chart
from .conclusions import conclusions, facts
from .tables import (
    DRIFT_HEADINGS,
    DRIFTS,
    LAUNCH_HEADINGS,
    LAUNCHES,
    PIECE_HEADINGS,
    PIECES,
    TIME_HEADINGS,
    TIMES,
    WORK,
    drift_cells,
    launch_cells,
    piece_cells,
    piece_rows,
    time_cells,
    work_cells,
)

WORK_HEADINGS = (
    "phase", "read, MB", "written, MB", "at least, MB", "products, MFLOP", "at least, MFLOP", "others, MFLOP"
)  # fmt: skip
VARIABLE_COLUMNS = (
    ("variable", "name"), ("bytes", "number"), ("updated in place", "word"), ("copied each step", "word")
)  # fmt: skip
KERNEL_COLUMNS = (
    ("kernel", "name"), ("phase", "text"), ("kind", "word"), ("result", "word"), ("read, B", "number"),
    ("written, B", "number"), ("FLOP", "number"), ("operations", "text"),
)  # fmt: skip


def page(figures: Mapping[str, Any], hlo: str) -> str:
    """The page of what was found. hlo: the text of XLA's optimized program."""
    step, rungs = figures["step"], figures["ladder"]
    phases = [*step["phases"].items(), ("all", step["whole"])]
    charts = {"traffic": traffic_chart(step), "arithmetic": arithmetic_chart(step)}
    ladder = [(rung["execution"], rung) for rung in rungs or ()]
    if rungs:
        charts["ladder"] = ladder_chart(rungs)
    return render(
        "training.views.inspection",
        "page.html.jinja",
        title=figures["title"],
        steps=figures["steps"],
        start=figures["start"],
        conclusions=conclusions(step, rungs),
        facts=facts(step),
        launches=(_columns(LAUNCH_HEADINGS), _rows(phases, launch_cells), LAUNCHES),
        work=(_columns(WORK_HEADINGS), _rows(phases, work_cells), WORK),
        times=(_columns(TIME_HEADINGS), _rows(ladder, time_cells), TIMES),
        drifts=(_columns(DRIFT_HEADINGS), _rows(ladder, drift_cells), DRIFTS),
        pieces=(_columns(PIECE_HEADINGS), _rows(piece_rows(figures), piece_cells), PIECES),
        variables=(VARIABLE_COLUMNS, [_variable(one) for one in step["variables"]]),
        kernels=(KERNEL_COLUMNS, [_kernel(number, one) for number, one in enumerate(step["kernels"], start=1)]),
        charts={name: Markup(html) for name, html in charts.items()},
        hlo=hlo,
    )


def _columns(headings: Sequence[str]) -> list[tuple[str, str]]:
    return [(heading, "number" if place else "name") for place, heading in enumerate(headings)]


def _rows(
    named: Iterable[tuple[str, Mapping[str, Any]]], cells: Callable[[Mapping[str, Any]], list[str]]
) -> list[list[str]]:
    return [[name, *cells(of)] for name, of in named]


def _variable(one: Mapping[str, Any]) -> list[str]:
    return [one["name"], f"{one['bytes']:,}", *("yes" if one[what] else "no" for what in ("in_place", "copied"))]


def _kernel(number: int, one: Mapping[str, Any]) -> list[str | Markup]:
    times = f" × {one['times']}" if one["times"] != 1 else ""
    return [
        Markup("{}. {}{}").format(number, _breakable(one["name"]), times),
        one["phase"] + (f", with {', '.join(one['others'])}" if one["others"] else ""),
        one["kind"],
        one["result"],
        *(f"{value:,}" for value in (one["read"], one["written"], sum(one["flop"].values()))),
        ", ".join(opcode if count == 1 else f"{count} {opcode}" for opcode, count in one["operations"].items()),
    ]


def _breakable(name: str) -> Markup:
    """Long names may continue on a new line after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))
