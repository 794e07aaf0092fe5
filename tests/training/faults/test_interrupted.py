"""Real processes, really interrupted: what they leave is resumed to the bits of a run that nobody disturbed.

`make test` kills one run once and sends it SIGTERM once; `make faults` does all of it.
"""

import os
import pty
import re
import sys

import pytest

from training.runs.checkpoint import read
from training.runs.checkpoints import KEPT

from ..processes import ENVIRONMENT, command, heed_signals
from .interrupting import KILL, OTHERS, Interrupted
from .runs import RUNS, arguments, finished, undisturbed

MANY = {"one process": [KILL] * 50 + OTHERS * 10, "streamed": [KILL] * 50, "two workers": [KILL] * 50 + OTHERS}
FEW = [KILL, KILL, *OTHERS, KILL]
PART = [("one process", [KILL, OTHERS[0]])]
WHOLE = [
    pytest.param(run, MANY.get(run, FEW), id=f"{run}, {len(MANY.get(run, FEW))} times", marks=pytest.mark.whole)
    for run in RUNS
]


@pytest.mark.parametrize(("run", "signals"), PART + WHOLE)
def test_a_run_interrupted_at_random_moments_ends_with_the_bits_of_an_undisturbed_one(
    place, tmp_path, monkeypatch, run, signals
):
    """Would catch a checkpoint that lacks a slot, an average, a loss scale or the order of the batches; one that has
    its name before it is on the disk; one that is removed before the next is whole; and a launch that leaves its
    workers behind."""
    monkeypatch.syspath_prepend(place)  # a checkpoint is read here too, with the workload of one's own
    disturbed = Interrupted(run, place, tmp_path / "run")
    for number in signals:
        disturbed.interrupt(number)
    epochs = len(disturbed.states[-1][1]) + 1
    expected = undisturbed(run, place, tmp_path / "undisturbed", epochs)
    print(f"{run}: {len(signals)} interruptions, of which {disturbed.within} left a checkpoint half written or removed")
    steps = [step for step, _ in disturbed.states]
    assert steps == sorted(steps)
    for _, until_then in disturbed.states:
        assert until_then == expected[0]["epochs"][: len(until_then)]
    assert finished(run, place, tmp_path / "run", epochs) == expected
    left = {int(path.name.removeprefix("step-")) for path in (tmp_path / "run").iterdir()}
    newest = read(max((tmp_path / "run").glob("step-*")))
    best = newest.run["best"]["step"] if newest.settings.keep_best else newest.step
    assert len(left) == KEPT + (best not in sorted(left)[-KEPT:]), "nothing half written is left"
    assert {newest.step, best} <= left
    if len(signals) >= 50:
        assert disturbed.within >= 10, "too few moments were within a write"


def test_a_run_whose_terminal_is_closed_is_saved(place, tmp_path):
    """A real pseudo-terminal with a moving bar, hung up: SIGHUP comes, and nothing can be shown any more."""
    folder = tmp_path / "run"
    child, terminal = pty.fork()
    if child == 0:
        heed_signals()
        os.chdir(place)
        words = command(*arguments("adagrad", folder, 10**6))
        os.execve(sys.executable, words, ENVIRONMENT | {"TERM": "xterm"})
    shown = b""
    while not re.search(rb"epoch \d\d+/", shown):
        shown += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    saved = [read(path).run for path in sorted(folder.glob("step-*"))]
    assert len(saved[-1]["epochs"]) >= 9
    assert [path.name[:5] for path in folder.iterdir()] == ["step-"] * len(saved)
