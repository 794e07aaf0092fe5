"""`rawstep evaluate`. It imports what it needs when it runs."""

import sys
from dataclasses import replace

from ..runs.distribution.options import ALONE, Placement
from ..workloads.options import Best, FilePath, Raw
from .starting import start_tensorflow


def evaluate(
    *,
    checkpoint: FilePath,
    best: Best = False,
    raw: Raw = False,
    data_dir: FilePath | None = None,
    json: FilePath | None = None,
    csv: FilePath | None = None,
    placement: Placement = ALONE,
) -> None:
    """Print the cost and the accuracy of a run's newest checkpoint on validation and test images.

    Examples:

    - `rawstep evaluate --checkpoint run`: of a run that `rawstep train --checkpoint run` saved
    - `rawstep evaluate --checkpoint run --best --raw`: of its best epoch, without the average of --ema
    - `rawstep evaluate --checkpoint run --json figures.json`: and the figures in a file

    Parameters
    ----------
    checkpoint
        The folder of the run.
    data_dir
        A folder with four IDX files. Unless given, the images that the run was trained with.
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
    from ..runs.results import write_json
    from ..runs.run_folder import RunFolder
    from ..workloads.images import evaluator

    distribution = Distribution(placement)
    if distribution.is_chief:
        check_files(json, csv)
    state = RunFolder(checkpoint).chosen(best)
    settings = state.settings if data_dir is None else replace(state.settings, data_dir=data_dir)
    dataset = settings.dataset()
    if data_dir is None:
        state.check_data(dataset)
    distribution.begin(settings, dataset, {"checkpoint": state.digest, "--raw": raw})
    weights, served = state.served(raw)
    with distribution.losses_named(lambda: "nothing was evaluated"):
        evaluated = evaluator(weights, distribution)
        figures = {name: evaluated(getattr(dataset, name))._asdict() for name in ("validation", "test")}
        distribution.leave()
    if not distribution.is_chief:
        return
    for note in dataset.notes:
        print(f"rawstep: {note}", file=sys.stderr)
    with outputs() as attempt:
        attempt(print_evaluation, f"{state}\nevaluated with {served}" if served else str(state), figures)
        if json is not None:
            attempt(write_json, json, {"checkpoint": str(state.path), "evaluated_with": served} | figures)
        if csv is not None:
            attempt(write_csv, csv, [{"split": name} | figure for name, figure in figures.items()])
