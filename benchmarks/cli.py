"""The command line of the benchmarks, apart from rawstep's own: training never needs them."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from training.command_line import run
from training.options import FilePath, HiddenLayers, Names, Several, Whole

app = App(
    name="rawstep-bench",
    version=f"rawstep {version('rawstep')}",
    help="Measures rawstep beside what else could have been used.",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)

Rounds = Annotated[Whole, Parameter(validator=Number(gte=2))]
Positive = Annotated[Whole, Parameter(validator=Number(gte=1))]
Seed = Annotated[Whole, Parameter(validator=Number(gte=0))]


@app.command
def compare(
    *,
    engines: Names = ("xla-loop", "tf1-session", "keras-fit", "frozen-step"),
    rounds: Rounds = 20,
    hidden: HiddenLayers = (256, 256),
    batch_size: Positive = 100,
    device: Literal["cpu", "gpu"] = "cpu",
    seed: Seed = 0,
    json: FilePath | None = None,
    out: FilePath | None = None,
) -> None:
    """Compare the time that engines take to train the same network on the same batches of MNIST.

    Each lives in a process of its own. In every round each trains one epoch, in an order shuffled anew, and the
    figure is the median of the ratios within rounds, with its bootstrap 95 % interval: a machine whose speed drifts
    slows all of them alike. Their costs are compared first; one that trains something else is not timed. What the
    machine can do is measured in the same rounds: this network's matrix products alone, and the optimizer's traffic.
    Ctrl-C ends the rounds, and those that are complete are kept.

    Examples:

    - `rawstep-bench compare`: the notebook's network, 20 rounds
    - `rawstep-bench compare --rounds 3 --engines xla-loop tf1-session`: a first look
    - `rawstep-bench compare --engines all --out record`: all engines; samples and a picture in a folder
    - `rawstep-bench compare --hidden 64 64 --batch-size 32 --json small.json`: smaller work, all samples in a file
    - `rawstep-bench compare --engines xla-loop xla-loop@--xla_cpu_use_xnnpack=false`: what an option of XLA changes

    Parameters
    ----------
    engines
        xla-loop, xla-step, graph, eager: rawstep's executions. xla-loop-one-pass: with XLA's option
        xla_cpu_use_multi_output_fusion, by which each tensor is updated in one loop; xla-loop-recorded and
        xla-loop-recorded-10: with the flight recorder's norms and shares of every layer, of every and of every tenth
        step. tf1-session: the notebook's own
        loop. keras-fit: Keras by default; keras-jit: with jit_compile; keras-epoch: with an epoch a call as well;
        keras-unrolled: with calls of 50 steps, five of them unrolled; keras-step: a jitted step with Keras's optimizer.
        frozen-step: the same with Adam written out. jax-step, jax-scan: JAX and Optax, a call a step and a scan.
        torch-eager, torch-fused, torch-compiled: PyTorch. Or module:Class, an engine of your own; or all. An @ and
        options of XLA may follow a name. The first engine is the one that the others are compared with.
    rounds
        Samples of each engine.
    hidden
        Units of each hidden layer, or none.
    batch_size
        Images a step.
    device
        cpu, or gpu: there everything is measured with float32 products, and once more with TF32.
    seed
        Decides the first weights, the batches, and the order within rounds.
    json
        Write all samples, the figures, versions, flags, processor, command and commit to this file.
    out
        Write the same into this folder, named by the network, with a picture.
    """
    from . import devices
    from .engines import ENGINES, check_name
    from .recording import record_comparisons
    from .tables import COMPARISON, LEGEND
    from .workload import Workload

    if engines == ("all",):
        engines = tuple(ENGINES)
    for engine in engines:
        check_name(engine)
    if device == "gpu":
        devices.check_gpu()
    works = [
        Workload(hidden, batch_size, seed=seed, device=device, tf32=tf32)
        for tf32 in ((False, True) if device == "gpu" else (False,))
    ]
    network = "-".join(map(str, works[0].layers()))
    names = [f"compare-{network}-batch-{batch_size}{'-tf32' if work.tf32 else ''}" for work in works]
    titles = [f"{network} in batches of {batch_size}{', TF32' if work.tf32 else ''}" for work in works]
    record_comparisons(names, titles, works, engines, rounds, json, out, COMPARISON, LEGEND)


@app.command
def update(
    *,
    engines: Names = ("rawstep-one-pass", "rawstep", "keras", "keras-one-pass", "tf1-kernel", "torch", "optax"),
    rules: Annotated[tuple[Literal["adam", "adagrad", "adadelta"], ...], Several] = ("adam", "adagrad", "adadelta"),
    parameters: Positive = 10_000_000,
    tensors: Positive = 1,
    rounds: Rounds = 20,
    seed: Seed = 0,
    json: FilePath | None = None,
    out: FilePath | None = None,
) -> None:
    """Compare the time that an optimizer's update takes by itself, and the bandwidth that it reaches.

    All update the same parameters from the same gradients, with Keras's settings, one call an update, and are measured
    as in `compare`. An update must read the gradient, the parameter and its slots and write the latter two: 28 bytes a
    parameter for Adam and Adadelta, 20 for Adagrad. That rate is set beside a stream's, over as many numbers.

    Examples:

    - `rawstep-bench update`: three rules, ten million parameters
    - `rawstep-bench update --rules adam --parameters 1000000 --tensors 1000`: many small tensors

    Parameters
    ----------
    engines
        rawstep: core's optimizer in a jitted function; keras: Keras's likewise; rawstep-one-pass, keras-one-pass: with
        XLA's option xla_cpu_use_multi_output_fusion, by which each tensor is updated in one loop. tf1-kernel:
        TensorFlow 1's C++ kernels. torch: fused where PyTorch can. optax: jitted. Or module:Class; an @ and options of
        XLA may follow a name.
    rules
        Each is a comparison of its own.
    parameters
        How many, float32.
    tensors
        Of how many equal parts they are.
    rounds
        Samples of each engine.
    seed
        Decides the gradients, and the order within rounds.
    json
        Write all samples, the figures, versions, flags, processor, command and commit to this file.
    out
        Write the same into this folder, with a picture of each rule.
    """
    from core import InputError

    from .engines import UPDATERS, check_name
    from .recording import record_comparisons
    from .tables import UPDATES, UPDATES_LEGEND
    from .updates import Updates

    for engine in engines:
        check_name(engine, UPDATERS)
    if tensors > parameters:
        raise InputError(f"--tensors must be at most --parameters, found {tensors:,} of {parameters:,}.")
    works = [Updates(rule, parameters, tensors, seed=seed) for rule in rules]
    names = [f"update-{rule}-{parameters}{f'-in-{tensors}' if tensors > 1 else ''}" for rule in rules]
    titles = [f"{rule}, {parameters:,} parameters{f' in {tensors:,} tensors' if tensors > 1 else ''}" for rule in rules]
    record_comparisons(names, titles, works, engines, rounds, json, out, UPDATES, UPDATES_LEGEND)


@app.command
def grow(
    *,
    studies: Names = ("widths", "depths", "batches", "updates", "updates-1000"),
    rounds: Rounds = 5,
    seed: Seed = 0,
    out: FilePath = Path("growth"),
) -> None:
    """Show how rates, shares of the ceiling and compile times change as the work grows, as figures and pictures.

    Each point is a paired comparison as `compare` makes them. A study is written as it ends; Ctrl-C keeps the points
    that are complete.

    Examples:

    - `rawstep-bench grow`: all of it, in about a quarter of an hour
    - `rawstep-bench grow --studies depths --out depths`: one to eight hidden layers

    Parameters
    ----------
    studies
        widths: two hidden layers of 16 to 2048 units. depths: 1 to 8 layers of 256. batches: 1 to 4096 images a step.
        updates: Adam's update alone, of 1e3 to 1e8 parameters in one tensor. updates-1000: of 1e4 to 1e8 in a thousand,
        which XLA compiles for most of a minute.
    rounds
        Samples of each engine at each point.
    seed
        Decides the first weights, the batches, and the order within rounds.
    out
        The folder for a JSON file and a picture of each study.
    """
    from core import InputError
    from training.files import check_folder

    from .growth import STUDIES
    from .recording import record_study

    for name in studies:
        if name not in STUDIES:
            raise InputError(f"There is no study {name!r}; there are: {', '.join(STUDIES)}.", name, STUDIES)
    check_folder(out)
    for name in studies:
        record_study(name, rounds, seed, out)
    print(f"The figures and pictures are in {out}.")


@app.command
def overhead(*, rounds: Rounds = 30, seed: Seed = 0, json: FilePath | None = None, out: FilePath | None = None) -> None:
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
    json
        Write the parts, versions, flags, processor, command and commit to this file.
    out
        Write the same into this folder, as overhead.json.
    """
    import os

    from . import devices

    os.environ.update(devices.environment("cpu"))  # before TensorFlow is imported
    from core.start import import_tensorflow

    import_tensorflow()
    from training.display import Tally
    from training.files import check_file, check_folder, make_folder
    from training.outputs import outputs
    from training.record import circumstances
    from training.results import write_json

    from .overhead import overhead
    from .recording import PACKAGES
    from .tables import print_parts

    if json is not None:
        check_file(json)
    if out is not None:
        check_folder(out)
    before = circumstances("rawstep-bench", PACKAGES)
    with Tally(rounds + 2) as tally:
        parts = overhead(rounds, seed, tally.begin)
    record = before | {"rounds": rounds, "parts": [part._asdict() for part in parts]}
    with outputs() as attempt:
        attempt(print_parts, record["parts"], f"a step of 784-256-256-10 in batches of 100, on {before['processor']}")
        if out is not None and attempt(make_folder, out):
            attempt(write_json, out / "overhead.json", record)
        if json is not None:
            attempt(write_json, json, record)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `rawstep-bench`, the process's own unless `arguments` are given."""
    run(app, arguments)
