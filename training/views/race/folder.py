"""The folder that a race leaves behind."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ...output.files import make_folder, write_whole
from ...output.pages import render
from ...output.plot import write_picture
from ...runs.results import write_json
from .charts import charts
from .conduct import Race, trajectories
from .formulas import formulas
from .frame import path, visible
from .pictures import animation, map_of
from .relief import Relief, relief
from .table import HEADINGS, rows

PAGE = "race.html"


def write_folder(folder: Path, races: Sequence[Race], results: Mapping[str, Any]) -> None:
    """Writes figures, trajectories, pictures, animations and the page. Raises InputError where they cannot be."""
    make_folder(folder)
    write_json(folder / "race.json", results)
    ways = BytesIO()
    np.savez_compressed(ways, allow_pickle=False, **trajectories(races))
    write_whole(folder / "trajectories.npz", ways.getvalue())
    reliefs = [relief(one) for one in races]
    for one, heights in zip(races, reliefs, strict=True):
        figure, _ = map_of(one, heights)
        for suffix in (".svg", ".png"):
            write_picture(folder / f"{one.landscape.name}{suffix}", figure)
        write_whole(folder / f"{one.landscape.name}.gif", animation(one, heights))
    write_whole(folder / PAGE, page(races, reliefs, results).encode())


def page(races: Sequence[Race], reliefs: Sequence[Relief], results: Mapping[str, Any]) -> str:
    """The page as HTML."""
    made = {one.landscape.name: charts(one, heights) for one, heights in zip(races, reliefs, strict=True)}
    return render(
        "training.views.race", "page.html.jinja",
        {"rows": rows, "sentence": lambda text: text[0].upper() + text[1:]},
        results=results, columns=[(heading, "number" if place else "name") for place, heading in enumerate(HEADINGS)],
        rules=formulas(results["rules"]),
        beyond={one.landscape.name: _beyond(one, heights) for one, heights in zip(races, reliefs, strict=True)},
        charts={name: {kind: Markup(html) for kind, html in of.items()} for name, of in made.items()},
    )  # fmt: skip


def _beyond(one: Race, heights: Relief) -> list[str]:
    """The rules whose paths leave the map, each with the farthest point of its path."""
    seen = {rule: visible(path(outcome.x), heights.frame).farthest for rule, outcome in one.outcomes.items()}
    return [f"{rule}, as far as ({x[0]:.3g}, {x[1]:.3g})" for rule, x in seen.items() if x is not None]
