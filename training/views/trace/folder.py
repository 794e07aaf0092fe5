"""The folder that a trace is written to."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from core import InputError, Rule

from ...output.files import check_folder
from ...output.whole_folder import check_name, whole_folder
from .events import write_events
from .page import page
from .trace import NAME, Trace, written

EVENTS, PAGE = "events", "trace.html"


def check_trace_folder(folder: Path) -> None:
    """Raises InputError unless a trace can be written as this folder: a new or empty one, or one that holds a trace,
    which is then replaced; leaves nothing behind."""
    check_name(folder)
    check_folder(folder)
    place = Path(os.path.realpath(folder))
    if place == Path.cwd() or os.path.ismount(place):
        raise InputError(f"{folder} must be a folder inside another one, found the working directory or a disk.")
    if place.exists() and (others := {path.name for path in place.iterdir()} - {NAME, EVENTS, PAGE}):
        raise InputError(f"{folder} must be a new folder, or hold a trace alone, found {min(others)} in it.")
    check_folder(place.parent)


def write_folder(folder: Path, trace: Trace, rule: Rule, beside: Mapping[Path, Trace]) -> None:
    """Writes a trace, its events and its page, all or nothing, in the place of an earlier trace.

    rule:   which trained it. beside: other traces that its page shows, by their folders.

    Raises InputError where something cannot be written.
    """
    place = Path(os.path.realpath(folder))
    unseen = place.with_name(f".rawstep-trace-{os.getpid()}")
    outdated = place.with_name(f"{unseen.name}-outdated")
    try:
        with whole_folder(place, unseen) as unfinished:
            (unfinished / NAME).write_bytes(written(trace))
            names = _names([folder, *beside])
            others = dict(zip(names[1:], beside.values(), strict=True))
            (unfinished / PAGE).write_text(page(names[0], trace, rule, others), encoding="utf-8")
            write_events(unfinished / EVENTS, trace)
            if place.exists():
                place.rename(outdated)
    finally:
        shutil.rmtree(outdated, ignore_errors=True)


def written_in(folder: Path) -> list[Path]:
    """What `write_folder` writes."""
    return [folder / name for name in (NAME, EVENTS, PAGE)]


def _names(folders: Sequence[Path]) -> list[str]:
    """What a page calls each: its last part, or all of it where that of another is the same."""
    last = [os.path.basename(os.path.realpath(folder)) for folder in folders]
    return [name if last.count(name) == 1 else str(folder) for name, folder in zip(last, folders, strict=True)]
