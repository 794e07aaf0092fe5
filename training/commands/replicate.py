"""`rawstep replicate`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..workloads.options import FilePath, Names, Whole


def replicate(
    *,
    experiments: Names | None = None,
    seeds: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    epochs: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    quick: Annotated[bool, Parameter(negative=())] = False,
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0,
    on_nonfinite: Literal["stop", "continue"] = "stop",
    out: FilePath = Path("replication"),
    csv: FilePath | None = None,
) -> None:
    """Run the notebook's experiments and answer its questions again, over seeds; write figures, pictures and a report.

    Each figure that the notebook printed stands beside the band of ours, and each of its five questions is answered
    from runs made for it. Finished runs stay in the folder: the same command continues where it was interrupted, and
    another one uses what it needs from there.

    Examples:

    - `rawstep replicate`: all of it, in less than 45 minutes on two cores; then open replication/report.html
    - `rawstep replicate --quick`: every part in small, in three minutes
    - `rawstep replicate --experiments adam adagrad --seeds 10`: two experiments, over more seeds
    - `rawstep replicate --experiments question-5 --out sittings`: one question alone

    Parameters
    ----------
    experiments
        adam, adam-lr-0.005, adam-lr-0.0005, adadelta, adagrad, adam-batch-200, adam-batch-50: the notebook's; resume:
        its five more epochs; question-1 to question-5. All unless given.
    seeds
        Seeds of the experiments, of question 3, and of what the notebook ran for the others; 5, or 2 with --quick.
    epochs
        Epochs of each run, except question 1's; 30 as in the notebook, or 2 with --quick.
    quick
        Few epochs and coarse grids: a trial, whose figures prove nothing.
    seed
        The first seed; the others follow it.
    on_nonfinite
        What the first cost, gradient or weight of a run that is NaN or infinite does: stop all, with status 3, or let
        that run continue; its figures are left out then.
    out
        The folder for finished runs, which add up; and for results.json, pictures and report.html of what was last
        asked for.
    csv
        Write the notebook's figures beside ours to this file, a row for each.
    """
    from core import InputError

    from ..notebook import scale
    from ..notebook.conduct import NAMES, conduct, parts
    from ..notebook.place import Place
    from ..output.csv_table import write_csv
    from ..output.files import check_files
    from ..output.interruption import signals_noted
    from ..output.screen import WorkDisplay
    from ..runs.record import circumstances

    for name in experiments or ():
        if name not in NAMES:
            raise InputError(f"There is no experiment {name!r}; there are: {', '.join(NAMES)}.", name, NAMES)
    size = (scale.quick if quick else scale.full)(seeds, epochs, seed)
    chosen = parts(experiments or NAMES, replace(size, on_nonfinite=on_nonfinite))
    check_files(csv)
    place = Place(out)
    place.begin()
    before = circumstances("rawstep", ["scipy", "plotly", "matplotlib"])
    with WorkDisplay() as display, signals_noted() as signals:
        results = conduct(chosen, place, before, display, signals)
    from ..notebook.report import print_summary, records, write_report

    write_report(results, place)
    if csv is not None:
        write_csv(csv, records(results))
    print_summary(results, place)
