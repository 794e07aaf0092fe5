"""The command line of the benchmarks, apart from rawstep's own: training never needs them."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from training.command_line import run
from training.options import FilePath, Whole, WholeNumbers

app = App(
    name="rawstep-bench",
    version=f"rawstep {version('rawstep')}",
    help="Measures rawstep beside what else could have been used.",
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)


@app.command
def compare(
    *,
    engines: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=())] = (
        "xla-loop",
        "tf1-session",
        "keras-fit",
        "frozen-step",
    ),
    rounds: Annotated[Whole, Parameter(validator=Number(gte=2))] = 20,
    hidden: WholeNumbers = (256, 256),
    batch_size: Annotated[Whole, Parameter(validator=Number(gte=1))] = 100,
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0,
    json: FilePath | None = None,
) -> None:
    """Compare the time that engines take to train the same network on the same batches of MNIST.

    Each lives in a process of its own. In every round each trains one epoch, in an order shuffled anew, and the
    figure is the median of the ratios within rounds, with its bootstrap 95 % interval: a machine whose speed drifts
    slows all of them alike. Their costs are compared first; one that trains something else is not timed.

    Examples:

    - `rawstep-bench compare`: the notebook's network, 20 rounds
    - `rawstep-bench compare --rounds 3 --engines xla-loop tf1-session`: a first look
    - `rawstep-bench compare --hidden 64 64 --batch-size 32 --json small.json`: smaller work, all samples in a file

    Parameters
    ----------
    engines
        xla-loop, xla-step, graph, eager: rawstep's executions. tf1-session: the notebook's own loop. keras-fit: Keras
        by default; keras-jit: with jit_compile; keras-epoch: with an epoch a call as well; keras-unrolled: with calls
        of 50 steps, five of them unrolled; keras-step: a jitted step with Keras's optimizer. frozen-step: the same with
        Adam written out. jax-step, jax-scan: JAX and Optax, a call a step and a scan. torch-eager, torch-fused,
        torch-compiled: PyTorch. Or module:Class, an engine of your own. The first is the one that the others are
        compared with.
    rounds
        Samples of each engine.
    hidden
        Units of each hidden layer.
    batch_size
        Images a step.
    seed
        Decides the first weights, the batches, and the order within rounds.
    json
        Write all samples, the figures, versions, flags, processor, command and commit to this file.
    """
    from rich.console import Console

    from training.files import check_file
    from training.record import circumstances
    from training.results import write_json

    from .conductor import compare
    from .engines import check_name
    from .figures import summaries
    from .tables import print_comparison
    from .workload import Workload

    if json is not None:
        check_file(json)
    for engine in engines:
        check_name(engine)
    workload = Workload(hidden, batch_size, seed=seed)
    steps = workload.sampler().steps_per_epoch
    before = circumstances("rawstep-bench", ["keras", "scipy"])
    with Console(stderr=True).status("starting") as status:
        contestants = compare(engines, workload, rounds, status.update)
    figures = summaries(contestants, steps)
    if json is not None:
        samples = [asdict(contestant) for contestant in contestants]
        write_json(
            json, before | {"workload": asdict(workload), "steps": steps, "figures": figures, "samples": samples}
        )
    print_comparison(figures, f"{rounds} epochs of {steps} steps, batches of {batch_size}, on {before['processor']}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script `rawstep-bench`."""
    run(app, arguments)
