"""The command line of the benchmarks, apart from rawstep's own: training never needs them."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from training.commands.own_help import print_workload_help, run_with_own_help
from training.notebook.printed import RULES as NOTEBOOK_RULES
from training.output.terminal import say
from training.runs.own_options import WithWords
from training.workloads.options import FilePath, Names, Whole

from .places import NOWHERE, Places

app = App(
    name="rawstep-bench",
    version=f"rawstep {version('rawstep')}",
    help="Compares the speed of rawstep with that of other libraries, on the same work.",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)

Rounds = Annotated[Whole, Parameter(validator=Number(gte=2))]
Positive = Annotated[Whole, Parameter(validator=Number(gte=1))]
Seed = Annotated[Whole, Parameter(validator=Number(gte=0))]
OwnOption = Annotated[
    tuple[str, ...],
    Parameter(
        help="A setting of the workload, such as --hidden 64 64. With --workload NAME, --help lists them.",
    ),
    WithWords,
]


@app.command
def compare(
    *,
    workload: str = "mlp",
    engines: Names | None = None,
    rounds: Rounds = 20,
    batch_size: Positive | None = None,
    device: Literal["cpu", "gpu"] = "cpu",
    seed: Seed = 0,
    places: Places = NOWHERE,
    **own: OwnOption,
) -> None:
    """Compare the time that engines take to train the same workload on the same batches.

    Each runs in a process of its own. In every round each trains one epoch, or of large work as many steps as take
    about a second, in an order shuffled anew, and the figure is the median of the ratios within rounds, with its
    bootstrap 95 % interval: a machine whose speed drifts slows all of them alike. What the machine can do is measured
    in the same rounds, where a step is products of matrices: these alone, and the optimizer's traffic. Ctrl-C ends the
    rounds, and those that are complete are kept. All train by Adam, as TensorFlow 1 computes it, at the rate 0.001.

    Exit status: 0; 1 where an engine failed, or trains something else, as its costs show: standard error says so at
    once, and the others go on; 2 where an engine cannot be imported or lacks the workload, before anything is timed;
    130 after Ctrl-C.

    Examples:

    - `rawstep-bench compare`: the notebook's network, 20 rounds
    - `rawstep-bench compare --rounds 3 --engines xla-loop tf1-session`: a first look
    - `rawstep-bench compare --engines all --out record`: all engines; samples and a picture in a folder
    - `rawstep-bench compare --workload cnn --engines rawstep keras-graph-epoch torch-channels-last`: of convolutions
    - `rawstep-bench compare --workload my_task:MyTask`: a problem of your own, from my_task.py
    - `rawstep-bench compare --engines xla-loop mirrored-2 workers-2`: replicas, and what their all-reduce takes
    - `rawstep-bench compare --hidden 64 64 --batch-size 32 --json small.json`: smaller work, all samples in a file
    - `rawstep-bench compare --engines xla-loop xla-loop@--xla_cpu_use_xnnpack=false`: what an option of XLA changes
    - `rawstep-bench compare --engines xla-loop my_engine:engine`: an engine of your own, a function in ./my_engine.py

    Parameters
    ----------
    workload
        What is trained: one of rawstep's problems, or module:Name for one of your own. With --workload NAME, --help
        lists its options.
    engines
        rawstep: what `rawstep train` runs of the workload; rawstep-checkpointed: with a checkpoint in each sample, as
        of a run that is saved after every epoch. xla-loop, xla-step, graph, eager: its executions by name.
        xla-loop-one-pass: with XLA's option xla_cpu_use_multi_output_fusion, by which each tensor is updated in one
        loop; xla-loop-recorded and xla-loop-recorded-10: with the flight recorder's norms and shares of every layer, of
        every and of every tenth step. keras-step: a jitted step with Keras's optimizer. These train any workload.

        Of mlp, cnn and transformer, as users of other libraries write them: keras-fit: Keras by default; keras-jit:
        with jit_compile; keras-epoch: with a sample's steps a call as well; keras-unrolled: with calls of 50 steps,
        five of them unrolled; keras-graph-epoch: with a sample's steps a call, without XLA. jax-step, jax-scan: JAX and
        Optax, a call a step and a scan. torch-eager, torch-fused, torch-compiled: PyTorch; torch-channels-last: the
        fused one with images and kernels in that layout, of cnn. Of mlp, tf1-session: the notebook's own loop;
        frozen-step: a jitted step with Adam written out. all: each of these that has the workload. Unless given, some
        of them.

        mirrored-N, workers-N, N from 1 to 4: xla-loop on replicas that share each batch equally, which must be
        divisible by N: logical devices of one process, or processes that reach each other by gRPC on this machine.
        mirrored-2-ordered, workers-2-ordered: gradients gathered and added in a fixed order, as by --microbatches 2.
        keras-mirrored-2: Keras's fit under MirroredStrategy, without XLA, which fails there. Beside them their
        all-reduce is timed by itself. They are not among all.

        module:function: your own, imported from the current folder first. engine(work) returns train; train(batches)
        takes a step for each row of example numbers, int32 [steps, batch size], and returns the mean cost. work has
        examples(), first_weights(), batch_size, learning_rate and workload. An @ and options of XLA may follow a name.
        The first engine is the one that the others are compared with.
    rounds
        Samples of each engine.
    batch_size
        Examples a step. Unless given, the workload's.
    device
        cpu, or gpu: there everything is measured with float32 products, and once more with TF32.
    seed
        Decides the first weights, the batches, and the order within rounds.
    """
    from training.workloads.declared import checked_defaults

    from . import devices
    from .chosen import chosen_workload
    from .engines import all_reduces, check_engines, engines_of, usual_engines
    from .recording import record_comparisons
    from .tables import COMPARISON, LEGEND, REPLICAS_LEGEND
    from .work import TrainingWork

    trained = chosen_workload(workload, own)
    size = batch_size or checked_defaults(trained)["batch_size"]
    works = [
        TrainingWork(trained, size, seed=seed, device=device, tf32=tf32)
        for tf32 in ((False, True) if device == "gpu" else (False,))
    ]
    works[0].check()
    name = works[0].name
    names = tuple(engines_of(name)) if engines == ("all",) else engines or tuple(usual_engines(name))
    check_engines(names, workload=name)
    if device == "gpu":
        devices.check_gpu()
    files = [f"compare-{work.file_name}" for work in works]
    legend = f"{LEGEND} {REPLICAS_LEGEND}" if all_reduces(names) else LEGEND
    if record_comparisons(files, [work.title for work in works], works, names, rounds, places, COMPARISON, legend):
        sys.exit(1)


@app.command
def update(
    *,
    engines: Names = ("rawstep-one-pass", "rawstep", "keras", "keras-one-pass", "tf1-kernel", "torch", "optax"),
    rules: Names = NOTEBOOK_RULES,
    parameters: Positive = 10_000_000,
    tensors: Positive = 1,
    rounds: Rounds = 20,
    seed: Seed = 0,
    places: Places = NOWHERE,
) -> None:
    """Compare the time that an optimizer's update takes by itself, and the bandwidth that it reaches.

    All update the same parameters from the same gradients, with Keras's settings, one call an update. They are measured
    as in `compare`, with the same exit statuses. An update must read the gradient, the parameter and its slots and
    write the latter two: 28 bytes a parameter for a rule of two slots, 20 for one of one. That rate is set beside a
    stream's, over as many numbers.

    Examples:

    - `rawstep-bench update`: three rules, ten million parameters
    - `rawstep-bench update --rules adam --parameters 1000000 --tensors 1000`: many small tensors

    Parameters
    ----------
    engines
        rawstep: core's optimizer in a jitted function; keras: Keras's in one too; rawstep-one-pass, keras-one-pass:
        with XLA's option xla_cpu_use_multi_output_fusion, by which each tensor is updated in one loop. tf1-kernel:
        TensorFlow 1's C++ kernels. torch: fused where PyTorch can. optax: jitted. Or module:function, as in compare; an
        @ and options of XLA may follow a name.
    rules
        Of rawstep's, those that Keras has; each is a comparison of its own. The notebook's unless given.
    parameters
        Number of parameters, in float32.
    tensors
        Number of equal tensors that they are divided into.
    rounds
        Samples of each engine.
    seed
        Decides the gradients, and the order within rounds.
    """
    from core import InputError

    from .engines import UPDATERS, check_engines
    from .recording import record_comparisons
    from .tables import UPDATES, UPDATES_LEGEND
    from .updates import Updates

    check_engines(engines, UPDATERS)
    if tensors > parameters:
        raise InputError(f"--tensors must be at most --parameters, found {tensors:,} of {parameters:,}.")
    works = [Updates(rule, parameters, tensors, seed=seed) for rule in rules]
    names = [f"update-{rule}-{parameters}{f'-in-{tensors}' if tensors > 1 else ''}" for rule in rules]
    titles = [f"{rule}, {parameters:,} parameters{f' in {tensors:,} tensors' if tensors > 1 else ''}" for rule in rules]
    if record_comparisons(names, titles, works, engines, rounds, places, UPDATES, UPDATES_LEGEND):
        sys.exit(1)


@app.command
def grow(
    *,
    workload: str = "mlp",
    studies: Names | None = None,
    rounds: Rounds = 5,
    seed: Seed = 0,
    csv: FilePath | None = None,
    out: FilePath = Path("growth"),
    **own: OwnOption,
) -> None:
    """Show how rates, shares of the ceiling and compile times change as the work grows, as figures and pictures.

    Each point is a paired comparison as `compare` makes them, with the same exit statuses. A study is written as it
    ends; Ctrl-C keeps the points that are complete.

    Examples:

    - `rawstep-bench grow`: all of it, in about a quarter of an hour
    - `rawstep-bench grow --studies depths --out depths`: one to eight hidden layers
    - `rawstep-bench grow --workload cnn`: batches of 1 to 4096 images, of another workload

    Parameters
    ----------
    workload
        One of rawstep's problems, or module:Name for one of your own. With it, or with settings of it, the study is
        batches: what `rawstep train` runs of the workload, beside Keras's fit where that has it.
    studies
        widths: two hidden layers of 16 to 2048 units. depths: 1 to 8 layers of 256. batches: 1 to 4096 images a step.
        updates: Adam's update alone, of 1e3 to 1e8 parameters in one tensor. updates-1000: of 1e4 to 1e8 in a thousand,
        which XLA compiles for most of a minute. Unless given, these five. replicas-strong: 1, 2 and 4 replicas that
        share a batch of 100; replicas-weak: each with 100 images; replicas-widths, replicas-batches: two beside one;
        all four with what the all-reduce takes, in samples of up to 50 steps.
    rounds
        Samples of each engine at each point.
    seed
        Decides the first weights, the batches, and the order within rounds.
    csv
        Write the figures to this file, a row for each engine at each point, with all digits.
    out
        The folder for a JSON file and a picture of each study.
    """
    from .chosen import chosen_studies
    from .recording import record_studies

    failed = record_studies(chosen_studies(studies, workload, own, seed), rounds, seed, out, csv)
    say(f"The figures and pictures are in {out}.")
    if failed:
        sys.exit(1)


@app.command
def overhead(
    *,
    rounds: Rounds = 30,
    seed: Seed = 0,
    places: Places = NOWHERE,
) -> None:
    """Take a call of a compiled step apart in microseconds: TensorFlow's launch, rawstep's part, the arithmetic.

    The step is xla-step's on the notebook's network. Beside it stand what a tf.function's dispatch would take, and
    JAX's jitted step.

    Examples:

    - `rawstep-bench overhead`: a table, in about a minute

    Parameters
    ----------
    rounds
        Samples of each part, of 110 calls.
    seed
        Decides the first weights, the batches, and the order within rounds.
    """
    import os

    from . import devices

    os.environ.update(devices.environment("cpu"))  # before TensorFlow is imported
    from core.start import import_tensorflow

    import_tensorflow()
    from .recording import record_overhead

    record_overhead(rounds, seed, places)


app.command(print_workload_help, name="settings-of-workload", show=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `rawstep-bench`, the process's own unless `arguments` are given."""
    run_with_own_help(app, arguments)
