"""Ctrl-C at random moments of a command's life, from its first line to its last."""

import random
import signal
import subprocess
import sys
import time
from functools import cache

import pytest

from ..processes import ENVIRONMENT, heed_signals

MARK = "import os; os.write(2, b'begun\\n'); "
"""Before the interpreter runs a line of ours, a signal ends it by the system's own rule: it is sent after this."""
COMMANDS = {
    "train": ["train", "--epochs", "1", "--hidden", "16", "--batch-size", "500"],
    "train, saved": ["train", "--epochs", "1", "--hidden", "16", "--batch-size", "500", "--checkpoint", "run"],
    "explain": ["explain", "adam"],
    "race": ["race", "--steps", "50", "--rates", "3", "--landscape", "beale"],
    "verify": ["verify", "--rule", "sgd", "--reference", "keras", "--execution", "graph", "--steps", "50"],
}
MOMENTS = 60
"""Of each command, of which CI tries one."""
AT_LEAST = 3.0
"""Seconds that any of them takes: for one moment alone, none is timed."""


def begun(arguments, cwd):
    program = [sys.executable, "-c", MARK + "from training.commands.console import rawstep; rawstep()", *arguments]
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=ENVIRONMENT,
        preexec_fn=heed_signals,
    )  # fmt: skip
    assert process.stderr.readline() == "begun\n"
    return process


@pytest.fixture(scope="module")
def seconds(tmp_path_factory):
    """How long a command takes, which ends well."""

    @cache
    def measured(name):
        start, process = time.perf_counter(), begun(COMMANDS[name], tmp_path_factory.mktemp("timed"))
        process.communicate()
        assert process.returncode == 0
        return time.perf_counter() - start

    return measured


@pytest.mark.parametrize(
    "moments", [pytest.param(1, id="1"), pytest.param(MOMENTS - 1, id=f"{MOMENTS - 1}", marks=pytest.mark.whole)]
)
@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_in_one_sentence_and_status_130(tmp_path, seconds, name, moments):
    """The moments are spread over the command's whole time, and each lies at random in its part of it.

    Would catch a traceback of TensorFlow's import, a KeyboardInterrupt that a library swallows, one in the
    interpreter's last moments, and files half written.
    """
    draw, ended = random.Random(f"{name}, {moments}"), 0
    whole = seconds(name) if moments > 1 else AT_LEAST
    for number in range(moments):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begun(COMMANDS[name], folder)
        time.sleep(whole * (number + draw.random()) / moments)
        alive = process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        if not alive:
            ended += 1
            continue
        lines = [line for line in said.splitlines() if not line.startswith("epoch 1/1")]
        assert process.returncode == 130, said
        assert len(lines) == 1, said
        assert lines[0].startswith("rawstep: interrupted")
        assert not list(folder.rglob(".rawstep*")), "nothing half written"
    assert ended < max(moments, 2), "some moments are before the end"
