"""The report: one HTML page that carries its script and its pictures, and asks no network for anything."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..files import write_whole
from ..pages import render
from ..replication.answers import judged
from ..replication.bands import FEWEST, WIDTH, outside_by_chance
from ..replication.place import REPORT, Place
from ..replication.printed import EPOCHS
from .charts import charts
from .pictures import CAPTIONS, draw

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
    filters = {"figure": figure, "share": lambda value: figure(value, "accuracy"), "signed": _signed}
    rows = beside(results)
    return render(
        "training.report",
        "page.html.jinja",
        filters,
        results=results,
        rows=rows,
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


def beside(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every figure that the notebook printed beside ours, with the verdict in a word or two."""
    few = len(results["scale"]["seeds"]) < FEWEST
    return [
        {"experiment": name, **row, "verdict": "few seeds" if few else _verdict(row)}
        for name, part in results["parts"].items()
        for row in part.get("beside", ())
    ]


def figure(value: float | None, what: str) -> str:
    """A cost to four digits, an accuracy as a percentage; a dash for what is not finite."""
    if value is None:
        return "–"
    return f"{value:.2%}" if "accuracy" in what else f"{value:.4g}"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["outside"] is None:
        return "not finite"
    if row["outside"] == 0:
        return "inside"
    far, side = abs(row["outside"]), "above" if row["outside"] > 0 else "below"
    return f"{100 * far:.2f} points {side}" if "accuracy" in row["what"] else f"{far:.2g} {side}"


def _signed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:+.{digits}f}".replace("-", "−")


def _data(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{b64encode(path.read_bytes()).decode()}"
