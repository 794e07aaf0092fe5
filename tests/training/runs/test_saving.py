"""Saving while a run goes on: what is written, when it is on the disk, and where errors go."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from core import InputError, NonFiniteError
from training.output.interruption import Interrupted
from training.runs import checkpoints
from training.runs.checkpoint import read, write
from training.runs.conduct import conduct, go_on_from
from training.runs.run_folder import RunFolder
from training.runs.trainer import Trainer

from .. import striped
from ..disk import files_no_larger_than
from ..striped import striped_data, trained

pytestmark = pytest.mark.usefixtures("striped_images_loaded")

SETTINGS = replace(striped.SETTINGS, execution="graph")


@pytest.fixture
def held_up(monkeypatch):
    """A disk that is so slow that nothing is written before `go` is set; and the writes that have begun."""
    go, begun = threading.Event(), []

    def slowly(state, folder):
        begun.append(folder)
        assert go.wait(60)
        write(state, folder)

    monkeypatch.setattr(checkpoints, "write", slowly)
    yield go, begun
    go.set()


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, parameters="bfloat16", keep_best=True, ema=0.9)])
def test_what_is_written_is_the_state_at_the_call_however_far_the_run_has_gone_since(tmp_path, held_up, settings):
    """Would catch variables, costs, epochs or a place in the data that are read when they are written."""
    go, _ = held_up
    trainer = Trainer(settings, striped_data())
    calls = trainer.train()
    with RunFolder(tmp_path / "slow", save_every=1) as folder:
        for _ in range(3):
            next(calls)
        folder.save_if_due(trainer)
        assert list(folder.path.glob("step-*")) == []
        for _ in calls:
            pass
        go.set()
    now, then = RunFolder(tmp_path / "slow").newest(), RunFolder(tmp_path / "at once")
    then.save(trained(settings, calls=3))
    assert now.run == then.newest().run
    assert now.digest == then.newest().digest
    assert now.step == 48 < trainer.step


def test_one_checkpoint_is_written_at_a_time(tmp_path, held_up):
    """Would catch two threads in one folder, and a queue that grows while the disk does not follow."""
    go, begun = held_up
    trainer = Trainer(SETTINGS, striped_data())
    calls, done = trainer.train(), threading.Event()

    def train():
        with RunFolder(tmp_path, save_every=1) as folder:
            for _ in range(2):
                next(calls)
                folder.save_if_due(trainer)
        done.set()

    thread = threading.Thread(target=train)
    thread.start()
    while not begun:
        assert not done.wait(0.01)
    assert not done.wait(1), "the second call has long ended"
    assert len(begun) == 1
    go.set()
    thread.join()
    assert [read(path).step for path in sorted(tmp_path.iterdir())] == [16, 32]


def test_a_checkpoint_that_could_not_be_written_ends_the_run_at_the_next_or_at_the_end(tmp_path):
    """Would catch an error that stays in the thread."""
    for ends in ("at the next", "at the end"):
        path = tmp_path / ends
        trainer = Trainer(SETTINGS, striped_data())
        calls = trainer.train()

        def run(path=path, ends=ends, trainer=trainer, calls=calls):
            with RunFolder(path, save_every=1) as folder:
                next(calls)
                folder.save(trainer)
                next(calls)
                with files_no_larger_than(1000):
                    folder.save_if_due(trainer)
                    folder.newest_path  # noqa: B018 - waits
                if ends == "at the next":
                    next(calls)
                    folder.save_if_due(trainer)
                    raise AssertionError("unreached")

        with pytest.raises(InputError, match="step-00000032 cannot be written: "):
            run()
        assert [read(left).step for left in path.iterdir()] == [16]


def test_what_ends_a_run_early_is_said_rather_than_that_it_could_not_be_saved(tmp_path):
    trainer = trained(SETTINGS, calls=2)

    def run():
        with files_no_larger_than(1000), RunFolder(tmp_path) as folder:
            folder.save_if_due(trainer)
            assert folder.newest_path is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()


def test_a_checkpoint_that_was_asked_for_at_once_is_on_the_disk(tmp_path, held_up):
    """Would catch a `save` that returns the path of what is still being written."""
    go, _ = held_up
    trainer = trained(SETTINGS, calls=2)
    threading.Timer(0.3, go.set).start()
    assert read(RunFolder(tmp_path).save(trainer)).step == trainer.step


def test_nothing_says_go_on_from_a_checkpoint_before_it_is_on_the_disk(tmp_path, held_up):
    """After a signal, at numbers that are not finite, and where another worker is lost. Each waits for the disk, which
    another thread lets go on."""
    go, begun = held_up
    signals, said = [], []

    def signal(trainer):
        signals.append(15)

    def diverge(trainer):
        trainer.variables["h1"].assign(np.full([16, 8], np.nan, np.float32))

    for number, (harm, kind) in enumerate([(signal, Interrupted), (diverge, NonFiniteError), (None, None)]):
        go.clear()
        begun.clear()
        signals.clear()
        folder, trainer = RunFolder(tmp_path / str(number), save_every=1), Trainer(SETTINGS, striped_data())
        calls = conduct(trainer, folder, signals)
        next(calls)
        threading.Timer(0.3, go.set).start()
        assert list(folder.path.glob("step-*")) == []
        if kind is None:
            said.append(go_on_from(folder))
        else:
            harm(trainer)
            with pytest.raises(kind) as error:
                list(calls)
            said.append(str(error.value))
        newest = sorted(folder.path.glob("step-*"))[-1]
        assert f"go on from {newest} with --resume" in said[-1]
        assert read(newest).nonfinite == []
