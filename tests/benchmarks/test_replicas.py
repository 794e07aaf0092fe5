"""Engines on replicas beside one device, and the share of their all-reduce; never how fast anything is."""

import csv
import json
import os
import signal
import time
from pathlib import Path

import pytest

from benchmarks.conductor import EngineProcess
from benchmarks.contestants import Contestant, Sample
from benchmarks.figures import summaries
from benchmarks.growth import STUDIES, SharedWork
from benchmarks.pictures import plot_growth
from benchmarks.places import Places
from benchmarks.recording import record_comparisons
from benchmarks.tables import COMPARISON, LEGEND, markdown
from tests.benchmarks.planted import waiting_worker
from training.runs.processes import Process
from training.workloads.mlp import MLP

SMALL = SharedWork(MLP(hidden=(8,)), 500)
SHARING = ("mirrored-2", "workers-2")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A comparison of each kind of replicas, and of three, which cannot share 500 images: the folder, how many engines
    failed, and the record."""
    folder = tmp_path_factory.mktemp("replicas")
    engines = ["xla-loop", *SHARING, "mirrored-3"]
    places = Places(csv=folder / "table.csv", out=folder)
    failed = record_comparisons(["small"], ["small"], [SMALL], engines, 2, places, COMPARISON, LEGEND)
    return folder, failed, json.loads((folder / "small.json").read_text())


def test_replicas_train_the_same_as_one_device(recorded):
    """And are timed, all processes of theirs together: two workers hold the memory of two."""
    _, _, record = recorded
    samples = {contestant["name"]: contestant for contestant in record["samples"]}
    memory = {figure["engine"]: figure.get("memory_mb") for figure in record["figures"]}
    for name in SHARING:
        assert samples[name]["failure"] is None
        assert samples[name]["warm_up"][0] == pytest.approx(samples["xla-loop"]["warm_up"][0], rel=1e-4)
        assert len(samples[name]["samples"]) == 2
    assert memory["workers-2"] > 1.5 * memory["xla-loop"]


def test_a_batch_that_replicas_cannot_share_equally_fails_with_one_sentence(recorded):
    _, failed, record = recorded
    assert failed == 1
    reason = "A batch of 500 examples cannot be divided equally among 3 replicas"
    assert {figure["engine"]: figure["failure"] for figure in record["figures"] if "failure" in figure} == (
        {"mirrored-3": reason}
    )


def test_the_share_of_the_all_reduce_is_in_the_table_the_files_and_the_pictures(recorded):
    folder, _, record = recorded
    figures = {figure["engine"]: figure for figure in record["figures"]}
    assert {name for name, figure in figures.items() if "share_of_all_reduce" in figure} == {*SHARING}
    heading, _, *lines = markdown(record["figures"]).splitlines()
    column = heading.split("|").index(next(cell for cell in heading.split("|") if cell.strip() == "all-reduce"))
    shown = {line.split("|")[1].strip(): line.split("|")[column].strip() for line in lines}
    assert shown["xla-loop"] == "–"
    assert all(shown[name].endswith("%") for name in SHARING)
    assert "all-reduce" not in markdown([figures["xla-loop"]])
    with (folder / "table.csv").open(newline="") as file:
        rows = {row["engine"]: row["share_of_all_reduce_median"] for row in csv.DictReader(file)}
    assert rows["xla-loop"] == ""
    assert float(rows["workers-2"]) == figures["workers-2"]["share_of_all_reduce"]["median"]
    points = [{"at": at, **record} for at in (1, 2)]
    plot_growth(points, STUDIES["replicas-weak"], folder / "growth.svg")
    assert all((folder / name).stat().st_size for name in ("small.svg", "growth.svg"))


def test_the_share_is_the_median_of_the_ratios_within_rounds():
    """Keras under the same strategy waits for the same; what failed is no part of anything."""

    def contestant(name, *walls, failure=None):
        samples = [Sample(1.0, wall, wall) for wall in walls]
        return Contestant(name, 0.0, samples[0], samples[0], samples, failure)

    figures = summaries(
        [
            contestant("xla-loop", 1, 1, 1),
            contestant("mirrored-2", 2, 8, 4),
            contestant("keras-mirrored-2", 10, 10, 10),
            contestant("workers-2", 4, 4, 4),
            contestant("all-reduce on 2 devices", 1, 2, 3),
            contestant("all-reduce on 2 workers", 1, failure="its process died"),
        ],
        SMALL,
    )
    shares = [figure.get("share_of_all_reduce", {}).get("median") for figure in figures]
    assert shares == [None, 0.5, 0.2, None]


def test_workers_end_with_the_process_that_started_them_while_they_wait_for_others_and_after():
    """Would catch a thread that is to end them, and cannot run while TensorFlow keeps Python's lock."""
    waiting, built = Process({}), EngineProcess("workers-2", SMALL)
    workers = [waiting.submit(waiting_worker).result()]
    time.sleep(1)  # until it waits
    assert _is_there(workers[0])
    os.kill(waiting.number, signal.SIGKILL)
    built.wait_until_built()
    workers += map(int, Path(f"/proc/{built.number}/task/{built.number}/children").read_text().split())
    assert len(workers) == 2
    os.kill(built.number, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while left := [pid for pid in workers if _is_there(pid)]:
        assert time.monotonic() < deadline, f"{left} are still there"
        time.sleep(0.1)
    for process in (waiting, built):
        process.stop()


def _is_there(pid: int) -> bool:
    """And is no zombie that nobody has waited for."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()
