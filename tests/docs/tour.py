"""The tour as it is stored: with its outputs, so that GitHub and the documentation show its pictures.

`make tour` runs it and stores what has changed. Another processor rounds otherwise, so numbers may differ from those
stored; what else a cell prints may not.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

TOUR = Path(__file__).parents[2] / "docs" / "tour.ipynb"
SECONDS = 300
"""For one cell: many times what the longest takes, so that a busy machine is no failure."""

NUMBER = re.compile(r"[-−]?\d[\d.,]*(?:e[-+]?\d+)?%?")


def execute(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its outputs, run in docs/ by this environment's own Python, with nothing of when or where."""
    resources = {"metadata": {"path": str(TOUR.parent)}}
    client = NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources=resources, record_timing=False,
        coalesce_streams=True,
    )  # fmt: skip
    executed = client.execute()
    executed.metadata.language_info = {"name": "python"}
    return executed


def outlines(notebook: NotebookNode) -> dict[str, list[Any]]:
    """What each cell shows, by its id: texts without their numbers, and of pictures that they are there."""
    return {
        cell.id: [_outline(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"
    }


def _outline(output: NotebookNode) -> Any:
    if output.output_type == "stream":
        return output.name, NUMBER.sub("#", re.sub(" +", " ", output.text))
    return [
        (mime, "" if mime.startswith("image/") or "Figure size" in data else NUMBER.sub("#", data))
        for mime, data in sorted(output.data.items())
    ]


if __name__ == "__main__":
    nbformat.write(execute(nbformat.read(TOUR, as_version=4)), TOUR)
