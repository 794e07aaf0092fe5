"""`rawstep inspect`."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..runs.own_options import OwnOption, by_name
from ..runs.settings import OwnProcess
from ..workloads.options import FilePath, Whole
from .starting import start_tensorflow

RUNS = ("epochs", "keep_best", "patience")
DIVIDED = ("accumulate", "microbatches")
NARROW = ("compute", "parameters")


def inspect(
    settings: Annotated[OwnProcess, Parameter(name="*")] = OwnProcess(),  # noqa: B008 - frozen
    *,
    steps: Annotated[Whole, Parameter(validator=Number(gte=2, lte=1_000))] = 50,
    ladder: bool = True,
    rounds: Annotated[Whole, Parameter(validator=Number(gte=2))] = 20,
    compilations: Annotated[Whole, Parameter(validator=Number(gte=1))] = 3,
    hlo: FilePath | None = None,
    stablehlo: FilePath | None = None,
    html: FilePath | None = None,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    **own: OwnOption,
) -> None:
    """Show what XLA made of a training step, and what each rung from eager execution to one compiled loop gains.

    Of the compiled step, phase by phase: how many kernels it launches, what they read, write and compute beside the
    least that the phase needs; which variables are updated in place, which are copied; how often the loop runs, and
    how much memory XLA set aside.

    Of the ladder eager, graph, xla-step, xla-loop: seconds to compile, the time of a step in interleaved rounds,
    after how many steps compiling has paid for itself, and how far rounding carries the variables from a
    float64 run.
    Of what stands around the rule, piece by piece: the bytes that the update moves with it, and the time of a step.

    Examples:

    - `rawstep inspect`: the notebook's network with Adam, in less than a minute
    - `rawstep inspect --no-ladder`: the step alone, in some seconds
    - `rawstep inspect --rule adagrad --dialect keras --init he --html adagrad.html`: another rule, and a page of it
    - `rawstep inspect --clip-global-norm 1 --weight-decay 0.01 --ema 0.999`: and what each of them costs
    - `rawstep inspect --workload cnn --execution xla-step`: a problem that XLA does not run unless it is asked to
    - `rawstep inspect --execution xla-step --no-ladder`: one step a call instead of a loop
    - `rawstep inspect --no-ladder --hlo step.hlo --stablehlo step.mlir`: XLA's programs, before and after its passes

    Parameters
    ----------
    steps
        Steps of a call: the iterations of the loop, after which the variables are compared.
    ladder
        Compile and time all four executions too.
    rounds
        Each takes one sample of every execution.
    compilations
        Of each execution; the median counts.
    hlo
        Write the program that XLA optimized to this file.
    stablehlo
        Write the program that XLA was given to this file.
    html
        Write a page with all of it to this file: tables, pictures, each kernel in order, the optimized program.
    json
        Write all figures to this file, with settings, versions, flags and processor.
    csv
        Write the ladder to this file, a row for each rung; with --no-ladder the phases, a row for each.
    """
    settings.refuse(RUNS, "a step is inspected, and no run is trained")
    settings.refuse(DIVIDED, "the inspected step is one XLA program, and that of divided batches is several")
    settings.refuse(NARROW, "a step is inspected in the dtypes of the workload, beside the same in float64")
    start_tensorflow()
    settings = settings.with_options(by_name(own))
    from ..output.csv_table import write_csv
    from ..output.files import check_files, write_whole
    from ..output.outputs import outputs
    from ..output.screen import Tally
    from ..runs.record import circumstances
    from ..runs.results import write_json
    from ..views.inspection.page import page
    from ..views.inspection.study import Study
    from ..views.inspection.tables import print_ladder, print_step, records

    check_files(hlo, stablehlo, html, json, csv)
    before = circumstances("rawstep")
    study = Study(settings, settings.data(), steps)
    with Tally(study.all_heard(rounds, compilations, ladder)) as tally:
        figures = study.all(rounds, compilations, tally.begin, ladder)
    optimized = "" if hlo is None and html is None else study.text("optimized_hlo")
    with outputs() as attempt:
        attempt(print_step, figures)
        if ladder:
            attempt(print_ladder, figures)
        if hlo is not None:
            attempt(write_whole, hlo, optimized.encode())
        if stablehlo is not None:
            attempt(write_whole, stablehlo, study.text("stablehlo").encode())
        if html is not None:
            attempt(write_whole, html, page(figures, optimized).encode())
        if json is not None:
            attempt(write_json, json, before | figures)
        if csv is not None:
            attempt(write_csv, csv, records(figures))
