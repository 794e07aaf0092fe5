"""`rawstep evaluate`. It imports what it needs when it runs."""

from ..output.terminal import note
from ..runs.distribution.options import ALONE, Placement
from ..runs.own_options import OwnOption, by_name
from ..workloads.options import Best, FilePath, Raw
from .starting import start_tensorflow


def evaluate(
    *,
    checkpoint: FilePath,
    best: Best = False,
    raw: Raw = False,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    placement: Placement = ALONE,
    **own: OwnOption,
) -> None:
    """Print the cost and the metrics of a run's newest checkpoint on its validation and test examples.

    Examples:

    - `rawstep evaluate --checkpoint run`: of a run that `rawstep train --checkpoint run` saved
    - `rawstep evaluate --checkpoint run --best --raw`: of its best epoch, without the average of --ema
    - `rawstep evaluate --checkpoint run --data-dir other`: on other data, here those of a workload on images
    - `rawstep evaluate --checkpoint run --json figures.json`: and the figures in a file

    Parameters
    ----------
    checkpoint
        The folder of the run.
    json
        Write the figures to this file.
    csv
        Write them to this file, a row for each of validation and test.
    """
    start_tensorflow(placement)
    from ..output.csv_table import write_csv
    from ..output.files import check_files
    from ..output.outputs import outputs
    from ..runs.display import print_evaluation
    from ..runs.distribution.distribution import Distribution
    from ..runs.evaluation import evaluator
    from ..runs.results import write_json
    from ..runs.resuming import check_data
    from ..runs.run_folder import RunFolder

    distribution = Distribution(placement)
    if distribution.is_chief:
        check_files(json, csv)
    state = RunFolder(checkpoint).chosen(best)
    settings = state.settings.elsewhere(by_name(own))
    data = settings.data(state.schema if own else None)
    if not own:
        check_data(state, data)
    distribution.begin(settings, data, {"checkpoint": state.digest, "--raw": raw})
    values, served = state.served(raw)
    with distribution.losses_named(lambda: "nothing was evaluated"):
        evaluated = evaluator(settings.make_workload(), values, distribution)
        figures = {name: evaluated(data.splits[name]) for name in ("validation", "test")}
        distribution.leave()
    if not distribution.is_chief:
        return
    for sentence in (data.summary, *data.notes):
        note(sentence)
    with outputs() as attempt:
        attempt(print_evaluation, f"{state}\nevaluated with {served}" if served else str(state), figures)
        if json is not None:
            attempt(
                write_json,
                json,
                {"checkpoint": str(state.path), "evaluated_with": served, "data": data.summary} | figures,
            )
        if csv is not None:
            attempt(write_csv, csv, [{"split": name} | figure for name, figure in figures.items()])
