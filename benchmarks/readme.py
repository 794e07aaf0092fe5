"""What README.md shows of the newest records; `make readme` puts it there, and a test fails where it differs."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.box import MARKDOWN

from .ceiling import notes
from .growth import STUDIES
from .tables import (
    COMPARISON,
    LEGEND,
    RECORDED,
    UPDATES,
    UPDATES_LEGEND,
    Columns,
    in_markdown,
    markdown,
    parts_table,
)

RECORDS = Path(__file__).parent / "records"


def newest(name: str, kind: str = "*") -> Path:
    """The file of that name in the record of the latest date, among records of a kind."""
    return max(RECORDS.glob(f"*_{kind}/{name}"))


NOTEBOOK, SMALL = "compare-784-256-256-10-batch-100", "compare-784-64-64-10-batch-32"


def comparison() -> None:
    """The paired comparison: the notebook's network as a picture and a table, a small one as a table."""
    path, record = _record(f"{NOTEBOOK}.json")
    print(f"![how long engines take, and their share of the machine's rates]({_place(path.with_suffix('.svg'))})")
    print()
    _print_table(record)
    print(f"{LEGEND[0].upper()}{LEGEND[1:]}")
    print()
    print(_made(path, record))
    path, record = _record(f"{SMALL}.json")
    print()
    print("The same with two hidden layers of 64 units and batches of 32, where a step is a sixteenth of the work:")
    print()
    _print_table(record)
    print(_made(path, record))


def updates() -> None:
    """The optimizers' updates alone, a table a rule."""
    for rule in ("adam", "adagrad", "adadelta"):
        path, record = _record(f"update-{rule}-10000000.json")
        print(f"**{rule}**, 10,000,000 parameters")
        print()
        _print_table(record, UPDATES)
        print(_made(path, record))
        print()
    print(f"{UPDATES_LEGEND[0].upper()}{UPDATES_LEGEND[1:]}")


def overhead() -> None:
    """A call of xla-step taken apart."""
    path, record = _record("overhead.json")
    print(in_markdown(parts_table(record["parts"], box=MARKDOWN)))
    print()
    print(f"{record['rounds']} rounds, {record['date'][:10]}, {record['processor']}: `{_place(path)}`.")


def growth() -> None:
    """A picture of each study."""
    for name, study in STUDIES.items():
        print(f"![rates, shares and compile times over {study.what}]({_place(newest(f'grow-{name}.svg'))})")


def recorder() -> None:
    """What the flight recorder costs."""
    path, record = _record(f"{NOTEBOOK}.json", "recorder")
    _print_table(record, RECORDED)
    print(_made(path, record))


def _print_table(record: Mapping[str, Any], columns: Columns = COMPARISON) -> None:
    """The figures, and what there is to say of them, each followed by an empty line."""
    for text in (markdown(record["figures"], columns), " ".join(notes(record))):
        if text:
            print(f"{text}\n")


def _record(name: str, kind: str = "cpu") -> tuple[Path, Mapping[str, Any]]:
    path = newest(name, kind)
    return path, json.loads(path.read_text())


def _place(path: Path) -> Path:
    return path.relative_to(RECORDS.parents[1])


def _made(path: Path, record: Mapping[str, Any]) -> str:
    """When, with what, on what, and where all samples are."""
    names = dict(tensorflow="TensorFlow", keras="Keras", jax="JAX", optax="Optax", torch="PyTorch")
    versions = ", ".join(f"{shown} {record['versions'][name]}" for name, shown in names.items())
    return (
        f"{record['rounds']} rounds of {record['steps']} steps, {record['date'][:10]}, {record['processor']}, "
        f"{record['cores']} cores, {versions}; all samples: `{_place(path)}`."
    )


def picture() -> None:
    """The picture of a training run."""
    path = newest("run.svg")
    print(f"![costs and accuracies of thirty epochs]({path.relative_to(RECORDS.parents[1])})")


def replication() -> None:
    """A picture of the notebook's experiments, their accuracies beside ours, and its questions."""
    from training.report.page import beside  # only now: it brings in TensorFlow

    path = newest("results.json")
    results, place = json.loads(path.read_text()), path.parent.relative_to(RECORDS.parents[1])
    rows = beside(results)
    print(f"![cost and test accuracy of the notebook's experiments]({place}/pictures/experiments.svg)")
    print()
    print("| experiment | notebook | ours | band | within our band? |")
    print("|---|---:|---:|---:|---|")
    for row in rows:
        if row["what"] == "test accuracy":
            band, again = row["band"], results["parts"][row["experiment"]]["again"]
            ours = f"{band['mean']:.2%} ± {band['deviation']:.2%} | {band['low']:.2%} – {band['high']:.2%}"
            looks = [_second_look(second) for second in again if second["what"] == row["what"]]
            print(f"| {row['experiment']} | {row['printed']:.2%} | {ours} | {'; '.join([row['verdict'], *looks])} |")
    print()
    print("| question | the notebook's answer |")
    print("|---|---|")
    for name, answer in results["answers"].items():
        print(f"| {name[-1]}. {answer['question']} | {answer['verdict']} |")
    inside = sum(row["verdict"] == "inside" for row in rows)
    minutes = sum(run["made"]["seconds"] for run in results["runs"].values()) / 60
    print()
    print(
        f"Test accuracy after {results['scale']['epochs']} epochs: mean ± standard deviation of "
        f"{len(results['scale']['seeds'])} seeds, and a band of three deviations. Of all figures that the notebook "
        f"printed, costs included, {inside} of {len(rows)} are inside their bands. {results['date'][:10]}, "
        f"{results['processor']}, {results['cores']} cores, {minutes:.0f} minutes; all of it: `{place}/report.html`, "
        f"to be opened in a browser, and `{place}/results.json`."
    )


def _second_look(row: Mapping[str, Any]) -> str:
    side, band = "outside" if row["outside"] else "inside", row["band"]
    return f"{side} the band of {len(row['figures'])} seeds, {band['low']:.2%} – {band['high']:.2%}"


def certificate() -> None:
    """The summary of the certificate: a line for each rule in each dialect."""
    path = newest("certificate.json")
    record = json.loads(path.read_text())
    headings = ("rule", "dialect", "against", "float32", "float64", "libraries", "drift", "errors seen", "certified")
    print(f"| {' | '.join(headings)} |")
    print(f"|{'|'.join('---' if heading in headings[:3] else '---:' for heading in headings)}|")
    for _, rows in groupby(record["rows"], key=lambda row: (row["rule"], row["dialect"])):
        print(f"| {' | '.join(_summary(list(rows)))} |")
    print()
    print(
        "float32, float64: the largest error of any value of any step against the formula, from the same state, in "
        "ε_machine·Σ|terms|; libraries: the largest error against the formula, or difference from one of them, as a "
        "share of what rounding may come to; drift: of a run of 10,000 steps left alone, as such a share; errors seen: "
        "planted ones, of those that are errors there, float32 and float64; certified: rows, one for each reference, "
        "dtype and execution."
    )
    print()
    versions = record["versions"]
    names = dict(tensorflow="TensorFlow", keras="Keras", torch="PyTorch", optax="Optax", jax="JAX")
    print(
        f"{record['date'][:10]}, {record['processor']}, {record['cores']} cores, "
        f"{', '.join(f'{shown} {versions[name]}' for name, shown in names.items())}; all rows: "
        f"`{path.relative_to(RECORDS.parents[1])}`."
    )


def _summary(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """A line of the certificate's summary."""
    paper = [row for row in rows if row["reference"] == "paper"]
    libraries = [row["comparison"]["share"] for row in rows if row["reference"] != "paper"]
    units = [
        max(r["comparison"]["worst"]["units"] for r in paper if r["dtype"] == dtype) for dtype in ("float32", "float64")
    ]
    seen = [next((r["planted"] - len(r["missed"]), r["planted"]) for r in paper if r["dtype"] == dtype)
            for dtype in ("float32", "float64")]  # fmt: skip
    certified = sum(row["verdict"] == "certified" for row in rows)
    return (
        rows[0]["rule"],
        rows[0]["dialect"],
        ", ".join(dict.fromkeys(row["reference"] for row in rows)),
        *(f"{one:.1f}" for one in units),
        f"{max(libraries):.2f}" if libraries else "",
        f"{max(row['drift']['share'] for row in paper):.2f}",
        ", ".join(f"{caught} of {planted}" for caught, planted in seen),
        f"{certified} of {len(rows)}",
    )
