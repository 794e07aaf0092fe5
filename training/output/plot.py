"""Pictures by Matplotlib, written whole."""

from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from core import InputError

from .files import check_file, write_whole
from .terminal import visible

FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: Path) -> None:
    """Raises InputError unless a picture can be written at `path`, in the format that its ending names."""
    if path.suffix not in FORMATS:
        raise InputError(f"{path} must end in {' or '.join(FORMATS)}.")
    check_file(path)


def letters(text: str) -> str:
    """A name as Matplotlib is to write it, letter by letter: between two dollars it sees a formula, and SVG lacks
    control characters."""
    return visible(text).replace("$", r"\$")


def write_picture(path: Path, figure: Figure) -> None:
    """Writes a figure, whole or not at all, in the format that the ending names. The same figure produces the same
    bytes.

    Raises InputError where it cannot be written.
    """
    picture = BytesIO()
    dated = {".svg": "Date", ".pdf": "CreationDate"}.get(path.suffix)
    with matplotlib.rc_context({"svg.hashsalt": "rawstep"}):
        figure.savefig(picture, format=path.suffix[1:], dpi=150, metadata=dated and {dated: None})
    write_whole(path, picture.getvalue())
