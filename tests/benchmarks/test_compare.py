"""The paired comparison itself, on real engines in real processes; never how fast anything is."""

import csv
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ceiling import Ceiling, ceiling, notes, shown_share
from benchmarks.cli import main
from benchmarks.conductor import compare
from benchmarks.contestants import Contestant, Sample, compare_costs, leave_out_beaten
from benchmarks.devices import missing
from benchmarks.engines import CEILINGS, ENGINES, PRODUCTS, check_engines
from benchmarks.engines.ceilings import NumpyProducts, TensorFlowProducts, XlaProducts, products
from benchmarks.figures import summaries
from benchmarks.growth import Study
from benchmarks.pictures import plot_comparison, plot_growth
from benchmarks.tables import COMPARISON, markdown
from benchmarks.work import TrainingWork
from tests.training.processes import heed_signals
from training.workloads.mlp import MLP
from training.workloads.work import flop

ROOT = Path(__file__).parents[2]
SMALL = TrainingWork(MLP(hidden=(16, 16)), 500)


FAMILIES = ("xla-loop", "tf1-session", "keras-fit", "torch-fused")
"""An engine of each of four libraries; `pytest -m whole` takes all."""

IMPOSTORS = {name: f"tests.benchmarks.planted:{name}" for name in ("rate_off", "lazy", "dying")} | {
    "no option of XLA": "frozen-step@--xla_no_such_option=1"
}


@pytest.fixture(scope="module")
def events():
    """What is heard and what fails, in its order."""
    return []


@pytest.fixture(scope="module")
def contestants(events):
    """Two rounds on small layers: engines, one of them twice, and impostors; the notebook's own take longer, and agree
    as well."""
    names = [*FAMILIES, "xla-loop", *IMPOSTORS.values()]
    return compare(names, SMALL, rounds=2, heard=events.append, failed=events.append)


@pytest.fixture(scope="module")
def engines(contestants):
    return contestants[: len(FAMILIES)]


@pytest.fixture(scope="module")
def figures(contestants):
    """Without a ceiling, as on a GPU and where one fails."""
    return summaries(contestants, SMALL)


@pytest.mark.whole
def test_every_engine_trains_the_same():
    """torch.compile among them, which needs a C++ compiler and a minute."""
    work = replace(SMALL, batch_size=480)  # which up to four replicas can share
    failures = {contestant.name: contestant.failure for contestant in compare(list(ENGINES), work, rounds=2)}
    assert failures == dict.fromkeys(ENGINES)


def test_engines_train_the_same(engines):
    ours = engines[0]
    for contestant in engines:
        assert contestant.failure is None
        assert contestant.first.cost == pytest.approx(ours.first.cost, rel=SMALL.first_steps_may_differ)
        assert contestant.warm_up.cost == pytest.approx(ours.warm_up.cost, rel=SMALL.warm_up_may_differ)
        for sample, our_sample in zip(contestant.samples, ours.samples, strict=True):
            assert sample.cost == pytest.approx(our_sample.cost, rel=0.05), "still, after more epochs"


def test_a_sample_of_each_engine_is_taken_in_each_round(engines):
    for contestant in engines:
        assert len(contestant.samples) == 2
        assert all(sample.wall > 0 and sample.cpu > 0 for sample in contestant.samples)
        assert contestant.memory_mb > 100
        assert contestant.start > 0


def test_an_engine_may_be_compared_with_itself(contestants):
    """Would catch two of one name that share a process, and one that is left behind."""
    first, second = (contestant for contestant in contestants if contestant.name == "xla-loop")
    assert first.failure is second.failure is None
    assert first.warm_up.cost == second.warm_up.cost
    assert [sample.cost for sample in first.samples] == [sample.cost for sample in second.samples]
    assert len(first.samples) == 2


@pytest.mark.parametrize(
    ("impostor", "failure", "before"),
    [
        ("rate_off", "it trains something else: mean cost ", "warming up"),
        ("lazy", "it trains something else: mean cost ", "round 1 of 2"),
        ("dying", "its process died", "round 2 of 2"),
        ("no option of XLA", "its process died", "warming up"),
    ],
)
def test_an_engine_that_trains_something_else_or_fails_is_reported_at_once_and_not_timed(
    contestants, figures, events, impostor, failure, before
):
    """The comparison of costs can fail; one engine's end is not that of the others; and options of XLA reach their own
    engine's process, which one that XLA does not know ends, and no other's."""
    name = IMPOSTORS[impostor]
    (planted,) = (contestant for contestant in contestants if contestant.name == name)
    assert planted.failure.startswith(failure)
    assert planted.samples == []
    sentence = f"{name} failed: {planted.failure}."
    assert events.index(sentence) < events.index(before)
    row = next(line for line in markdown(figures).splitlines() if name in line)
    assert "failed" in row
    assert "×" not in row
    assert sentence in notes({"figures": figures})


@pytest.mark.parametrize("cost", [float("nan"), None, "0.5"])
def test_a_cost_that_is_no_finite_number_is_a_failure_even_of_the_first(cost):
    """Engines of one's own may return anything; where the first has such a cost, the others are still compared."""
    contestants = [
        Contestant(name, first=Sample(each, 1.0, 1.0)) for name, each in zip("abc", (cost, 2.0, 2.0), strict=True)
    ]
    compare_costs(contestants, "first", 1e-5)
    why = f"its mean cost must be a finite number, found {cost!r}"
    assert [contestant.failure for contestant in contestants] == [why, None, None]


def test_the_figures_are_a_row_for_each_engine(figures):
    assert figures[0]["times_as_long"] == {"median": 1, "low": 1, "high": 1}
    table = markdown(figures).splitlines()
    assert [cell.strip() for cell in table[0].strip("|").split("|")] == [
        "engine",
        *(heading for heading in COMPARISON if heading != "all-reduce"),
    ]
    assert [line.split("|")[1].strip() for line in table[2:]][: len(FAMILIES)] == list(FAMILIES)
    assert "1.00×" in table[2]


def test_products_are_those_of_a_step_and_alike_in_all_libraries():
    """A loop of XLA's that multiplied once, before its steps, would be no ceiling."""
    arrays, found = products(SMALL)
    done = 0
    for left, right, transpose_left, transpose_right in found:
        units = arrays[right].shape[0 if transpose_right else 1]
        done += 2 * arrays[left].size * units
        assert arrays[left].shape[0 if transpose_left else 1] == arrays[right].shape[1 if transpose_right else 0]
    assert done == sum(flop(SMALL.products, SMALL.batch_size))
    numpy, graph, xla = NumpyProducts(SMALL), TensorFlowProducts(SMALL), XlaProducts(SMALL)
    numpy.train(1)
    steps = xla.prepare(np.zeros((2, SMALL.batch_size)))
    by_graph, (_, *by_xla) = graph.multiply(*graph._arrays), xla.loop(steps, *xla._arrays)
    for (_, _, ours), theirs, others in zip(numpy._products, by_graph, by_xla, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(others, ours, rtol=1e-4, atol=1e-3)
    program = xla.loop.experimental_get_compiler_ir(steps, *xla._arrays)(stage="optimized_hlo")
    body = next(part for part in program.split("\n\n") if part.startswith("%while_body"))
    assert body.count(" dot(") == program.count(" dot(") == len(found) == 8


def contestant(name, *walls, failure=None):
    samples = [Sample(None, wall, wall) for wall in walls]
    return Contestant(name, warm_up=samples[0], samples=samples, failure=failure)


def test_a_library_whose_products_take_several_times_as_long_as_anothers_is_left_out():
    """No engine is, nor what failed."""
    names = [*PRODUCTS, "stream", "xla-loop"]
    measured = [contestant(name, wall) for name, wall in zip(names, (19, 1, 2, 4, 40), strict=True)]
    leave_out_beaten([contestant("products by XLA", 0.1, failure="its process died"), *measured])
    assert [each.beaten for each in measured] == [True, False, False, False, False]


def test_the_ceiling_is_the_fastest_librarys_products_and_the_traffic_of_the_same_round():
    measured = [
        contestant("products by NumPy", 5, 5, 100),
        contestant("products by TensorFlow", 1, 1, 1, failure="its process died"),
        contestant("products by XLA", 7, 3, 4),
        stream := contestant("stream", 36, 72, 36),
    ]
    # Adam moves 28 B a parameter, the stream 36.
    assert ceiling(measured, SMALL) == Ceiling([pytest.approx(x) for x in (35, 59, 32)], "products by XLA")
    assert ceiling(measured[:3], SMALL) is None
    assert ceiling([stream], SMALL) is None
    assert ceiling(measured, TrainingWork(device="gpu")) is None


@pytest.mark.parametrize(
    ("low", "median", "high", "shown"),
    [(0.7, 0.8, 0.9, "80%"), (0.9, 1.38, 1.5, "100%"), (1.2, 1.38, 1.5, "–"), (17, 19.82, 25, "–")],
)
def test_no_share_of_a_ceiling_is_shown_above_100_percent(figures, tmp_path, low, median, high, shown):
    """Seen on a machine whose BLAS ran an old kernel, and on one that had other work: 138 % and 1982 %."""
    share = {"share_of_ceiling": {"low": low, "median": median, "high": high}}
    figures = [figure | share for figure in figures if "failure" not in figure]
    column = 2 + list(COMPARISON).index("ceiling")
    assert {line.split("|")[column].strip() for line in markdown(figures).splitlines()[2:]} == {shown}
    load = {"load_before": (7.0, 1, 1), "load_after": (4.0, 1, 1), "cores": 2}
    blas = {"library": "openblas", "version": "0.3", "kernel": "Haswell", "threads": 2}
    record = {"figures": figures, "ceiling": {"products": "products by XLA", "blas": blas}, **load}
    first, *others = notes(record)
    assert first.startswith("Ceiling: products by XLA, the fastest of NumPy, TensorFlow, XLA; NumPy's BLAS is openblas")
    assert "kernel Haswell" in first
    assert len(others) == (shown == "–")
    assert all("load average was 7.0 before and 4.0 after, on 2 cores" in other for other in others)
    plot_comparison({"figures": figures}, "small", tmp_path / "small.svg")
    study = Study("units", (1, 2), lambda units, seed: SMALL, FAMILIES)
    plot_growth([{"at": 1, **record}, {"at": 2, **record}], study, tmp_path / "growth.svg")
    assert all((tmp_path / name).exists() for name in ("small.svg", "growth.svg"))


def test_without_a_ceiling_there_is_no_share_of_it(figures):
    timed = figures[: len(FAMILIES)]
    assert {shown_share(figure) for figure in timed} == {None}
    assert "–" in markdown(timed)
    assert notes({"figures": timed, "ceiling": None}) == []


def test_an_engine_that_cannot_be_imported_is_refused_before_anything_starts(monkeypatch, capsys, tmp_path):
    """Would catch a peer that is left out in silence."""
    monkeypatch.setitem(ENGINES, "jax-step", ENGINES["jax-step"]._replace(packages=("numpy", "no_such_package")))
    for engine, sentence in {
        "warp": "There is no engine 'warp'; there are: rawstep, rawstep-streamed, rawstep-checkpointed, rawstep-stop",
        "jax-step": "The engine jax-step needs no_such_package, not installed here: pip install -e '.[peers]'",
        "no_such_module:Engine": "no_such_module:Engine cannot be imported: ModuleNotFoundError: No module named",
        "fractions:Fraction": "fractions:Fraction must be a function of the work that returns train(batches), found "
        "the class Fraction",
        "math:pi": "math:pi must be a function of the work that returns train(batches), found 3.14",
    }.items():
        with pytest.raises(SystemExit, match=r"^2$"):
            main(["compare", "--engines", "xla-loop", f"{engine}@--xla_option=1", "--out", str(tmp_path / "out")])
        assert capsys.readouterr().err.startswith(f"rawstep-bench: {sentence}")
    assert not (tmp_path / "out").exists()
    check_engines(ENGINES.keys() - {"jax-step"})


COMMAND = [sys.executable, "-m", "benchmarks"]
SIZE = ["--hidden", "16", "--batch-size", "500"]
OWN = """
import tensorflow as tf
from training.workloads.mlp import MLP

class Mine(MLP):
    pass

def engine(work):
    data = [tf.constant(array) for array in work.examples()]
    variables = {name: tf.Variable(value) for name, value in work.first_weights().items()}
    adam = tf.keras.optimizers.Adam(work.learning_rate, epsilon=1e-8)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            cost = work.workload.cost(variables, *(tf.gather(array, batch) for array in data))
        adam.apply_gradients(zip(tape.gradient(cost, [*variables.values()]), variables.values()))
        return cost

    def train(batches):
        return sum(float(step(batch)) for batch in batches) / len(batches)

    return train

def broken(work):
    raise RuntimeError("no such device,\\nas it says")
"""
WHY = "my_engines.py, line 26, in broken: RuntimeError: no such device, as it says"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A comparison of a workload and engines of one's own, in the current folder, the first of which fails: where it
    ran, and how."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_engines.py").write_text(OWN)
    command = [*COMMAND, "compare", "--engines", "my_engines:broken", "my_engines:engine", "--rounds", "2"]
    command += ["--workload", "my_engines:Mine"]
    outputs = ["--out", "record", "--json", "all.json", "--csv", "table.csv"]
    # Without the current folder in sys.path, as in the console script.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "OPENBLAS_CORETYPE": "Haswell"}
    return folder, subprocess.run(
        [*command, *SIZE, *outputs], capture_output=True, text=True, cwd=folder, env=environment
    )


def test_the_command_writes_all_samples_and_what_is_needed_to_judge_them(recorded):
    folder, done = recorded
    name = "compare-my_engines-Mine-batch-500"
    assert {path.name for path in (folder / "record").iterdir()} == {f"{name}.json", f"{name}.svg"}
    record = json.loads((folder / "record" / f"{name}.json").read_text())
    assert record == json.loads((folder / "all.json").read_text())
    assert set(record) == {
        "date", "command", "commit", "versions", "flags", "processor", "vector_instructions", "cores", "load_before",
        "load_after", "work", "steps", "rounds", "ceiling", "figures", "samples",
    }  # fmt: skip
    assert record["steps"] == 110
    assert (record["work"]["workload"], record["work"]["hidden"]) == ("my_engines:Mine", [16])
    samples = {contestant["name"]: contestant["samples"] for contestant in record["samples"]}
    assert list(samples) == ["my_engines:broken", "my_engines:engine", *CEILINGS]
    beaten = {contestant["name"] for contestant in record["samples"] if contestant["beaten"]}
    assert beaten < PRODUCTS.keys()
    assert {name for name, taken in samples.items() if not taken} == {"my_engines:broken", *beaten}
    assert all(len(taken) in (0, 2) for taken in samples.values())
    assert record["flags"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert record["ceiling"]["products"] in PRODUCTS
    assert record["ceiling"]["blas"]["library"] in done.stdout
    with (folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["engine"] for row in rows] == list(samples)[:2]
    assert float(rows[1]["share_of_ceiling_median"]) == record["figures"][1]["share_of_ceiling"]["median"]


def test_an_engine_that_fails_is_named_at_once_and_by_the_exit_status_and_the_others_are_compared(recorded):
    folder, done = recorded
    assert done.returncode == 1
    assert done.stderr == f"rawstep-bench: my_engines:broken failed: {WHY}.\n"
    failed, own = json.loads((folder / "all.json").read_text())["figures"]
    assert failed["failure"] == WHY
    assert own["times_as_long"]["median"] == 1, "it is now the first"


def test_ctrl_c_keeps_the_rounds_that_are_complete(tmp_path):
    """In the fourth round of a comparison that would go on for hours; obeyed under nohup too, which passes on that
    signals are ignored. Of updates, which have one ceiling."""
    arguments = ["update", "--engines", "tests.benchmarks.planted:interrupting", "--rules", "adam", "--parameters", "9"]
    arguments += ["--rounds", "99999", "--json", str(tmp_path / "compare.json")]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, preexec_fn=heed_signals)
    assert done.returncode == 130
    assert done.stderr == "rawstep-bench: interrupted; 3 of 99999 rounds were complete.\n"
    assert "interrupting" in done.stdout
    record = json.loads((tmp_path / "compare.json").read_text())
    assert record["rounds"] == 3
    assert {len(contestant["samples"]) for contestant in record["samples"]} == {3}
    assert all(figure["memory_mb"] > 100 for figure in record["figures"])


def test_engines_end_with_a_conductor_that_is_killed():
    command = [*COMMAND, "compare", "--engines", "frozen-step", *SIZE, "--rounds", "99999"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        engines = _children(process.pid, expected=1)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 60
    while left := [pid for pid in engines if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"{left} are still there"
        time.sleep(0.1)


def _children(pid: int, expected: int) -> list[str]:
    """The engines' processes, once they are there; beside them runs multiprocessing's resource tracker."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        spawned = [child for child in children if "spawn_main" in _command_line(child)]
        if len(spawned) >= expected:
            return spawned
        time.sleep(0.1)
    raise AssertionError(f"{expected} engines were not started")


def _command_line(pid: str) -> str:
    """Of a process that may have ended meanwhile, as one does that was asked for a version."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


@pytest.mark.skipif(not missing(), reason="a GPU can be used here")
def test_a_gpu_that_is_not_there_is_reported_before_anything_starts(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["compare", *SIZE, "--device", "gpu", "--out", str(tmp_path / "out")])
    assert capsys.readouterr().err.startswith("rawstep-bench: No GPU can be used: ")
    assert not (tmp_path / "out").exists()
