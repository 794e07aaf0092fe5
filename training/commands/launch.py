"""`rawstep launch`."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..output.interruption import STOPPING
from ..output.terminal import note
from ..runs.distribution.local import free_addresses, tf_configs
from ..runs.processes import signalled_with_the_parent
from ..workloads.options import Whole

COMMANDS = ("train", "evaluate", "trace")
GRACE = 15.0
"""Seconds in which the others end by themselves after a worker was lost: TensorFlow finds a silent one in ten."""
LOST = 4
"""The status of a worker that no longer hears another; see `command_line.run`."""
REFUSED = 3.0
"""Seconds in which they find out what one worker refused; one that refuses before the meeting they would wait for."""


def launch(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    workers: Annotated[Whole, Parameter(validator=Number(gte=1))],
) -> None:
    """Run a command in several worker processes on this machine, which train one network together.

    Each gets TF_CONFIG in its environment and --strategy multi-worker; they meet over gRPC at free ports of the
    loopback interface. Worker 0, the chief, prints and writes. On several machines, start each worker there, with a
    TF_CONFIG of its own: see docs/distribution.md.

    Exit status: the chief's, or that of the first worker that failed where the chief did not.

    Examples:

    - `rawstep launch --workers 2 train`: the notebook's first experiment in two processes
    - `rawstep launch --workers 2 train --checkpoint run`: saved in the folder run; Ctrl-C saves and ends both
    - `rawstep launch --workers 4 train --checkpoint run --resume`: the same run continued, in four

    Parameters
    ----------
    command
        train, evaluate or trace, with its own options.
    workers
        Number of processes. The batch size must be divisible by it.
    """
    if not command or command[0] not in COMMANDS:
        found = f"found {command[0]!r}" if command else "found none"
        raise CycloptsError(f"rawstep launch --workers {workers} needs a command, {', '.join(COMMANDS)}, {found}.")
    if any(token.partition("=")[0] == "--strategy" for token in command):
        raise CycloptsError("rawstep launch sets --strategy multi-worker itself: leave --strategy out.")
    with _signals_passed_on() as processes:
        configs = tf_configs(free_addresses(workers))
        for index, config in enumerate(configs):
            processes.append(_started(command, index, config))
        status = _status(processes)
    if status:
        sys.exit(status)


def _started(command: Sequence[str], index: int, config: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training", *command, "--strategy", "multi-worker"],
        env=os.environ | {"TF_CONFIG": config},
        stderr=subprocess.PIPE if index else None,
        text=True,
        process_group=0,  # so that Ctrl-C reaches each once, through this process
        # Killed itself, this process can pass nothing on: without it, the workers save the run and end.
        preexec_fn=partial(signalled_with_the_parent, signal.SIGTERM),
    )


@contextmanager
def _signals_passed_on() -> Iterator[list[subprocess.Popen[str]]]:
    """Yields a list for processes, to which signals are passed on."""
    processes: list[subprocess.Popen[str]] = []

    def pass_on(number: int, _: object) -> None:
        for process in processes:
            process.send_signal(number)

    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]  # as by nohup
    before = {number: signal.signal(number, pass_on) for number in heeded}
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
        for number, handler in before.items():
            signal.signal(number, handler)


def _status(processes: Sequence[subprocess.Popen[str]]) -> int:
    """The exit status of all, once they have ended; prints what workers said that did not end as the chief did."""
    said: dict[int, str] = {}

    def listen(index: int) -> None:
        said[index] = processes[index].communicate()[1] or ""

    listeners = [threading.Thread(target=listen, args=(index,)) for index in range(1, len(processes))]
    for listener in listeners:
        listener.start()
    failed = _first_failure(processes)
    late = {index for index, process in enumerate(processes) if process.poll() is None}
    for index in late:
        processes[index].kill()
    for listener in listeners:
        listener.join()
    statuses = [process.wait() for process in processes]
    for index, status in enumerate(statuses):
        # A worker that only lost one which ended with a sentence, such as of a full disk, has nothing to add.
        tells = status != statuses[0] and not (status == LOST and 2 in statuses)
        for line in said.get(index, "").splitlines() if tells else ():
            note(line, f"worker {index}")
        if status < 0 and not (index in late and failed == 2):
            how = "did not end by itself" if index in late else f"was ended by {signal.Signals(-status).name}"
            note(f"worker {index} {how}.")
    status = failed if 0 in late else statuses[0] or failed
    return 128 - status if status < 0 else status


def _first_failure(processes: Sequence[subprocess.Popen[str]]) -> int:
    """The first status that is not 0; returns when all have ended, or some time after a failure that the others may not
    notice. After a signal or a number that is not finite, all end by themselves, and the chief may take long to save.
    """
    failed, deadline = 0, float("inf")
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        if not failed and (failed := _failure(processes)) and failed != 3 and failed < 128:
            deadline = time.monotonic() + (REFUSED if failed == 2 else GRACE)
        time.sleep(0.05)
    return failed or _failure(processes)


def _failure(processes: Sequence[subprocess.Popen[str]]) -> int:
    return next((process.returncode for process in processes if process.poll()), 0)
