"""What README.md and the pages under docs/ show of the newest records.

`make figures` puts it between cog's marks; a test fails where it differs.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from inspect import getmembers, isfunction, signature
from itertools import groupby
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from rich.box import MARKDOWN

from training.notebook.printed import RULES as NOTEBOOK_RULES
from training.runs.figures import figure, heading
from training.views.narrow.tables import markdown as markdown_of_stops

from .ceiling import notes
from .growth import STUDIES
from .tables import (
    COMPARISON,
    LEGEND,
    RECORDED,
    REPLICAS_LEGEND,
    SHARED,
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
THREE_WORKERS = "compare-784-256-256-10-batch-120"
CNN = "compare-cnn-batch-64"
OTHERS = {
    CNN: "The convolutional network in batches of 64",
    "compare-transformer-batch-512": "The transformer in batches of 512",
}
REPLICAS = "replicas"
"""How the names of records and of studies of replicas end and begin."""


FIVE = ("xla-loop", "jax-scan", "torch-fused", "tf1-session", "keras-fit")
"""The engines of README.md's table: of each library, what its users would write for speed, or by default."""
FEW = {name: COMPARISON[name] for name in ("time", "95 %", "steps/s", "compile s", "first s", "MB")}


def five_engines() -> None:
    """The comparison on the notebook's network, as a picture, and as a table of five engines."""
    comparison_picture()
    print()
    path, record = _record(f"{NOTEBOOK}.json")
    print(markdown([row for row in record["figures"] if row["engine"] in FIVE], FEW))
    print()
    print(_made(path, record))


def comparison_picture() -> None:
    """The paired comparison on the notebook's network, as a picture."""
    path = newest(f"{NOTEBOOK}.svg", "cpu")
    print(f"![how long engines take, and their share of the machine's rates]({_place(path)})")


def comparison() -> None:
    """The paired comparison: the notebook's network as a picture and a table, a small one as a table."""
    comparison_picture()
    print()
    path, record = _record(f"{NOTEBOOK}.json")
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
    for rule in NOTEBOOK_RULES:
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
    """A picture of each study of one device."""
    _print_studies(name for name in STUDIES if not name.startswith(REPLICAS))


def replicas() -> None:
    """What replicas and their all-reduce take: a picture and two tables, and a picture of each study."""
    print(
        f"![how long replicas take, and the share of their all-reduce]({_place(newest(f'{NOTEBOOK}.svg', REPLICAS))})"
    )
    for name in (NOTEBOOK, THREE_WORKERS):
        path, record = _record(f"{name}.json", REPLICAS)
        print()
        _print_table(record, SHARED)
        print(_made(path, record))
    print()
    print(f"{REPLICAS_LEGEND[0].upper()}{REPLICAS_LEGEND[1:]}")
    print()
    _print_studies(name for name in STUDIES if name.startswith(REPLICAS))


def _print_studies(names: Iterable[str]) -> None:
    for name in names:
        print(f"![rates, shares and compile times over {STUDIES[name].what}]({_place(newest(f'grow-{name}.svg'))})")


def recorder() -> None:
    """What the flight recorder costs."""
    path, record = _record(f"{NOTEBOOK}.json", "recorder")
    _print_table(record, RECORDED)
    print(_made(path, record))


def array_functions() -> None:
    """The functions that a rule may call."""
    from core import xp  # only now: it brings in TensorFlow

    print("| function | what it computes |")
    print("|---|---|")
    for name, function in getmembers(xp, isfunction):
        if function.__module__ == xp.__name__ and not name.startswith("_"):
            what = (function.__doc__ or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
            print(f"| `{name}({', '.join(signature(function).parameters)})` | {what} |")


def _print_table(record: Mapping[str, Any], columns: Columns = COMPARISON) -> None:
    """The figures, and what there is to say of them, each followed by an empty line. Options of XLA after an engine's
    name are too wide for a column."""
    split = {row["engine"]: row["engine"].partition("@") for row in record["figures"]}
    rows = [row | {"engine": f"{split[row['engine']][0]}{split[row['engine']][1]}"} for row in record["figures"]]
    options = [f"`{name}@`: with `{flags}`." for name, at, flags in split.values() if at]
    for text in (markdown(rows, columns), " ".join([*options, *notes(record)])):
        if text:
            print(f"{text}\n")


def _record(name: str, kind: str = "cpu") -> tuple[Path, Mapping[str, Any]]:
    path = newest(name, kind)
    return path, json.loads(path.read_text())


def _place(path: Path) -> str:
    """The path as a link from the document that cog is writing."""
    import cog  # the running cog's own module, which is there while it runs

    return os.path.relpath(path, Path(cog.inFile).resolve().parent)


def _made(path: Path, record: Mapping[str, Any]) -> str:
    """When, with what, on what, and where all samples are."""
    names = dict(tensorflow="TensorFlow", keras="Keras", jax="JAX", optax="Optax", torch="PyTorch")
    versions = ", ".join(f"{shown} {record['versions'][name]}" for name, shown in names.items())
    return (
        f"{record['rounds']} rounds of {record['steps']} steps, {record['date'][:10]}, {record['processor']}, "
        f"{record['cores']} cores, {versions}; all samples: `{_place(path)}`."
    )


def workloads() -> None:
    """How far each workload came in a run by its own defaults, and the transformer's picture."""
    judged: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(newest("transformer.json", "workloads").parent.glob("*.json")):
        judged.setdefault(path.stem.partition("-")[0], []).append(json.loads(path.read_text()))
    print("| workload | judged by | on the test examples | seeds | epochs | seconds | steps/s |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name, runs in judged.items():
        run = runs[0]
        by = run["judged_by"]
        figures, seconds, rates = (
            median(one[key] for one in runs) for key in (f"test_{by}", "training_seconds", "steps_per_second")
        )
        print(
            f"| `{name}` | {heading(by)} | {figure(by, figures)} | {len(runs)} | {len(run['epochs'])} | {seconds:.0f} "
            f"| {rates:,.0f} |"
        )
    print()
    print(
        f"Medians over the seeds; seconds of the training calls, compilation included. {run['date'][:10]}, "
        f"{run['processor']}, {run['cores']} cores; all figures: `{_place(path.parent)}`."
    )
    print()
    picture = _place(path.parent / "transformer.svg")
    print(f"![accuracies of a transformer, which learns its examples long before the rule]({picture})")


def other_comparisons() -> None:
    """The paired comparisons on the convolutional network and on the transformer, a table each."""
    for name, title in OTHERS.items():
        _print_comparison(title, *_record(f"{name}.json"))


def two_networks(kind: str) -> None:
    """The paired comparisons of a kind of record on the notebook's network and on the convolutional one."""
    for name in (NOTEBOOK, CNN):
        path, record = _record(f"{name}.json", kind)
        _print_comparison("`mlp`" if name == NOTEBOOK else "`cnn`", path, record)


def _print_comparison(title: str, path: Path, record: Mapping[str, Any]) -> None:
    print(f"**{title}**")
    print()
    _print_table(record)
    print(_made(path, record))
    print()


def narrow_stops() -> None:
    """At which step each rule, as each library computes it, stands still in narrow dtypes."""
    path, record = _record("stops.json", "narrow")
    print(markdown_of_stops(record))
    print()
    names = dict(tensorflow="TensorFlow", keras="Keras", torch="PyTorch", optax="Optax")
    versions = ", ".join(f"{shown} {record['versions'][name]}" for name, shown in names.items())
    print(f"`rawstep narrow`, {record['date'][:10]}, {versions}; all figures: `{_place(path)}`.")


def narrow_training() -> None:
    """How far networks come that are computed in narrow dtypes, and what of it lies outside float32's own spread."""
    folder = newest("stops.json", "narrow").parent
    print(
        "| workload | computed in | test accuracy, by seed | mean | s.d. | dropped steps | last loss scale | epochs |"
    )
    print("|---|---|---|---:|---:|---:|---:|---:|")
    apart = []
    for workload in ("mlp", "cnn"):
        found = {}
        for dtype in ("float32", "bfloat16", "float16"):
            runs = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{workload}-{dtype}-*.json"))]
            if runs:
                found[dtype] = [run["test_accuracy"] for run in runs]
                print(f"| `{workload}` | {dtype} | {_trained(runs)} |")
        apart.append(f"`{workload}`: {_beside_float32(found)}")
    print()
    print("\n\n".join(apart))
    print()
    print(
        f"`mlp` from He's weights, both with an average of the weights, `make narrow`; all figures: `{_place(folder)}`."
    )


def _trained(runs: Sequence[Mapping[str, Any]]) -> str:
    """The cells of a row of `narrow_training`, without their first two."""
    accuracies = [run["test_accuracy"] for run in runs]
    cells = [
        ", ".join(figure("test_accuracy", accuracy) for accuracy in accuracies),
        f"{mean(accuracies):.5f}",
        f"{stdev(accuracies):.5f}" if len(accuracies) > 1 else "–",
        ", ".join(f"{run['dropped_steps']}" for run in runs if "dropped_steps" in run) or "–",
        ", ".join(f"{run['loss_scale']:,.0f}" for run in runs if "loss_scale" in run) or "–",
        f"{len(runs[0]['epochs'])}",
    ]
    return " | ".join(cells)


def _beside_float32(found: Mapping[str, Sequence[float]]) -> str:
    """What of a workload's accuracies, by dtype, lies outside the range of float32's, and by how much."""
    least, most = min(found["float32"]), max(found["float32"])
    narrow = [(dtype, accuracy) for dtype, of in found.items() if dtype != "float32" for accuracy in of]
    outside = [
        f"{dtype}'s {accuracy:.4f}, {max(least - accuracy, accuracy - most):.4f} "
        + ("below" if accuracy < least else "above")
        for dtype, accuracy in narrow
        if not least <= accuracy <= most
    ]
    seeds = len(found["float32"])
    return (
        f"float32's {seeds} seeds lie from {least:.4f} to {most:.4f}, with a standard deviation of "
        f"{stdev(found['float32']):.4f}. Of the {len(narrow)} narrow runs, {len(outside)} "
        f"lie{'s' if len(outside) == 1 else ''} outside{': ' if outside else ''}{'; '.join(outside)}."
    )


def picture() -> None:
    """The picture of a training run."""
    print(f"![costs and accuracies of thirty epochs]({_place(newest('run.svg'))})")


def race() -> None:
    """The picture of a race."""
    print(f"![paths of four rules over Beale's function]({_place(newest('beale.png', 'race'))})")


def accuracies() -> None:
    """The test accuracies that the notebook printed, beside ours."""
    _, results = _replication()
    print("| experiment | notebook | ours | band of 3 deviations | is the notebook's inside? |")
    print("|---|---:|---:|---:|---|")
    for row in _accuracies(results):
        band = row["band"]
        again = [_second_look(second) for second in results["parts"][row["experiment"]]["again"]
                 if second["what"] == row["what"]]  # fmt: skip
        verdict = "; ".join(["yes" if row["verdict"] == "inside" else row["verdict"], *again])
        print(
            f"| {row['experiment']} | {row['printed']:.2%} | {band['mean']:.2%} ± {band['deviation']:.2%} "
            f"| {band['low']:.2%} – {band['high']:.2%} | {verdict} |"
        )


def replication() -> None:
    """A picture of the notebook's experiments, their accuracies beside ours, and its questions."""
    path, results = _replication()
    place = _place(path.parent)
    print(f"![cost and test accuracy of the notebook's experiments]({place}/pictures/experiments.svg)")
    print()
    accuracies()
    print()
    print("| question | the notebook's answer |")
    print("|---|---|")
    for name, answer in results["answers"].items():
        print(f"| {name[-1]}. {answer['question']} | {answer['verdict']} |")
    rows = results["beside"]
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


def _replication() -> tuple[Path, dict[str, Any]]:
    """The newest replication: where it is, and its results, with the notebook's figures beside ours."""
    from training.notebook.report.page import beside  # only now: it brings in TensorFlow

    path = newest("results.json", "replicate")
    results = json.loads(path.read_text())
    return path, results | {"beside": beside(results)}


def _accuracies(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in results["beside"] if row["what"] == "test accuracy"]


def _second_look(row: Mapping[str, Any]) -> str:
    side, band = "outside" if row["outside"] else "inside", row["band"]
    return f"{side} the band of {len(row['figures'])} seeds, {band['low']:.2%} – {band['high']:.2%}"


LIBRARIES = {"paper": "rawstep", "keras": "Keras", "tf1-kernel": "TF1's kernel", "tf1-session": "TF1's session",
             "torch": "PyTorch", "optax": "Optax"}  # fmt: skip


def coverage() -> None:
    """Rules × libraries: the worst error of each, a dash where a library lacks the rule, a mark where it surprises."""
    from core.verification import CARDS

    path = newest("certificate.json")
    rows = json.loads(path.read_text())["rows"]
    print(f"| rule | {' | '.join(LIBRARIES.values())} |")
    print(f"|---|{'---:|' * len(LIBRARIES)}")
    surprises = []
    for rule in dict.fromkeys(row["rule"] for row in rows if row["rule"] in CARDS):
        cells = []
        for library in LIBRARIES:
            of = [row["comparison"] for row in rows if row["rule"] == rule and row["reference"] == library]
            worst = [max(one["units"].values()) for one in of if one]
            surprise = CARDS[rule].surprise(library)
            if surprise:
                surprises.append(f"{LIBRARIES[library]}'s {rule}: {surprise}.")
            figure = f"{max(worst):.3g}" if worst else "–"
            cells.append(f"{figure} [{len(surprises)}]" if surprise else figure)
        print(f"| {rule} | {' | '.join(cells)} |")
    print()
    print(
        "The largest error of any value of any step against the formula (rawstep), and the largest difference from a "
        "library, in ε_machine·Σ|terms|, over all dialects, dtypes, executions and settings; –: the library lacks the "
        "rule. In float32, 1 − β^t of the first steps, which loses digits everywhere, makes most of Adam's; a centred "
        "RMSprop's v − ḡ², which cancels, its."
    )
    for number, sentence in enumerate(surprises, start=1):
        print(f"\n[{number}] {sentence[0].upper()}{sentence[1:]}")


def certificate() -> None:
    """The summary of the certificate: a line for each rule in each dialect."""
    from core.verification import CARDS
    from core.verification.trial import DRIFT_STEPS

    path = newest("certificate.json")
    record = json.loads(path.read_text())
    _summaries([row for row in record["rows"] if row["verdict"] != "lacks" and row["rule"] in CARDS])
    print()
    print(
        "float32, float64: the largest error of any value of any step against the formula, from the same state, in "
        "ε_machine·Σ|terms|; libraries: the largest error against the formula, or difference from one of them, as a "
        f"share of what rounding may come to; drift: of a run of {DRIFT_STEPS:,} steps left alone, as such a share; "
        "errors seen: planted ones, of those that are errors there, float32 and float64; certified: rows, one for each "
        "reference, dtype and execution."
    )
    print()
    versions = record["versions"]
    names = dict(tensorflow="TensorFlow", keras="Keras", torch="PyTorch", optax="Optax", jax="JAX")
    print(
        f"{record['date'][:10]}, {record['processor']}, {record['cores']} cores, "
        f"{', '.join(f'{shown} {versions[name]}' for name, shown in names.items())}; all rows: "
        f"`{_place(path)}`."
    )


def chains() -> None:
    """The same of what stands around a rule, with the libraries' own pieces."""
    from core.verification import CARDS

    rows = json.loads(newest("certificate.json").read_text())["rows"]
    _summaries([row for row in rows if row["rule"] not in CARDS])


def _summaries(judged: Sequence[Mapping[str, Any]]) -> None:
    headings = ("rule", "dialect", "against", "float32", "float64", "libraries", "drift", "errors seen", "certified")
    print(f"| {' | '.join(headings)} |")
    print(f"|{'|'.join('---' if heading in headings[:3] else '---:' for heading in headings)}|")
    for _, rows in groupby(judged, key=lambda row: (row["rule"], row["dialect"])):
        print(f"| {' | '.join(_summary(list(rows)))} |")


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


def render_report() -> None:
    """The newest replication's page, by the templates as they are."""
    from training.notebook.place import Place  # only now: they bring in TensorFlow
    from training.notebook.report import write_report

    path = newest("results.json", "replicate")
    write_report(json.loads(path.read_text()), Place(path.parent))


if __name__ == "__main__":
    render_report()
