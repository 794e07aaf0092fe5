"""Workers over gRPC, really killed, stopped and cut off from another, and resumed.

`make test` kills one; `make faults` does all of it, with two machines, as network namespaces, among them.
"""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from training.runs.checkpoint import read

from ..processes import ENVIRONMENT, ROOT, children, running
from .runs import arguments, finished, outcome, undisturbed


def worker_process(launch, index):
    """The number of a worker's process."""
    for child in children(launch):
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        config = next(one for one in variables if one.startswith(b"TF_CONFIG="))
        if json.loads(config.partition(b"=")[2])["task"]["index"] == index:
            return child
    raise AssertionError(f"there is no worker {index}")


def disturbed(number, index, *words, cwd):
    """Signals a worker after two epochs; returns the exit status and what was said."""
    with running(*words, cwd=cwd) as process:
        next(line for line in process.stderr if line.startswith("epoch 2/"))
        os.kill(worker_process(process, index), number)
        _, said = process.communicate(timeout=120)
    return process.returncode, said


LOST = r"rawstep: worker {} \(127\.0\.0\.1:\d+\) no longer answers; go on from \S+/run/step-\d{{8}} with --resume\."
KILLED = r"rawstep: worker {} was ended by SIGKILL\."
SILENT = r"rawstep: worker {} did not end by itself"
SAVED = r"rawstep: interrupted; go on from \S+/run/step-\d{{8}} with --resume\."
LOSSES = {
    "killed": (signal.SIGKILL, 1, 4, [LOST, KILLED]),
    "chief killed": (signal.SIGKILL, 0, 137, [LOST, KILLED]),
    "stopped": (signal.SIGSTOP, 1, 4, [LOST, SILENT]),
    "chief stopped": (signal.SIGSTOP, 0, 4, [LOST, SILENT]),
    "terminated": (signal.SIGTERM, 1, 143, [SAVED]),
}
CI = ("killed",)


@pytest.mark.parametrize(
    ("number", "index", "status", "sentences"),
    [pytest.param(*loss, id=name, marks=[pytest.mark.whole] * (name not in CI)) for name, loss in LOSSES.items()],
)
def test_a_worker_that_is_lost_ends_all_and_the_run_goes_on_to_the_bits_of_one_process(
    place, tmp_path, number, index, status, sentences
):
    """Each reads all shards, and keeps its own half of every batch alone: what a process with two microbatches does.

    Though the newest checkpoint is damaged: all go on from the one before, and the chief alone renames that one.
    """
    run, folder = "two workers, streamed", tmp_path / "run"
    found, said = disturbed(number, index, *arguments(run, folder, 10**6), cwd=place)
    assert found == status, said
    for sentence in sentences:
        assert re.search(sentence.format(index), said), said
    newest = max(folder.glob("step-*"))
    epochs = len(read(newest).run["epochs"]) + 1
    (newest / "state.index").write_bytes(b"")
    one, _ = undisturbed("two microbatches, streamed", place, tmp_path / "one", epochs)
    two, _ = finished(run, place, folder, epochs)
    assert [path.name for path in folder.glob("*.damaged*")] == [f"{newest.name}.damaged"]
    assert trained(two) == trained(one)


def trained(outcome):
    """All but the figures of the validation, whose sums over shares round in another order."""
    costs = [cost for cost, _ in outcome["epochs"]]
    return {name: value for name, value in outcome.items() if name not in ("epochs", "best")} | {"epochs": costs}


@contextmanager
def two_machines():
    """Two network namespaces, m1 and m2, with the addresses 10.0.0.1 and 10.0.0.2, and a cable between them."""
    try:
        for line in (
            "netns add m1", "netns add m2", "link add v1 netns m1 type veth peer name v2 netns m2",
            "-n m1 addr add 10.0.0.1/24 dev v1", "-n m2 addr add 10.0.0.2/24 dev v2",
            "-n m1 link set lo up", "-n m2 link set lo up", "-n m1 link set v1 up", "-n m2 link set v2 up",
        ):  # fmt: skip
            subprocess.run(["ip", *line.split()], check=True)
        yield
    finally:
        for name in ("m1", "m2"):
            with suppress(subprocess.CalledProcessError):
                subprocess.run(["ip", "netns", "del", name], check=True)


def recipe(*more):
    """The command that the page has for each of two machines, with further words."""
    page = (ROOT / "docs" / "distribution.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    block = next(block for block in blocks if '"10.0.0.1:2222", "10.0.0.2:2222"' in block)
    block = block.replace(" train ", " ".join([" train", *more, ""]))
    return [block, block.replace('"index": 0', '"index": 1')]


def on_both(scripts, cwd):
    variables = ENVIRONMENT | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return [
        subprocess.Popen(
            ["ip", "netns", "exec", f"m{number}", "bash", "-ec", script],
            cwd=cwd, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number, script in zip(count(1), scripts)
    ]  # fmt: skip


def ends(processes):
    return [(process.communicate(timeout=300)[1], process.returncode) for process in processes]


@pytest.mark.whole
def test_two_machines_that_are_cut_off_from_another_end_and_go_on_to_the_same_bits(tmp_path):
    """Two network namespaces on one machine, which needs root; the cable between them is pulled amid the run, and put
    in again."""
    small = ["--hidden", "16", "--epochs", "3"]
    for name in ("undisturbed", "cut"):
        (tmp_path / name).mkdir()
    with two_machines():
        for said, status in ends(on_both(recipe(*small), tmp_path / "undisturbed")):
            assert status == 0, said
        processes = on_both(recipe(*small), tmp_path / "cut")
        next(line for line in processes[0].stderr if line.startswith("epoch 1"))
        subprocess.run(["ip", "-n", "m1", "link", "set", "v1", "down"], check=True)
        for index, (said, status) in enumerate(ends(processes)):
            assert status == 4, said
            assert f"worker {1 - index} (10.0.0.{2 - index}:2222) no longer answers; go on from run/step-" in said
        assert read(max((tmp_path / "cut" / "run").glob("step-*"))).step < 1650
        subprocess.run(["ip", "-n", "m1", "link", "set", "v1", "up"], check=True)
        for said, status in ends(on_both(recipe(*small, "--resume"), tmp_path / "cut")):
            assert status == 0, said
    assert outcome(tmp_path / "cut" / "run") == outcome(tmp_path / "undisturbed" / "run")
