"""`rawstep export-tf1`. It imports what it needs when it runs."""

from typing import Annotated

from cyclopts import CycloptsError, Parameter

from ..output.terminal import note, say
from ..workloads.options import Best, FilePath, Names


def export_tf1(
    *,
    checkpoint: FilePath,
    best: Best = False,
    out: FilePath,
    map: Annotated[Names | None, Parameter(show_default=False)] = None,
    named: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    like: FilePath | None = None,
    slots: str | None = None,
) -> None:
    """Write a run's newest checkpoint so that the notebook's own `saver.restore(sess, "rnn2.ckpt")` restores it.

    Of runs by the rules that TensorFlow 1 has: adam, nadam, adagrad, adadelta, momentum, nesterov, rmsprop, ftrl, sgd.
    The settings of a rule are not in the file: they are the graph's, the learning rate among them, and so is what
    stands around the rule.

    A session restores only a file that has all of its graph's variables. Graphs with several optimizers, with a
    global_step, in float64, or that minimize in a variable scope have more, or others: --like takes all that is not
    the run's from a checkpoint of that graph.

    Examples:

    - `rawstep export-tf1 --checkpoint run --out rnn2.ckpt`: for the notebook's graph with one optimizer
    - `rawstep export-tf1 --checkpoint run --out rnn2.ckpt --named`: for variables that were named h1 … bo
    - `rawstep export-tf1 --checkpoint run --out net.ckpt --map h1=net/dense/kernel b1=net/dense/bias ho=net/out/w
      bo=net/out/b`: by other names, the same map as import-tf1's
    - `rawstep export-tf1 --checkpoint run --out new.ckpt --like rnn2_4.ckpt --slots Adam_2`: for a graph with several
    - `rawstep export-tf1 --checkpoint run --out new.ckpt --like net.ckpt --map names.json`: both; the map is of a file

    Parameters
    ----------
    checkpoint
        The folder of the run.
    out
        What the names of the files to write begin with. Nothing is overwritten.
    map
        The names that the variables have in the graph, by the workload's: --map h1=W1 b1=B1 ho=W2 bo=B2, or one file
        of JSON. With --like, unless given, the only ones that fit by shapes and by the graph; they are printed.
    named
        Call the variables h1, h2, …, ho, b1, b2, …, bo, instead of Variable, Variable_1, … in this order.
    like
        A checkpoint of the graph that is to restore the file. Names and dtypes are its; weights, the slots of the run's
        rule, averages and a global_step are the run's, all else is copied.
    slots
        Which slots of --like to replace, by the name of the first, where it has several of the rule.
    """
    if like is None and slots is not None:
        raise CycloptsError("--slots names slots of another checkpoint: give --like FILE.")
    if like is not None and named:
        raise CycloptsError("--like takes its names from the file; it does not go with --named.")
    if map is not None and named:
        raise CycloptsError("--map names the variables; it does not go with --named.")
    from ..exchange.tf1.exporting import export_run, formula_note
    from ..exchange.tf1.maps import is_usual
    from ..exchange.tf1.typed_map import parsed, pasted

    names = None if map is None else parsed(map)
    done = export_run(checkpoint, out, named, like, slots, best, names)
    notes = [f"took {pasted(done.variables)}"] if names is None and not is_usual(done.variables) else []
    notes += formula_note(done.checkpoint)
    if done.checkpoint.settings.ema is not None and done.averages is None:
        notes.append(f"left out: the run's averages, which {like} does not have")
    for sentence in notes:
        note(sentence)
    rest = "" if like is None else f", all else from {like}"
    as_slots = f", its slots as {done.slots.name}" if done.slots.kind.slots else ""
    as_slots += f", its averages as {done.averages.name}" if done.averages else ""
    say(f"Read {done.checkpoint}.")
    say(f"Wrote {out}: the run's weights{as_slots}{rest}.")
