"""The terminal: plain text and tables, and a bar while work goes on."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from .fitting import fitted
from .interruption import clean_up_after_signals
from .terminal import visible

QUIET = 2.0
"""Seconds that need no bar."""


class Screen(Console):
    """What is printed is plain text, in which nothing steers the terminal; see `terminal.visible`.

    wide: tables keep their width where the output is no terminal, unless COLUMNS sets one.
    """

    def __init__(self, stderr: bool = False, wide: bool = False):
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if wide and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 200

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints as rich does, and each table in the width that there is."""
        super().print(*(fitted(one, self) if isinstance(one, Table) else one for one in objects), **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich does, of what takes as much room as it is going to."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """As rich does; a segment is either text or what rich itself has the terminal do."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment(visible(one.text), one.style)


def words(form: str) -> TextColumn:
    """A column of a bar, of plain text."""
    return TextColumn(form, markup=False)


class Bar:
    """A progress bar on standard error, of these columns, where that is a terminal; nothing elsewhere.

    The terminal may be closed while the work goes on: what cannot be written is left out.

    bar: rich's own; console: where it is.
    """

    def __init__(self, *columns: ProgressColumn, silent: bool = False):
        self.console = Screen(stderr=True)
        self.console.quiet = silent
        self.bar = Progress(*columns, console=self.console, disable=not self.console.is_terminal, transient=True)

    def __enter__(self) -> Self:
        clean_up_after_signals()
        with suppress(OSError):
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):
            self.bar.stop()


class Tally(Bar):
    """A progress bar over this many pieces of work."""

    def __init__(self, pieces: int):
        super().__init__(BarColumn(), words("{task.completed}/{task.total} {task.description}"))
        self._task, self._begun = self.bar.add_task("", total=pieces), 0

    def begin(self, piece: str) -> None:
        """The pieces before are done, and this one begins."""
        self.bar.update(self._task, completed=self._begun, description=piece)
        self._begun += 1


class Counted(Bar):
    """A progress bar over this many of something."""

    def __init__(self, what: str, count: int):
        super().__init__(
            BarColumn(), words("{task.completed:,}/{task.total:,} {task.description}"), TimeRemainingColumn()
        )
        self._task = self.bar.add_task(what, total=count)

    def advance(self, count: int) -> None:
        """This many more are done."""
        self.bar.update(self._task, advance=count)


class Reading(Bar):
    """A progress bar over files that are read, where that takes more than two seconds."""

    def __init__(self):
        super().__init__(BarColumn(), words("{task.completed:,}/{task.total:,} shards"))
        self._begun, self._task = time.monotonic(), None

    def __enter__(self) -> Self:
        return self

    def at(self, done: int, of: int) -> None:
        """Shows that `done` of `of` shards are read."""
        if self._task is None and time.monotonic() > self._begun + QUIET:
            super().__enter__()
            self._task = self.bar.add_task("", total=of)
        if self._task is not None:
            self.bar.update(self._task, completed=done, total=of)


class WorkDisplay(Bar):
    """A progress bar over the training steps of many runs."""

    def __init__(self):
        super().__init__(BarColumn(), TimeRemainingColumn(), words("{task.description}"))
        self._task, self._done = self.bar.add_task("starting", total=None), 0

    def begin(self, piece: str, left: int) -> None:
        """A run begins; `left` steps remain in all."""
        self.bar.update(self._task, total=self._done + left, completed=self._done, description=piece)

    def advance(self, steps: int) -> None:
        """This many steps are done."""
        self._done += steps
        self.bar.update(self._task, completed=self._done)
