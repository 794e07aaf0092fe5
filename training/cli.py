"""The command line. A command imports what it needs when it runs, so that --help answers at once."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, CycloptsError, Parameter

from .settings import Settings

app = App(
    name="rawstep",
    version=f"rawstep {version('rawstep')}",
    help="Trains on bare TensorFlow: raw variables, hand-written optimizers, one XLA loop.",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)


@app.command
def train(
    settings: Annotated[Settings, Parameter(name="*")] = Settings(),  # noqa: B008 - frozen
    *,
    json: Path | None = None,
    tensorboard: Path | None = None,
) -> None:
    """Train a perceptron on MNIST and print its costs and accuracies.

    The defaults are the notebook's first experiment: Adam as TensorFlow 1 computed it, learning rate 0.001, batches
    of 100, 30 epochs, two hidden layers of 256 units, weights and biases from N(0,1).

    Examples:

    - `rawstep train`: the notebook's first experiment
    - `rawstep train --learning-rate 0.005 --epochs 10`: its second, shorter
    - `rawstep train --rule adagrad --dialect keras`: Adagrad as Keras computes it, at Keras's rate
    - `rawstep train --hidden 64 32 --init he --json he.json`: smaller layers, and the figures in a file
    - `rawstep train --rule my_rules:Momentum`: a rule of your own, from my_rules.py

    Parameters
    ----------
    json
        Write costs, accuracies, rates, settings and versions to this file.
    tensorboard
        Write cost and accuracy as TensorBoard events to this folder.
    """
    if sys.stderr.isatty():
        print("starting TensorFlow …", end="\r", file=sys.stderr, flush=True)
    from .data import load_mnist
    from .display import EpochDisplay, print_table
    from .loop import Trainer
    from .results import TensorBoard, check_writable, report, write_json

    if json is not None:
        check_writable(json)
    trainer = Trainer(settings, load_mnist())
    board = None if tensorboard is None else TensorBoard(tensorboard)
    with EpochDisplay(trainer) as display:
        for epoch in trainer.epochs(display.after_call):
            display.after_epoch(epoch)
            if board is not None:
                board.write(len(trainer.history), **epoch._asdict())
    figures = report(trainer)
    print_table(figures)
    if json is not None:
        write_json(json, figures)


def _stop(sentence: str, status: int) -> NoReturn:
    print(f"rawstep: {sentence}", file=sys.stderr)
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line, or these arguments; what was given wrongly ends in one sentence and exit status 2."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _stop(str(error), 2)
    except KeyboardInterrupt:
        _stop("interrupted; nothing was kept.", 130)
    except ValueError as error:
        from core import InputError

        if not isinstance(error, InputError):
            raise
        _stop(str(error), 2)
