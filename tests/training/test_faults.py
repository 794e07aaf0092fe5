"""Real processes, really interrupted: what they leave is resumed to the bits of a run that nobody disturbed.

`make test` kills twice and sends each other signal once; `make faults` does ten of each with every rule alone, and with
a schedule, a warm-up, a clip, a masked decay, an average, a group and accumulation around one.
"""

import json
import os
import pty
import random
import re
import signal
import sys
import time

import pytest

from training.runs.checkpoint import read

from .processes import ENVIRONMENT, command, heed_signals, rawstep, started

PLAIN = {"adam": "0.001", "adagrad": "0.01", "adadelta": "1"}
OPTIONS = {
    **{rule: ["--rule", rule, "--learning-rate", rate, "--batch-size", "500"] for rule, rate in PLAIN.items()},
    "all around": [
        "--schedule", "cosine:3e-3,steps=2000,warmup=200", "--clip-global-norm", "1", "--weight-decay", "0.01",
        "--decay-only", "matrices", "--ema", "0.99", "--group", "biases:sgd,learning_rate=0.1", "--batch-size", "250",
        "--accumulate", "2", "--keep-best", "--patience", "1000",
    ],
}  # fmt: skip


def run(options, epochs, folder):
    """Two calls of 55 steps an epoch, saved after every one: much to interrupt, in little time."""
    return [
        "train", *OPTIONS[options], "--hidden", "32", "--epochs", str(epochs), "--save-every", "1",
        "--checkpoint", folder,
    ]  # fmt: skip


def reported(path):
    """The costs and accuracies of a run that wrote this file."""
    figures = json.loads(path.read_text())
    return figures["epochs"], figures["test_accuracy"]


def interrupted(arguments, chance, number):
    """Starts a run and sends it a signal: one SIGKILL in five while it starts, all else some time after an epoch or
    a few. So a fast machine does not finish before it is interrupted.

    Returns its exit status and what it said.
    """
    process, said = started(*arguments), ""
    if number is signal.SIGKILL and chance.random() < 0.2:
        time.sleep(chance.uniform(0, 5))
    else:
        said = "".join(process.stderr.readline() for _ in range(chance.randint(3, 8)))
        time.sleep(chance.uniform(0, 0.1))
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    return process.returncode, said + rest


def outcome(folder):
    """The last checkpoint of a finished run: every tensor by its bytes, every figure, the place of the feed."""
    newest = read(max(folder.glob("step-*")))
    tensors = {name: tensor.tobytes() for name, tensor in newest.tensors.items()}
    return tensors | {name: newest.run[name] for name in ("epochs", "best", "costs", "feed")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run that nobody interrupts leaves and reports, by options and epochs. Nobody reads what it says, either:
    its standard error is closed after the first line, as by `2>&1 | head -1`."""
    remembered = {}

    def of(options, epochs):
        if (options, epochs) not in remembered:
            folder = tmp_path_factory.mktemp("undisturbed")
            with started(*run(options, epochs, folder / "run"), "--json", folder / "run.json") as process:
                process.stderr.readline()
                process.stderr.close()
                process.stdout.read()
            assert process.returncode == 0
            remembered[options, epochs] = outcome(folder / "run"), reported(folder / "run.json")
        return remembered[options, epochs]

    return of


KILL, *OTHERS = STATUS = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}
PART = [("all around", 20, [KILL, *OTHERS[:2]])]
WHOLE = [pytest.param(one, 150, [number] * 10, marks=pytest.mark.whole) for one in OPTIONS for number in STATUS]


@pytest.mark.parametrize(("options", "epochs", "signals"), PART + WHOLE)
def test_a_run_interrupted_at_random_moments_ends_with_the_bits_of_an_undisturbed_one(
    tmp_path, undisturbed, options, epochs, signals
):
    """The checkpoint of the best epoch among them."""
    folder, chance = tmp_path / "run", random.Random(f"{options} {signals}")
    arguments = [*run(options, epochs, folder), "--resume"]
    steps = []
    for number in signals:
        status, said = interrupted(arguments, chance, number)
        assert status == STATUS[number], f"it was over before it could be interrupted, or failed: … {said[-500:]}"
        saved = sorted(path.name for path in folder.glob("step-*"))
        steps.append(int(saved[-1].removeprefix("step-")) if saved else 0)
        if number is not KILL:
            assert said.endswith(f"rawstep: interrupted; go on from {folder / saved[-1]} with --resume.\n")
    print(f"{options}: {', '.join(f'{n.name} at step {step}' for n, step in zip(signals, steps, strict=True))}")
    assert steps == sorted(steps)
    assert steps[-1] > 0
    done = rawstep(*arguments, "--json", tmp_path / "run.json")
    assert done.returncode == 0, done.stderr[-1000:]
    assert (outcome(folder), reported(tmp_path / "run.json")) == undisturbed(options, epochs)
    left = {int(path.name.removeprefix("step-")) for path in folder.iterdir()}
    last = 110 * epochs
    best = read(folder / f"step-{last:08d}").run["best"]["step"] if "--keep-best" in arguments else last
    assert left == {last, last - 55, last - 110, best}, "nothing half written is left"


def test_a_run_whose_terminal_is_closed_is_saved(tmp_path):
    """A real pseudo-terminal with a moving bar, hung up: SIGHUP comes, and nothing can be shown any more."""
    folder = tmp_path / "run"
    child, terminal = pty.fork()
    if child == 0:
        heed_signals()
        os.execve(sys.executable, command(*run("adam", 1000, folder)), ENVIRONMENT | {"TERM": "xterm"})
    shown = b""
    while not re.search(rb"epoch \d\d+/", shown):
        shown += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    saved = [read(path).run for path in sorted(folder.glob("step-*"))]
    assert len(saved[-1]["epochs"]) >= 9
    assert [path.name[:5] for path in folder.iterdir()] == ["step-"] * len(saved)
