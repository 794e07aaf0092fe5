"""Interrupts a run again and again at moments that are drawn, and looks each time at what it leaves."""

import os
import random
import signal
import time
from pathlib import Path

from training.runs.checkpoint import read
from training.runs.checkpoints import KEPT, OUTDATED, UNFINISHED

from ..processes import children, running
from .runs import arguments

STATUS = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}
KILL, *OTHERS = STATUS
MOMENTS = ("starting", "training", "writing", "writing", "writing")
"""Drawn from for SIGKILL. Some time within the first seconds; some time after the first checkpoint that the process
writes; and while one is written, which the name shows that it has until it is whole."""
VICTIMS = {"all": (-9,), "launch": (-9,), "chief": (137,), "worker": (4, 137)}
"""Who of a launch is killed, and what its status then is. A worker that is not yet connected takes the chief along."""


class Interrupted:
    """A run, and what it has left so far.

    seen:   the names of all checkpoints that ever were whole.
    states: the newest checkpoint's step and epochs, after each interruption.
    within: how many interruptions left a checkpoint half written, or half removed.
    """

    def __init__(self, run: str, place: Path, folder: Path):
        self.run, self.place, self.folder = run, place, folder
        self.chance = random.Random(run)
        self.seen: set[str] = set()
        self.states = [(0, [])]
        self.within = 0

    def interrupt(self, number: signal.Signals) -> None:
        """Starts or resumes it, interrupts it, and asserts that nothing that was whole is lost."""
        moment = self.chance.choice(MOMENTS) if number is KILL else "training"
        victim = self.chance.choice([*VICTIMS]) if number is KILL and "workers" in self.run else "all"
        words = arguments(self.run, self.folder, 10**6, "--resume")
        with (
            self.folder.with_suffix(".said").open("w") as said,
            running(*words, cwd=self.place, stderr=said) as process,
        ):
            self._await(moment, process)
            everyone = [process.pid, *children(process)]
            chosen = {"all": everyone, "launch": everyone[:1], "chief": everyone[1:2], "worker": everyone[2:]}[victim]
            if not chosen:  # it has not been started yet
                victim, chosen = "all", everyone
            for pid in chosen if number is KILL else everyone[:1]:
                os.kill(pid, number)
            process.communicate(timeout=120)
            deadline = time.monotonic() + 60
            while any(map(_runs, everyone)):
                assert time.monotonic() < deadline, f"{victim} was killed, and others go on without"
                time.sleep(0.01)
        words = self.words()
        statuses = VICTIMS[victim] if number is KILL else (STATUS[number],)
        assert process.returncode in statuses, f"{moment}, {victim}: {process.returncode} … {words[-1000:]}"
        self._look_after(number, words)
        print(f"{self.run}: {number.name} {moment}{'' if victim == 'all' else f', {victim}'}, left {self._left()}")

    def words(self):
        """What the last process said."""
        return self.folder.with_suffix(".said").read_text()

    def _await(self, moment, process):
        """Until the process is where it is to be interrupted."""
        if moment == "starting":
            self._watch(process, seconds=self.chance.uniform(0, 5))
            return
        before = {*self.seen}
        self._watch(process, lambda: self.seen - before)
        self._watch(process, seconds=self.chance.uniform(0, 0.3))
        if moment == "writing":
            self._watch(process, (self.folder / UNFINISHED).exists)
            time.sleep(self.chance.uniform(0, 0.01))

    def _watch(self, process, happens=lambda: False, seconds=None):
        """Notes what becomes whole, until something happens or so long."""
        deadline = time.monotonic() + (300 if seconds is None else seconds)
        while not happens() and time.monotonic() < deadline:
            assert process.poll() is None, f"it ended by itself: {self.words()[-1000:]}"
            self.seen |= self._whole()
            time.sleep(0.0005)
        assert seconds is not None or happens(), "nothing was saved in five minutes"

    def _whole(self):
        return {name for name in self._left() if name.startswith("step-")}

    def _left(self):
        return sorted(os.listdir(self.folder)) if self.folder.exists() else []

    def _look_after(self, number, words):
        """The newest that ever were whole are there, and all that are there can be read."""
        left = self._left()
        self.within += bool({UNFINISHED, OUTDATED} & {*left})
        self.seen |= (whole := self._whole())
        assert {*sorted(self.seen)[-KEPT:]} <= whole, "a checkpoint is lost"
        read_all = [read(self.folder / name) for name in sorted(whole)]
        best = read_all and read_all[-1].settings.keep_best and read_all[-1].run["best"]
        assert not best or f"step-{best['step']:08d}" in whole, "the best checkpoint is lost"
        if read_all:
            self.states.append((read_all[-1].step, read_all[-1].run["epochs"]))
        if number is not KILL:
            assert words.endswith(f"rawstep: interrupted; go on from {self.folder / max(whole)} with --resume.\n")
            assert {*left} == whole, "something is left half written"


def _runs(pid):
    """Whether a process does; one that has ended has no command any more."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False
