"""The tour runs as a reader runs it, is stored as it was written, and points at what is there."""

import re
import shlex
import sys

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from training.commands.cli import app

from .tour import TOUR, execute, outlines

ROOT = TOUR.parents[1]


@pytest.fixture(scope="module")
def tour() -> NotebookNode:
    return nbformat.read(TOUR, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def quoted(notebook: NotebookNode) -> list[str]:
    """What stands between backticks in the text."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"`([^`]+)`", text)


def test_the_tour_runs_and_shows_what_is_stored(tour):
    """Would catch a claim that no longer holds, a name that is no longer there, chatter of TensorFlow's, and outputs
    that `make tour` has not stored."""
    stored = outlines(tour)
    assert outlines(execute(nbformat.read(TOUR, as_version=4))) == stored
    shown = [output for cell in code(tour) for output in cell.outputs]
    assert not [output.text for output in shown if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert any("text/latex" in output.get("data", {}) for output in shown)


def test_a_cell_that_fails_is_seen_and_the_kernel_is_this_environments():
    cells = [
        f"import sys; assert sys.executable == {sys.executable!r}",
        "import core",
        "assert list(core.RULES) == [], 'planted'",
    ]
    with pytest.raises(CellExecutionError, match="planted"):
        execute(new_notebook(cells=[new_code_cell(cell) for cell in cells]))


def test_the_tour_is_stored_with_nothing_of_when_or_where_it_ran(tour):
    nbformat.validate(tour)
    assert [cell.execution_count for cell in code(tour)] == list(range(1, len(code(tour)) + 1))
    assert not [cell.id for cell in tour.cells if cell.metadata]
    assert set(tour.metadata) == {"kernelspec", "language_info"}
    assert tour.metadata.language_info == {"name": "python"}
    assert all(re.fullmatch(r"[a-z0-9-]+", cell.id) for cell in tour.cells)


def test_every_command_of_the_text_is_one_that_rawstep_takes(tour):
    commands = [shlex.split(text)[1:] for text in quoted(tour) if text.startswith("rawstep ")]
    assert {"trace", "explain", "race", "inspect", "verify", "replicate"} <= {command[0] for command in commands}
    for command in commands:
        app.parse_args(command, exit_on_error=False, print_error=False)


def test_every_file_of_the_text_is_there(tour):
    files = [text for text in quoted(tour) if re.fullmatch(r"(core|training|benchmarks|docs)/[\w./]*", text)]
    assert files
    assert not [file for file in files if not (ROOT / file).exists()]
