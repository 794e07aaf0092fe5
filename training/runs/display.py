"""What a person sees of a run: a bar while it goes on, a table when it is done."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..output.fitting import fitted
from ..output.interruption import clean_up_after_signals
from .around import Around
from .building import served_as
from .trainer import Call, Trainer


class Screen(Console):
    """What is printed is plain text.

    wide: tables keep their width where the output is no terminal, unless COLUMNS sets one.
    """

    def __init__(self, stderr: bool = False, wide: bool = False):
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if wide and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 200

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints as rich does, and each table in the width that there is."""
        super().print(*(fitted(one, self) if isinstance(one, Table) else one for one in objects), **options)


class _Bar:
    """A progress bar on standard error, of these columns, where that is a terminal; nothing elsewhere.

    The terminal may be closed while the work goes on: what cannot be written is left out.
    """

    def __init__(self, *columns: ProgressColumn, silent: bool = False):
        self._console = Screen(stderr=True)
        self._console.quiet = silent
        self._bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal, transient=True)

    def __enter__(self) -> Self:
        clean_up_after_signals()
        with suppress(OSError):
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):
            self._bar.stop()


class RunDisplay(_Bar):
    """A progress bar over the steps of a run on a terminal; a plain line an epoch where the output is none.

    Of a cluster's workers the chief alone shows one.
    """

    def __init__(self, trainer: Trainer):
        super().__init__(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            silent=not trainer.distribution.is_chief,
        )
        self._trainer, self._warned = trainer, False
        steps = trainer.settings.epochs * trainer.sampler.steps_per_epoch
        begun = self._count(len(trainer.history) + 1)
        done = len(trainer.history) * trainer.sampler.steps_per_epoch + len(trainer.costs)
        self._task = self._bar.add_task("compiling", total=steps, completed=done, epoch=begun)

    def __enter__(self) -> Self:
        super().__enter__()
        for note in self._trainer.dataset.notes:
            self.note(note)
        if served := served_as(self._trainer.rule):
            self.note(f"evaluated with {served}")
        return self

    def note(self, sentence: str) -> None:
        """Prints a sentence above the bar."""
        self._line(f"rawstep: {sentence}")

    def after_call(self, call: Call) -> None:
        """Moves the bar by one call; where there is no bar, prints the line of an epoch that it ended."""
        rate = f"{self._trainer.stopwatch.steps_per_second:,.0f} steps/s"
        ended = len(self._trainer.history)
        begun = self._count(min(ended + 1, self._trainer.settings.epochs))
        self._bar.update(self._task, advance=call.steps, description=f"cost {call.cost:.5g}  {rate}", epoch=begun)
        if self._trainer.guard.found is not None and not self._warned:
            self._warned = True
            self.note(f"{self._trainer.guard.found}; the run continues.")
        if call.epoch is not None and not self._console.is_terminal:
            accuracy = f"validation accuracy {call.epoch.validation_accuracy:.4f}"
            self._line(f"epoch {self._count(ended)}  cost {call.epoch.cost:.5g}  {accuracy}  {rate}")

    def _line(self, text: str) -> None:
        with suppress(OSError):
            self._console.print(text, soft_wrap=True)

    def _count(self, epoch: int) -> str:
        return f"{epoch}/{self._trainer.settings.epochs}"


class Tally(_Bar):
    """A progress bar over this many pieces of work."""

    def __init__(self, pieces: int):
        super().__init__(BarColumn(), TextColumn("{task.completed}/{task.total} {task.description}"))
        self._task, self._begun = self._bar.add_task("", total=pieces), 0

    def begin(self, piece: str) -> None:
        """The pieces before are done, and this one begins."""
        self._bar.update(self._task, completed=self._begun, description=piece)
        self._begun += 1


class WorkDisplay(_Bar):
    """A progress bar over the training steps of many runs."""

    def __init__(self):
        super().__init__(BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self._task, self._done = self._bar.add_task("starting", total=None), 0

    def begin(self, piece: str, left: int) -> None:
        """A run begins; `left` steps remain in all."""
        self._bar.update(self._task, total=self._done + left, completed=self._done, description=piece)

    def advance(self, steps: int) -> None:
        """This many steps are done."""
        self._done += steps
        self._bar.update(self._task, completed=self._done)


def run_title(report: Mapping[str, Any]) -> str:
    """Which run this is, from its report."""
    settings = report["settings"]
    rule = f"{settings['rule']} ({settings['dialect'] or 'its own defaults'})"
    around = {one.name: settings.get(one.name) for one in fields(Around)}
    around |= {"accumulate": settings.get("accumulate"), **settings.get("rule_options", {})}
    given = "".join(
        f", {name.replace('_', ' ')} {' '.join(value) if isinstance(value, tuple | list) else value}"
        for name, value in around.items()
        if value not in (None, (), [])
    )
    return f"{rule}, learning rate {settings['learning_rate']}{given}, seed {settings['seed']}"


def print_run(report: Mapping[str, Any]) -> None:
    """The tables of a run, from its report, to standard output: a row an epoch, then the run's own figures."""
    console = Screen()
    rate, compile_seconds = report["steps_per_second"], report["compile_seconds"]
    epochs = Table(title=run_title(report))
    for heading in ("epoch", "cost", "validation accuracy"):
        epochs.add_column(heading, justify="right")
    for epoch in report["epochs"]:
        epochs.add_row(str(epoch["epoch"]), f"{epoch['cost']:.6g}", f"{epoch['validation_accuracy']:.4f}")
    run = Table(show_header=False)
    run.add_column(justify="right")
    run.add_column()
    run.add_row("test accuracy", f"{report['test_accuracy']:.4f}")
    run.add_row("steps/s", "–" if rate is None else f"{rate:,.0f}")
    run.add_row("compile seconds", "–" if compile_seconds is None else f"{compile_seconds:.2f}")
    run.add_row("peak memory", f"{report['peak_memory_mb']:,.0f} MB")
    console.print(epochs)
    console.print(run)


def print_evaluation(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """A line, and a table of the cost and the accuracy on each split, to standard output."""
    console = Screen()
    console.print(title, soft_wrap=True)
    table = Table()
    for heading in ("split", "cost", "accuracy"):
        table.add_column(heading, justify="right")
    for split, figure in figures.items():
        table.add_row(split, f"{figure['cost']:.6g}", f"{figure['accuracy']:.4f}")
    console.print(table)
