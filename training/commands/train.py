"""`rawstep train`."""

from contextlib import closing
from functools import partial
from typing import Annotated

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..output.interruption import signals_noted
from ..runs.distribution.options import ALONE, Placement
from ..runs.own_options import OwnOption, by_name
from ..runs.settings import OwnProcess
from ..workloads.options import FilePath, Whole
from .starting import start_tensorflow


def train(
    settings: Annotated[OwnProcess, Parameter(name="*")] = OwnProcess(),  # noqa: B008 - frozen
    *,
    checkpoint: FilePath | None = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    save_every: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    plot: FilePath | None = None,
    tensorboard: FilePath | None = None,
    placement: Placement = ALONE,
    **own: OwnOption,
) -> None:
    """Train a network by a hand-written rule, and print its costs and metrics: a perceptron on MNIST, or another.

    The defaults are the notebook's first experiment: Adam as TensorFlow 1 computed it, learning rate 0.001, batches
    of 100, 30 epochs, two hidden layers of 256 units, weights and biases from N(0,1).

    With a checkpoint folder, Ctrl-C and `kill` save the run after the call that is under way. A run that was
    interrupted in any way continues with `--resume`, to the same bits as one that was not; it says where another
    machine or version may change the last ones. A run with a NaN or an infinity ends with status 3 and names the step
    and the value; the state it saves is finite. With `--on-nonfinite skip` it goes on without the steps that have one.

    Examples:

    - `rawstep train`: the notebook's first experiment
    - `rawstep train --learning-rate 0.005 --epochs 10`: its second, shorter
    - `rawstep train --rule adagrad --dialect keras`: Adagrad as Keras computes it, at Keras's rate
    - `rawstep train --hidden 64 32 --init he --json he.json`: smaller layers, and the figures in a file
    - `rawstep train --hidden none --init he --csv epochs.csv`: softmax regression, and its epochs as a table
    - `rawstep train --plot run.png`: and a picture of the run
    - `rawstep train --beta-2 0.95 --epsilon 1e-7`: with settings of the rule; `--rule adam --help` lists Adam's
    - `rawstep train --schedule cosine:3e-3,steps=5500,warmup=500 --clip-global-norm 1`: with a schedule and a limit
    - `rawstep train --rule adamw --ema 0.999 --accumulate 4`: averages of the weights; four batches a step
    - `rawstep train --weight-decay 0.01 --decay-only matrices --group biases:sgd,learning_rate=0.1`: biases apart
    - `rawstep train --checkpoint run --keep-best --patience 5`: until five epochs were no better; the best is kept
    - `rawstep train --rule my_rules:Momentum`: a rule of your own, from my_rules.py
    - `rawstep train --workload cnn`: a convolutional network; `rawstep train --workload cnn --help` lists its options
    - `rawstep train --workload my_task:MyTask`: a problem of your own, from my_task.py
    - `rawstep train --data-dir fashion --init he`: on Fashion-MNIST, whose four files are in the folder fashion
    - `rawstep train --data-dir emnist --subset letters --transpose --init he`: on one set of EMNIST's folder
    - `rawstep train --data-dir digits.npz --pixels unit --init he`: on images of floats from 0 to 1
    - `rawstep train --workload regression --table houses.csv --target price`: a table of numbers
    - `rawstep train --stream shards`: on data beyond memory, in shards that `rawstep shard` has made
    - `rawstep train --rule adadelta --checkpoint run`: saved in the folder run after every epoch
    - `rawstep train --checkpoint run --resume`: continue the run with its settings
    - `rawstep train --checkpoint run --resume --epochs 40`: continue it beyond the planned epochs
    - `rawstep train --strategy mirrored`: on all GPUs, or two logical devices of the CPU; see also `rawstep launch`

    Parameters
    ----------
    checkpoint
        Save the run in this folder, after every epoch and when it is interrupted. The last three states are kept,
        the last one without a NaN or an infinity, and with --keep-best the best.
    resume
        Continue from the newest whole state in the checkpoint folder, with the settings found there; learning rate,
        epochs, patience and execution may be changed. A damaged one is renamed. Without a state there, start a new run.
    save_every
        Save after this many steps instead of every epoch, rounded up to whole calls of the training program.
    json
        Write costs, metrics, rates, settings, versions, processor and commit to this file.
    csv
        Write the costs and metrics to this file, a row for each epoch.
    plot
        Draw costs, and what the workload is judged by, into this file, a .png, .svg or .pdf.
    tensorboard
        Write costs and metrics as TensorBoard events to this folder.
    """
    if checkpoint is None and (resume or save_every is not None):
        raise CycloptsError(f"{'--resume' if resume else '--save-every'} needs a folder: give --checkpoint DIR.")
    if checkpoint is None and settings.keep_best:
        raise CycloptsError("--keep-best needs a folder: give --checkpoint DIR.")
    start_tensorflow(placement)
    settings = settings.with_options(by_name(own))
    from ..output.csv_table import write_csv
    from ..output.files import check_apart, check_files, check_folder
    from ..output.outputs import outputs
    from ..runs.conduct import conduct, endings, go_on_from
    from ..runs.display import RunDisplay, print_run
    from ..runs.distribution.distribution import Distribution
    from ..runs.record import circumstances
    from ..runs.results import TensorBoard, report, write_json
    from ..runs.run_folder import RunFolder
    from ..runs.trainer import Trainer

    distribution = Distribution(placement)
    if not distribution.is_chief:
        json = csv = plot = tensorboard = None
    check_apart(checkpoint, json, csv, plot, tensorboard)
    check_files(json, csv)
    if plot is not None:
        from ..output.plot import check_plot

        check_plot(plot)
    if tensorboard is not None:
        check_folder(tensorboard)
    folder = None if checkpoint is None else RunFolder(checkpoint, save_every, distribution)
    losses_named = partial(distribution.losses_named, partial(go_on_from, folder))
    with losses_named():
        if folder is None:
            data, notes = settings.data(), []
            distribution.begin(settings, data, {})
            trainer = Trainer(settings, data, distribution=distribution)
        else:
            trainer, notes = folder.begin(settings, resume)
    with outputs() as attempt, losses_named():
        board = None if tensorboard is None else TensorBoard(tensorboard)
        with RunDisplay(trainer) as display, signals_noted() as signals:
            for note in notes:
                display.note(note)
            with closing(conduct(trainer, folder, signals)) as calls:  # which waits for what is being saved
                for call in calls:
                    display.after_call(call)
                    if board is not None and call.epoch is not None:
                        written = attempt(partial(board.write, len(trainer.history), **call.epoch.flat))
                        board = board if written else None
            for note in endings(trainer, folder):
                display.note(note)
        figures = report(trainer)
        distribution.leave()
        if distribution.is_chief:
            attempt(print_run, figures)
        if json is not None:
            attempt(write_json, json, circumstances("rawstep") | figures)
        if csv is not None:
            attempt(write_csv, csv, figures["epochs"])
        if plot is not None:
            from ..runs.plot import plot_run

            attempt(plot_run, figures, plot)
