"""What a person sees of a run: a bar while it goes on, a table when it is done."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, Self

import numpy as np
from rich.progress import BarColumn, TimeRemainingColumn
from rich.table import Table

from ..output.screen import Bar, Screen, words
from .around import Around
from .building import served_as
from .figures import figure, heading, judging
from .trainer import Call, Trainer

MOST_ROWS = 60
"""Of a run's table; of more epochs it has as many, evenly spaced, and the last."""


class RunDisplay(Bar):
    """A progress bar over the steps of a run on a terminal; a plain line an epoch where the output is none.

    Of a cluster's workers the chief alone shows one.
    """

    def __init__(self, trainer: Trainer):
        super().__init__(
            words("epoch {task.fields[epoch]}"),
            BarColumn(),
            words("{task.description}"),
            TimeRemainingColumn(),
            silent=not trainer.distribution.is_chief,
        )
        self._trainer, self._warned = trainer, False
        steps = trainer.epochs * trainer.feed.steps_per_epoch
        begun = self._count(len(trainer.history) + 1)
        done = len(trainer.history) * trainer.feed.steps_per_epoch + len(trainer.costs)
        self._task = self.bar.add_task("compiling", total=steps, completed=done, epoch=begun)

    def __enter__(self) -> Self:
        super().__enter__()
        self.note(self._trainer.data.summary)
        for note in self._trainer.data.notes:
            self.note(note)
        if self._trainer.xla_options.flags:
            self.note("small and dense: XLA merges loops and orders kernels; --xla-options none for its defaults")
        if self._trainer.settings.narrow:
            self.note(
                "parameters in {parameters}, computed with in {compute}; slots in {slots}".format_map(
                    self._trainer.dtypes
                )
            )
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
        begun = self._count(min(ended + 1, self._trainer.epochs))
        self.bar.update(self._task, advance=call.steps, description=f"cost {call.cost:.5g}  {rate}", epoch=begun)
        if self._trainer.guard.found is not None and not self._warned:
            self._warned = True
            self.note(f"{self._trainer.guard.found}; the run continues.")
        if call.dropped and self._trainer.settings.on_nonfinite == "skip":
            first, last = self._trainer.step - call.steps + 1, self._trainer.step
            which = f"{call.dropped:,} of the steps {first:,} to {last:,}" if call.steps > 1 else f"step {last:,}"
            self.note(f"{which} skipped: the cost or a gradient was not finite.")
        if call.epoch is not None and not self.console.is_terminal:
            found, judged_by = call.epoch.figures, self._trainer.workload.judged_by
            figures = "  ".join(f"{heading(name)} {figure(name, found[name])}" for name in judging(found, judged_by))
            self._line(f"epoch {self._count(ended)}  cost {call.epoch.cost:.5g}  {figures}  {rate}")

    def _line(self, text: str) -> None:
        with suppress(OSError):
            self.console.print(text, soft_wrap=True)

    def _count(self, epoch: int) -> str:
        return f"{epoch}/{self._trainer.epochs}"


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
    judged_by = report["judged_by"]
    names = judging((name for name in report["epochs"][-1] if name not in ("epoch", "cost")), judged_by)
    for name in ("epoch", "cost", *names):
        epochs.add_column(heading(name), justify="right")
    rows = len(report["epochs"])
    for place in np.unique(np.linspace(0, rows - 1, min(rows, MOST_ROWS)).round().astype(int)):
        epoch = report["epochs"][place]
        epochs.add_row(str(epoch["epoch"]), *(figure(name, epoch[name]) for name in ("cost", *names)))
    run = Table(show_header=False)
    run.add_column(justify="right")
    run.add_column()
    for name in judging((name for name in report if name.startswith("test_")), judged_by):
        run.add_row(heading(name), figure(name, report[name]))
    if "loss_scale" in report:
        run.add_row("loss scale", f"{report['loss_scale']:g}")
    if "dropped_steps" in report:
        run.add_row("dropped steps", f"{report['dropped_steps']:,}")
    if report["settings"].get("compute") or report["settings"].get("parameters"):
        run.add_row("dtypes", ", ".join(f"{name} {dtype}" for name, dtype in report["dtypes"].items()))
    run.add_row("steps/s", "–" if rate is None else f"{rate:,.0f}")
    run.add_row("compile seconds", "–" if compile_seconds is None else f"{compile_seconds:.2f}")
    run.add_row("peak memory", f"{report['peak_memory_mb']:,.0f} MB")
    console.print(epochs)
    console.print(run)


def print_evaluation(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    """A line, and a table of the cost and the metrics on each split, to standard output."""
    console = Screen()
    console.print(title, soft_wrap=True)
    table = Table()
    names = [*next(iter(figures.values()))]
    for name in ("split", *names):
        table.add_column(heading(name), justify="right")
    for split, found in figures.items():
        table.add_row(split, *(figure(name, found[name]) for name in names))
    console.print(table)
