"""Comparisons and studies written as they end: samples, figures, circumstances, pictures."""

import signal
from collections.abc import Sequence
from pathlib import Path

from training.display import Tally
from training.files import check_file, check_folder, make_folder
from training.interruption import Interrupted
from training.outputs import outputs
from training.record import circumstances
from training.results import write_json

from .growth import STUDIES
from .measure import measure, pieces
from .pictures import plot_comparison, plot_growth
from .tables import Columns, print_comparison
from .workload import Work

PACKAGES = ("keras", "scipy", "torch", "jax", "optax")
"""Whose versions count, besides rawstep's own needs."""


def record_comparisons(
    names: Sequence[str],
    titles: Sequence[str],
    works: Sequence[Work],
    engines: Sequence[str],
    rounds: int,
    json: Path | None,
    out: Path | None,
    columns: Columns,
    legend: str,
) -> None:
    """Compares engines at one work after another; prints each table, and writes what was asked for.

    names: of the files in `out`. titles: of tables and pictures.

    Raises Interrupted after Ctrl-C, once the rounds that were complete are printed and written; InputError where a
    file cannot be written.
    """
    if json is not None:
        check_file(json)
    if out is not None:
        check_folder(out)
    before, records = circumstances("rawstep-bench", PACKAGES), {}
    for name, title, work in zip(names, titles, works, strict=True):
        with Tally(pieces(engines, work, rounds)) as tally:
            measured = measure(engines, work, rounds, tally.begin)
        records[name] = before | measured
        done = f"{measured['rounds']} rounds of {work.steps} steps, on {before['processor']}"
        with outputs() as attempt:
            attempt(print_comparison, measured["figures"], f"{title}: {done}", columns)
            if out is not None and attempt(make_folder, out):
                attempt(write_json, out / f"{name}.json", records[name])
                attempt(plot_comparison, measured, f"{title}: {before['processor']}", out / f"{name}.svg")
            if json is not None:
                attempt(write_json, json, records[name] if len(works) == 1 else records)
        if measured["rounds"] < rounds:
            raise _interrupted(f"{measured['rounds']} of {rounds} rounds were complete")
    print(legend)


def record_study(name: str, rounds: int, seed: int, out: Path) -> None:
    """Measures one study, and writes its points and their picture into a folder.

    Raises Interrupted after Ctrl-C, once the points that were complete are written; InputError where a file cannot be
    written.
    """
    study, points, stopped = STUDIES[name], [], False
    before = circumstances("rawstep-bench", PACKAGES)
    with Tally(len(study.values)) as tally:
        for value in study.values:
            tally.begin(f"{name} {value:,}")
            try:
                points.append({"at": value, **measure(study.engines, study.work(value, seed), rounds)})
            except KeyboardInterrupt:
                stopped = True
            if stopped := stopped or points[-1]["rounds"] < rounds:
                break
    if points:
        make_folder(out)
        write_json(out / f"grow-{name}.json", before | {"points": points})
        plot_growth(points, study.what, study.rate, out / f"grow-{name}.svg")
    if stopped:
        raise _interrupted(f"{len(points)} of {len(study.values)} points of {name} are in {out}")


def _interrupted(sentence: str) -> Interrupted:
    return Interrupted(signal.SIGINT, sentence)
