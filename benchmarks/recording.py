"""Comparisons and studies written as they end: samples, figures, circumstances, pictures."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from training.output.csv_table import write_csv
from training.output.files import make_folder
from training.output.interruption import Interrupted
from training.output.outputs import outputs
from training.output.screen import Tally
from training.output.terminal import note, say
from training.runs.record import circumstances
from training.runs.results import write_json

from .ceiling import notes
from .growth import Study
from .measure import failures, interrupted, measure, pieces
from .overhead import overhead
from .pictures import plot_comparison, plot_growth
from .places import Places
from .tables import Columns, print_comparison, print_parts
from .work import Work

PACKAGES = ("keras", "scipy", "torch", "jax", "optax")
"""Whose versions count, besides rawstep's own needs."""


def record_comparisons(
    names: Sequence[str],
    titles: Sequence[str],
    works: Sequence[Work],
    engines: Sequence[str],
    rounds: int,
    places: Places,
    columns: Columns,
    legend: str,
) -> int:
    """Compares engines at one work after another; prints each table, and writes what was asked for.

    names: of the files in the folder, and in the rows. titles: of tables and pictures.

    Returns how many engines failed, each of which standard error has named at once. Raises Interrupted after Ctrl-C,
    once the rounds that were complete are printed and written; InputError where a file cannot be written.
    """
    places.check()
    before, records = circumstances("rawstep-bench", PACKAGES), {}
    for name, title, work in zip(names, titles, works, strict=True):
        with Tally(pieces(engines, work, rounds)) as tally:
            record = records[name] = before | measure(engines, work, rounds, tally.begin, _report)
        done = f"{record['rounds']} rounds of {work.steps} steps, on {record['processor']}"
        with outputs() as attempt:
            attempt(print_comparison, record, f"{title}: {done}", columns)
            if places.out is not None and attempt(make_folder, places.out):
                attempt(write_json, places.out / f"{name}.json", record)
                attempt(plot_comparison, record, f"{title}: {record['processor']}", places.out / f"{name}.svg")
            if places.json is not None:
                attempt(write_json, places.json, record if len(works) == 1 else records)
            if places.csv is not None:
                attempt(write_csv, places.csv, _rows(records))
        if interrupted(record, rounds):
            raise _interrupted(f"{record['rounds']} of {rounds} rounds were complete")
    say(legend)
    return sum(map(failures, records.values()))


def record_studies(studies: Mapping[str, Study], rounds: int, seed: int, out: Path, csv: Path | None) -> int:
    """Measures studies; writes the points of each and their picture into a folder, and all points into a table.

    Returns how many engines failed. Raises Interrupted after Ctrl-C, once the points that were complete are written;
    InputError where a file cannot be written.
    """
    Places(csv=csv, out=out).check()
    before, rows, failed = circumstances("rawstep-bench", PACKAGES), [], 0
    for name, study in studies.items():
        points, stopped = _measure_study(name, study, rounds, seed)
        if points:
            make_folder(out)
            write_json(out / f"grow-{name}.json", before | {"points": points})
            plot_growth(points, study, out / f"grow-{name}.svg")
        for point in points:
            failed += failures(point)
            rows += [{"study": name, "at": point["at"], **figure} for figure in point["figures"]]
            for sentence in notes(before | point):
                say(f"{name} {point['at']:,}: {sentence}")
        if csv is not None:
            write_csv(csv, rows)
        if stopped:
            raise _interrupted(f"{len(points)} of {len(study.values)} points of {name} are in {out}")
    return failed


def _measure_study(name: str, study: Study, rounds: int, seed: int) -> tuple[list[dict[str, Any]], bool]:
    """The points that are complete, and whether Ctrl-C ended the study before its last."""
    points: list[dict[str, Any]] = []
    with Tally(len(study.values)) as tally:
        for value in study.values:
            tally.begin(f"{name} {value:,}")
            try:
                measured = measure(study.engines_at(value), study.work(value, seed), rounds, failed=_report)
            except KeyboardInterrupt:
                return points, True
            points.append({"at": value, **measured})
            if interrupted(measured, rounds):
                return points, True
    return points, False


def record_overhead(rounds: int, seed: int, places: Places) -> None:
    """Takes a step apart, prints the parts, and writes what was asked for. Raises InputError where that fails."""
    places.check()
    before = circumstances("rawstep-bench", PACKAGES)
    with Tally(rounds + 2) as tally:
        parts = [part._asdict() for part in overhead(rounds, seed, tally.begin, _report)]
    record = before | {"rounds": rounds, "parts": parts, "load_after": os.getloadavg()}
    with outputs() as attempt:
        attempt(print_parts, record, f"a step of 784-256-256-10 in batches of 100, on {record['processor']}")
        if places.out is not None and attempt(make_folder, places.out):
            attempt(write_json, places.out / "overhead.json", record)
        if places.json is not None:
            attempt(write_json, places.json, record)
        if places.csv is not None:
            intervals = [dict(zip(("low", "high"), part["interval"], strict=True)) for part in parts]
            rows = [part | {"interval": interval} for part, interval in zip(parts, intervals, strict=True)]
            attempt(write_csv, places.csv, rows)


def _rows(records: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"comparison": name, **figure} for name, record in records.items() for figure in record["figures"]]


def _report(sentence: str) -> None:
    """To standard error, at once: above the bar where there is one."""
    with suppress(OSError):  # nobody may be there to read it
        note(sentence, "rawstep-bench")


def _interrupted(sentence: str) -> Interrupted:
    return Interrupted(signal.SIGINT, sentence)
