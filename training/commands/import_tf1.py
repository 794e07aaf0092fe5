"""`rawstep import-tf1`. It imports what it needs when it runs."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..output.terminal import note, say
from ..runs.around import NOTHING, Around
from ..runs.own_options import OwnOption, by_name
from ..runs.settings import Settings
from ..workloads.options import FilePath, Names, Whole

NotNegative = Annotated[Whole, Parameter(validator=Number(gte=0, lte=10**15))]
Positive = Annotated[Whole, Parameter(validator=Number(gte=1))]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def import_tf1(
    file: FilePath,
    /,
    *,
    out: FilePath,
    map: Annotated[Names | None, Parameter(show_default=False)] = None,
    slots: str | None = None,
    nesterov: Flag = False,
    rule: str | None = None,
    step: NotNegative | None = None,
    learning_rate: float | None = None,
    schedule: str | None = None,
    round: Flag = False,
    workload: str = "mlp",
    batch_size: Positive | None = None,
    epochs: Positive | None = None,
    seed: NotNegative = 0,
    data_dir: FilePath | None = None,
    around: Annotated[Around, Parameter(name="*")] = NOTHING,
    **own: OwnOption,
) -> None:
    """Make a run of a checkpoint that TensorFlow 1's Saver wrote, to continue: the notebook's, or your own.

    Variables, slots and step are taken over to the bit, and the rule goes on as TensorFlow 1 computed it. Epochs, their
    costs and the order of the batches start again: a checkpoint of TensorFlow 1 does not hold them.

    --map says which variable of the file is which. Without it, names, shapes and order decide, where they leave one
    choice, and the map is printed, to be pasted. Order is that in which data passes the layers of the graph, FILE.meta,
    where it is there. The graph has the optimizer's settings too; without it, give them as options. What was taken by
    default and what is left out is printed.

    Examples:

    - `rawstep import-tf1 rnn2.ckpt --out run`: then `rawstep train --checkpoint run --resume --epochs 5`
    - `rawstep import-tf1 rnn2_4.ckpt --out run --slots Adadelta`: of a graph with several optimizers, one
    - `rawstep import-tf1 rnn2_5.ckpt --out run --slots Adagrad --learning-rate 0.001`: which has no rate of its own
    - `rawstep import-tf1 weights.ckpt --out run --rule adam`: of weights alone, with new slots, at step 0
    - `rawstep import-tf1 net.ckpt --out run --map h1=net/dense/kernel b1=net/dense/bias ho=net/out/w bo=net/out/b`:
      by other names
    - `rawstep import-tf1 net.ckpt --out run --map names.json`: the same from a file, {"h1": "net/dense/kernel", …}
    - `rawstep import-tf1 net.ckpt --out run --nesterov --momentum 0.9 --learning-rate 0.01`: Momentum, use_nesterov
    - `rawstep import-tf1 net.ckpt --out run --beta-1 0.5 --ema 0.99`: another β, and averages of the weights
    - `rawstep import-tf1 wide.ckpt --out run --round`: float64, rounded to the float32 of rawstep's workloads
    - `rawstep import-tf1 net.ckpt --out run --rule sgd --learning-rate 0.1 --workload regression`: GradientDescent,
      which has no slots; of another workload

    Parameters
    ----------
    file
        What the names of the checkpoint's files begin with, as `saver.restore` takes it.
    out
        The folder to make the run in.
    map
        The file's names of variables by the workload's: --map h1=W1 b1=B1 ho=W2 bo=B2, or one file of JSON. A
        perceptron's are h1, h2, …, ho and b1, b2, …, bo, the last layer's ending in o.
    slots
        The optimizer's slots, by the name of the first: Adam, Adam_2, Momentum, RMSProp, Adagrad, Adadelta, Ftrl,
        train/Adam. Needed where there are several. none, with --rule, leaves all of them out.
    nesterov
        The slots of Momentum were made with use_nesterov=True, or those of Adam by Nadam, which the file does not say.
    rule
        Start afresh by this rule, from a file of weights without slots. sgd, which has none, goes on.
    step
        How many steps were taken, where the file does not show it: only Adam's slots do, and not after both powers of
        β have become 0, at the usual ones after 87,293. Of several Adams' powers, it decides which are meant.
    learning_rate
        Unless given, the graph's, or TensorFlow 1's default, where the rule has one.
    schedule
        The learning rate as it follows the steps, as in `rawstep train`.
    round
        Round what is wider than the run's variables, float64 to float32, and say how much that changes.
    workload
        What is trained: one of rawstep's problems, or module:Name for one of your own. Of a perceptron (mlp,
        regression) the file shows the layers.
    batch_size
        Examples a step. Unless given, the workload's: 100 of mlp.
    epochs
        Passes over the training examples, from here on. Unless given, the workload's: 30 of mlp.
    seed
        Decides the order of the batches.
    data_dir
        A folder with the workload's data, which the network must fit, as `rawstep train --data-dir` takes it. Unless
        given, the workload's own: MNIST of mlp.
    """
    if rule is not None and (slots not in (None, "none") or (step is not None and rule != "sgd")):
        raise CycloptsError("--rule starts afresh, at step 0; it goes with neither --slots nor --step.")
    if rule is None and slots == "none":
        raise CycloptsError("--slots none leaves all slots out: give --rule for what the run goes on by.")
    from ..exchange.tf1.import_checkpoint import Options, import_checkpoint

    settings = Settings(
        rule=rule or "adam",
        learning_rate=learning_rate,
        schedule=schedule,
        workload=workload,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        **asdict(around),
    )
    of_run = by_name(own) | ({} if data_dir is None else {"data_dir": (str(data_dir),)})
    result = import_checkpoint(file, settings, Options(map, slots, rule, step, nesterov, round, of_run), out)
    trainer = result.trainer
    cost = trainer.evaluate(trainer.data.splits["validation"])["cost"]
    for sentence in result.notes:
        note(sentence)
    say(f"Read {result.read}.")
    say(f"Validation cost {cost:.4g}: compare it with your session's.")
    say(f"Wrote {out}, at learning rate {trainer.rule.learning_rate}: rawstep train --checkpoint {out} --resume.")
