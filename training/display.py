"""What a person sees of a run: a bar while it goes on, a table when it is done."""

from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .loop import Epoch, Trainer


class EpochDisplay:
    """A progress bar on a terminal; a plain line an epoch where the output is none. Both go to standard error."""

    def __init__(self, trainer: Trainer):
        self._trainer = trainer
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        steps = trainer.settings.epochs * trainer.sampler.steps_per_epoch
        self._task = self._bar.add_task("compiling", total=steps, epoch=self._count(1))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def after_call(self, steps: int, cost: float) -> None:
        """Moves the bar by one call of `steps` steps whose mean cost is `cost`."""
        description = f"cost {cost:.5g}  {self._trainer.stopwatch.steps_per_second:,.0f} steps/s"
        epoch = self._count(len(self._trainer.history) + 1)
        self._bar.update(self._task, advance=steps, description=description, epoch=epoch)

    def after_epoch(self, epoch: Epoch) -> None:
        """Prints the epoch's line where there is no bar."""
        if not self._console.is_terminal:
            self._console.print(
                f"epoch {self._count(len(self._trainer.history))}  cost {epoch.cost:.5g}  "
                f"validation accuracy {epoch.validation_accuracy:.4f}  "
                f"{self._trainer.stopwatch.steps_per_second:,.0f} steps/s",
                soft_wrap=True,
            )

    def _count(self, epoch: int) -> str:
        return f"{epoch}/{self._trainer.settings.epochs}"


def print_table(report: Mapping[str, Any]) -> None:
    """The last table of a run, from its report, to standard output: a row an epoch, then the run's own figures."""
    console = Console(highlight=False)
    settings, compile_seconds = report["settings"], report["compile_seconds"]
    rule = f"{settings['rule']} ({settings['dialect'] or 'its own defaults'})"
    epochs = Table(title=f"{rule}, learning rate {settings['learning_rate']}, seed {settings['seed']}")
    for heading in ("epoch", "cost", "validation accuracy"):
        epochs.add_column(heading, justify="right")
    for number, epoch in enumerate(report["epochs"], start=1):
        epochs.add_row(str(number), f"{epoch['cost']:.6g}", f"{epoch['validation_accuracy']:.4f}")
    run = Table(show_header=False)
    run.add_column(justify="right")
    run.add_column()
    run.add_row("test accuracy", f"{report['test_accuracy']:.4f}")
    run.add_row("steps/s", f"{report['steps_per_second']:,.0f}")
    run.add_row("compile seconds", "–" if compile_seconds is None else f"{compile_seconds:.2f}")
    run.add_row("peak memory", f"{report['peak_memory_mb']:,.0f} MB")
    console.print(epochs)
    console.print(run)
