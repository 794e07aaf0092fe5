"""The command line. A command imports what it needs when it runs, so that --help answers at once."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version

from cyclopts import App

from .command_line import run
from .diverge import diverge
from .evaluate import evaluate
from .explain import explain
from .export import export
from .inspect import inspect
from .launch import launch
from .own_help import asked, print_rule_help, print_workload_help
from .race import race
from .replicate import replicate
from .tf1 import export_tf1, import_tf1
from .trace import trace
from .train import train
from .translate import translate
from .verify import verify

app = App(
    name="rawstep",
    version=f"rawstep {version('rawstep')}",
    help="Trains on bare TensorFlow, by hand-written optimizers in one XLA loop, and proves what optimizers compute.",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)


for command in (
    train,
    evaluate,
    launch,
    replicate,
    verify,
    diverge,
    translate,
    trace,
    race,
    explain,
    inspect,
    export,
    import_tf1,
    export_tf1,
):
    app.command(command)
app.command(print_workload_help, name="settings-of-workload", show=False)
app.command(print_rule_help, name="settings-of-rule", show=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `rawstep`, the process's own unless `arguments` are given."""
    further = asked(sys.argv[1:] if arguments is None else arguments)
    if not further:
        run(app, arguments)
        return
    with suppress(SystemExit):
        run(app, arguments)
    for command in further:
        run(app, command)
