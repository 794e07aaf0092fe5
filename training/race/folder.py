"""The folder that a race leaves behind."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ..files import make_folder, write_whole
from ..pages import render
from ..plot import write_picture
from ..results import write_json
from .charts import charts
from .conduct import Race, trajectories
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
    reliefs = [relief(one.landscape) for one in races]
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
        "training.race", "page.html.jinja",
        {"rows": rows, "sentence": lambda text: text[0].upper() + text[1:]},
        results=results, headings=HEADINGS,
        charts={name: {kind: Markup(html) for kind, html in of.items()} for name, of in made.items()},
    )  # fmt: skip
