"""`rawstep import-tf1`. It imports what it needs when it runs."""

import sys
from typing import Annotated, Literal

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..runs.settings import Settings
from ..workloads.options import FilePath, Whole

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
        workload_options={} if data_dir is None else {"data_dir": (str(data_dir),)},
    )
    trainer = import_run(contents, of, taken, settings, out)
    for note in notes:
        print(f"rawstep: {note}", file=sys.stderr)
    what = f"new slots of {settings.rule}" if of is None else f"slots {of.name} of {settings.rule}"
    layers = "-".join(map(str, contents.layers))
    print(f"Read {contents.path}: layers {layers}, {what}, step {taken:,}.")
    print(f"Wrote {out}, at learning rate {trainer.rule.learning_rate}: rawstep train --checkpoint {out} --resume.")
