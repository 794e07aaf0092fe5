"""`rawstep export-tf1`. It imports what it needs when it runs."""

import sys
from typing import Annotated

from cyclopts import CycloptsError, Parameter

from ..workloads.options import Best, FilePath


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

    Of runs of the perceptron, mlp, by adam, adagrad and adadelta. The learning rate is not in the file: it is the
    graph's.

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
    for note in formula_note(state):
        print(f"rawstep: {note}", file=sys.stderr)
    rest = "" if like is None else f", all else from {like}"
    print(f"Read {state}.")
    print(f"Wrote {out}: the run's weights, its slots as {of.name}{rest}.")
