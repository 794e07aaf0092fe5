"""The commands of the bridge: import-tf1, export-tf1. Each imports what it needs when it runs."""

import sys
from typing import Annotated, Literal

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..runs.settings import Settings
from ..workloads.options import Best, FilePath, Whole

RuleName = Literal["adam", "adagrad", "adadelta"]
NotNegative = Annotated[Whole, Parameter(validator=Number(gte=0, lte=10**15))]
Positive = Annotated[Whole, Parameter(validator=Number(gte=1))]


def import_tf1(
    file: FilePath,
    /,
    *,
    out: FilePath,
    slots: str | None = None,
    rule: RuleName | None = None,
    step: NotNegative | None = None,
    learning_rate: float | None = None,
    batch_size: Whole = 100,
    epochs: Positive = 30,
    seed: NotNegative = 0,
    data_dir: FilePath | None = None,
) -> None:
    """Make a run of a checkpoint that TensorFlow 1's Saver wrote of the notebook's graph, to continue.

    Weights, slots and step are taken over to the bit, and the rule goes on as TensorFlow 1 computed it. Epochs, their
    costs and the order of the batches start again: a checkpoint of TensorFlow 1 does not hold them.

    Examples:

    - `rawstep import-tf1 rnn2.ckpt --out run`: then `rawstep train --checkpoint run --resume --epochs 5`
    - `rawstep import-tf1 rnn2_4.ckpt --out run --slots Adadelta`: of a graph with several optimizers, one
    - `rawstep import-tf1 rnn2_5.ckpt --out run --slots Adagrad --learning-rate 0.001`: which has no rate of its own
    - `rawstep import-tf1 weights.ckpt --out run --rule adam`: of weights alone, with new slots, at step 0

    Parameters
    ----------
    file
        What the names of the checkpoint's files begin with, as `saver.restore` takes it.
    out
        The folder to make the run in.
    slots
        The optimizer's slots, by the name of the first: Adam, Adam_2, Adagrad, Adadelta. Needed where there are
        several.
    rule
        adam, adagrad or adadelta, to start afresh from a file of weights without slots.
    step
        How many steps were taken, where the file does not show it: Adagrad's and Adadelta's do not, and Adam's does not
        after 87,293.
    learning_rate
        Unless given, TensorFlow 1's default, where the rule has one.
    batch_size
        Images a step.
    epochs
        Passes over the training images, from here on.
    seed
        Decides the order of the batches.
    data_dir
        A folder with four IDX files, which the network must fit. Unless given, MNIST.
    """
    if rule is not None and (slots is not None or step is not None):
        raise CycloptsError("--rule starts afresh, at step 0; it goes with neither --slots nor --step.")
    from ..exchange.tf1.contents import read
    from ..exchange.tf1.importing import check_without_slots, choose_slots, import_run, step_of_slots

    contents = read(file)
    if rule is None:
        of = choose_slots(contents, slots)
        taken, notes = step_of_slots(contents, of, step)
    else:
        check_without_slots(contents)
        of, taken, notes = None, 0, []
    settings = Settings(
        rule=of.kind.rule if of else str(rule),
        learning_rate=learning_rate,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        data_dir=data_dir,
    )
    trainer = import_run(contents, of, taken, settings, out)
    _say(notes)
    what = f"new slots of {settings.rule}" if of is None else f"slots {of.name} of {settings.rule}"
    layers = "-".join(map(str, contents.layers))
    print(f"Read {contents.path}: layers {layers}, {what}, step {taken:,}.")
    print(f"Wrote {out}, at learning rate {trainer.rule.learning_rate}: rawstep train --checkpoint {out} --resume.")


def export_tf1(
    *,
    checkpoint: FilePath,
    best: Best = False,
    out: FilePath,
    named: Annotated[bool, Parameter(negative=())] = False,
    like: FilePath | None = None,
    slots: str | None = None,
) -> None:
    """Write a run's newest checkpoint so that the notebook's own `saver.restore(sess, "rnn2.ckpt")` restores it.

    Of runs of adam, adagrad and adadelta. The learning rate is not in the file: it is the graph's.

    A session restores only a file that has all of its graph's variables. The notebook's later graphs hold several
    optimizers: --like takes all that is not the run's from a checkpoint of that graph.

    Examples:

    - `rawstep export-tf1 --checkpoint run --out rnn2.ckpt`: for the notebook's graph with one optimizer
    - `rawstep export-tf1 --checkpoint run --out rnn2.ckpt --named`: for variables that were named h1 … bo
    - `rawstep export-tf1 --checkpoint run --out new.ckpt --like rnn2_4.ckpt --slots Adam_2`: for a graph with several

    Parameters
    ----------
    checkpoint
        The folder of the run.
    out
        What the names of the files to write begin with. Nothing is overwritten.
    named
        Call the variables h1, h2, …, ho, b1, b2, …, bo, instead of Variable, Variable_1, … in this order.
    like
        A checkpoint of the graph that is to restore the file. The names are its; weights, the slots of the run's rule
        and a global_step are the run's, all else is copied.
    slots
        Which slots of --like to replace, by the name of the first, where it has several of the rule.
    """
    if like is None and slots is not None:
        raise CycloptsError("--slots names slots of another checkpoint: give --like FILE.")
    if like is not None and named:
        raise CycloptsError("--like takes its names from the file; it does not go with --named.")
    from ..exchange.tf1.exporting import export_run, formula_note

    state, of = export_run(checkpoint, out, named, like, slots, best)
    _say(formula_note(state))
    rest = "" if like is None else f", all else from {like}"
    print(f"Read {state}.")
    print(f"Wrote {out}: the run's weights, its slots as {of.name}{rest}.")


def _say(notes: list[str]) -> None:
    for note in notes:
        print(f"rawstep: {note}", file=sys.stderr)
