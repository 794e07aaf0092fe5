"""The command line. A command imports what it needs when it runs, so that --help answers at once."""

from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App

from .diverge import diverge
from .evaluate import evaluate
from .explain import explain
from .export import export
from .export_tf1 import export_tf1
from .import_tf1 import import_tf1
from .inspect import inspect
from .launch import launch
from .narrow import narrow
from .own_help import print_rule_help, print_workload_help, run_with_own_help
from .race import race
from .replicate import replicate
from .shard import shard
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
    shard,
    replicate,
    verify,
    diverge,
    translate,
    narrow,
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
    run_with_own_help(app, arguments)
