"""The report: one HTML page that carries its script and its pictures, and needs no network."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...output.files import write_whole
from ...output.pages import render
from ..answers import judged
from ..bands import FEWEST, WIDTH, outside_by_chance
from ..place import REPORT, Place
from ..printed import EPOCHS
from .charts import charts
from .pictures import CAPTIONS, draw
from .tables import beside, figure, signed, tables

TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
CHART_OF = {
    "question-1": "epochs",
    "question-2": "learning-rates",
    "question-3": "optimizers",
    "question-4": "batch-sizes",
}


def write_report(results: Mapping[str, Any], place: Place) -> None:
    """Draws the pictures and writes report.html into the folder of a replication.

    Raises InputError where one of them cannot be written.
    """
    pictures = draw(results, place)
    write_whole(place.path / REPORT, page(results, pictures).encode())


def page(results: Mapping[str, Any], pictures: list[Path]) -> str:
    """The report of these results, with these pictures in it."""
    filters = {"figure": figure, "share": lambda value: figure(value, "accuracy"), "signed": signed,
               "counted": lambda count, what: f"{count} {what}" if count == 1 else f"{count} {what}s"}  # fmt: skip
    rows = beside(results)
    return render(
        "training.notebook.report",
        "page.html.jinja",
        filters,
        results=results,
        rows=rows,
        tables=tables(results),
        judged=[row for row in rows if row["verdict"] != "few seeds"],
        outside=[row for row in rows if row["verdict"] not in ("inside", "few seeds")],
        again=[(name, row) for name, part in results["parts"].items() for row in part.get("again", ())],
        by_chance=outside_by_chance(len(results["scale"]["seeds"])),
        made=[run["made"] for run in results["runs"].values()],
        small=not judged(len(results["scale"]["seeds"]), results["scale"]["epochs"]),
        band_width=WIDTH,
        fewest=FEWEST,
        notebook_epochs=EPOCHS,
        charts={name: Markup(html) for name, html in charts(results).items()},
        chart_of=CHART_OF,
        pictures=[(path.name, CAPTIONS[path.name], _data(path)) for path in pictures],
    )


def _data(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{b64encode(path.read_bytes()).decode()}"
