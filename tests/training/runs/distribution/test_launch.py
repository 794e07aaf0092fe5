"""Runs in several processes: real workers over gRPC, really killed, stopped, cut off, and resumed.

`make test` kills one worker; `make cluster` does all of it, with two machines, as network namespaces, among them.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from training.commands.cli import main
from training.runs.checkpoint import read

from ....clusters import environments
from ...processes import ENVIRONMENT, command, rawstep, started
from ...test_faults import outcome, reported

RUN = ("train", "--hidden", "32", "--init", "he", "--batch-size", "1200", "--epochs", "6", "--save-every", "1")
"""45 steps an epoch, of batches that two and three workers can share."""


def launched(workers, *arguments):
    return ["launch", "--workers", str(workers), *map(str, arguments)]


def worker_process(launch, index):
    """The number of a worker's process."""
    for child in map(int, Path(f"/proc/{launch.pid}/task/{launch.pid}/children").read_text().split()):
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        config = next(one for one in variables if one.startswith(b"TF_CONFIG="))
        if json.loads(config.partition(b"=")[2])["task"]["index"] == index:
            return child
    raise AssertionError(f"there is no worker {index}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What two workers leave and report that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = rawstep(*launched(2, *RUN, "--checkpoint", folder / "run", "--json", folder / "run.json"))
    assert done.returncode == 0, done.stderr
    assert "worker" not in done.stderr, "the chief alone speaks"
    return outcome(folder / "run"), reported(folder / "run.json")


def disturbed(number, index, *arguments):
    """Signals a worker after two epochs; returns the exit status and what was said."""
    with started(*launched(2, *arguments)) as process:
        for line in process.stderr:
            if line.startswith("epoch") and (heard := line) and int(re.match(r"epoch (\d+)", heard)[1]) % 6 >= 2:
                break
        os.kill(worker_process(process, index), number)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


LOST = r"rawstep: worker {} \(127\.0\.0\.1:\d+\) no longer answers; go on from \S+/run/step-\d{{8}} with --resume\."
KILLED = r"rawstep: worker {} was ended by SIGKILL\."
INTERRUPTED = r"rawstep: interrupted; go on from \S+/run/step-\d{{8}} with --resume\."
SIGNALS = [
    pytest.param(signal.SIGKILL, 1, 4, [LOST, KILLED], id="killed"),
    pytest.param(signal.SIGKILL, 0, 137, [LOST, KILLED], id="chief-killed", marks=pytest.mark.whole),
    pytest.param(signal.SIGSTOP, 1, 4, [LOST, "rawstep: worker {} did not end by itself"], id="stopped",
                 marks=pytest.mark.whole),
    pytest.param(signal.SIGSTOP, 0, 4, [LOST, "rawstep: worker {} did not end by itself"], id="chief-stopped",
                 marks=pytest.mark.whole),
    pytest.param(signal.SIGTERM, 1, 143, [INTERRUPTED], id="terminated", marks=pytest.mark.whole),
]  # fmt: skip


@pytest.mark.parametrize(("number", "index", "status", "sentences"), SIGNALS)
def test_a_worker_that_is_lost_ends_all_and_the_run_goes_on_to_the_same_bits(
    tmp_path, undisturbed, number, index, status, sentences
):
    """With two workers again, and though the newest checkpoint is damaged: all go on from the one before, and the chief
    alone renames the damaged one. With three, every step adds the shares in another order; the accuracy stays within
    what other seeds make of it, 0.5 points."""
    run = [*RUN, "--checkpoint", tmp_path / "run", "--resume", "--json", tmp_path / "run.json"]
    found, said = disturbed(number, index, *run)
    assert found == status, said
    for sentence in sentences:
        assert re.search(sentence.format(index), said), said
    shutil.copytree(tmp_path / "run", tmp_path / "three")
    before, newest = sorted((tmp_path / "run").glob("step-*"))[-2:]
    content = (newest / "state.index").read_bytes()
    (newest / "state.index").write_bytes(content[:-1])
    done = rawstep(*launched(2, *run))
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\S+) is damaged \(.*\), kept as (\S+): going on from (\S+)", done.stderr) == [
        (str(newest), f"{newest.name}.damaged", str(before))
    ]
    shutil.rmtree(newest.with_name(f"{newest.name}.damaged"))
    assert (outcome(tmp_path / "run"), reported(tmp_path / "run.json")) == undisturbed
    if number is signal.SIGKILL and not index:
        run[run.index(tmp_path / "run")] = tmp_path / "three"
        done = rawstep(*launched(3, *run))
        assert done.returncode == 0, done.stderr
        epochs, accuracy = reported(tmp_path / "run.json")
        assert len(epochs) == 6
        assert abs(accuracy - undisturbed[1][1]) < 0.005


def test_logical_devices_leave_what_workers_leave(tmp_path, undisturbed):
    done = rawstep(*RUN, "--strategy", "mirrored", "--checkpoint", tmp_path / "run", "--json", tmp_path / "run.json")
    assert done.returncode == 0, done.stderr
    assert (outcome(tmp_path / "run"), reported(tmp_path / "run.json")) == undisturbed
    figures = json.loads((tmp_path / "run.json").read_text())
    assert figures["replicas"] == 2


@pytest.mark.whole
def test_evaluate_and_trace_run_in_workers(tmp_path):
    """Shares of 1,667 and 1,666 images weigh as they should; and what is recorded is the whole batch's."""
    short = ["--hidden", "8", "--init", "he", "--epochs", "1", "--batch-size", "600"]
    folder = tmp_path / "run"
    assert rawstep("train", *short, "--checkpoint", folder).returncode == 0
    figures = []
    for name, start in (("one", []), ("three", ["launch", "--workers", "3"])):
        done = rawstep(*start, "evaluate", "--checkpoint", folder, "--json", tmp_path / f"{name}.json")
        assert done.returncode == 0, done.stderr
        figures.append(json.loads((tmp_path / f"{name}.json").read_text()))
        done = rawstep(*start, "trace", *short, "--figures", "norms", "--no-cost", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
    for split in ("validation", "test"):
        assert figures[0][split]["accuracy"] == pytest.approx(figures[1][split]["accuracy"], abs=1e-12)
        assert figures[0][split]["cost"] == pytest.approx(figures[1][split]["cost"], rel=1e-6)
    one, three = (np.load(tmp_path / name / "trace.npz", allow_pickle=True) for name in ("one", "three"))
    assert {*one.files} == {*three.files}


@pytest.mark.parametrize(
    ("differs", "sentence"),
    [
        (["--seed", "1"], r"All workers must have the same --seed: worker 1 \(\S+\) has 1, worker 0 \(\S+\) 0\."),
        (["--validation", "500"], r"the same data \(examples\): worker 1 \(\S+\) has 59500, worker 0 \(\S+\) 55000\."),
    ],
    ids=["options", "data"],
)
def test_a_worker_with_something_else_ends_all_before_anything_is_written(tmp_path, differs, sentence):
    arguments = ["train", "--strategy", "multi-worker", "--checkpoint", tmp_path / "run"]
    processes = [
        subprocess.Popen(command(*arguments, *own), env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        for own, env in zip(([], differs), environments(2), strict=True)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert re.fullmatch(rf"rawstep: .*{sentence}\n", said)
    assert not [*tmp_path.iterdir()]


def test_a_batch_that_the_replicas_do_not_divide_is_refused_before_anything_is_written(tmp_path):
    done = rawstep("train", "--strategy", "mirrored", "--replicas", "3", "--checkpoint", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr == "rawstep: A batch of 100 examples cannot be divided equally among 3 replicas.\n"
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["launch", "--workers", "2"], "needs a command, train, evaluate, trace, found none"),
        (["launch", "--workers", "2", "explain", "adam"], "needs a command, train, evaluate, trace, found 'explain'"),
        (["launch", "--workers", "2", "train", "--strategy", "one"], "sets --strategy multi-worker itself"),
        (["train", "--replicas", "2"], "--replicas is for --strategy mirrored, found one"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


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


def recipe():
    """The command that README gives for each of two machines."""
    text = (Path(__file__).parents[4] / "README.md").read_text()
    block = re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1]
    assert '"10.0.0.1:2222", "10.0.0.2:2222"' in block
    return [block, block.replace('"index": 0', '"index": 1')]


@pytest.mark.whole
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut-off"])
def test_readme_s_two_machines(tmp_path, cut):
    """Two network namespaces on one machine, which needs root; the cable between them is pulled amid the run."""
    bin_folder = Path(sys.executable).parent
    variables = ENVIRONMENT | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
    with two_machines():
        processes = [
            subprocess.Popen(
                ["ip", "netns", "exec", f"m{number}", "bash", "-ec", script.replace(" train ", " train --epochs 3 ")],
                cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for number, script in enumerate(recipe(), start=1)
        ]  # fmt: skip
        if cut:
            next(line for line in processes[0].stderr if line.startswith("epoch 1"))
            subprocess.run(["ip", "-n", "m1", "link", "set", "v1", "down"], check=True)
        ends = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    for index, (said, status) in enumerate(ends):
        if cut:
            assert status == 4
            assert f"worker {1 - index} (10.0.0.{2 - index}:2222) no longer answers; go on from run/step-" in said
        else:
            assert status == 0, said
    assert read(max((tmp_path / "run").glob("step-*"))).step == (550 if cut else 1650)
