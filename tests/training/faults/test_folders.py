"""Run folders that others use, move, or take away, by real processes.

`make test` knows of them what tests/training/runs/test_run_folder.py does in one process; `make faults` runs these.
"""

import os
import shutil
import signal
import subprocess
import time

import pytest

from training.runs.checkpoint import read

from ..processes import rawstep, running, started
from .runs import arguments, finished, undisturbed

pytestmark = pytest.mark.whole
RUN = "regression"


def awaited(folder, process, count=3):
    """Returns when the folder has that many checkpoints."""
    while len([*folder.glob("step-*")]) < count:
        assert process.poll() is None
        time.sleep(0.01)


@pytest.fixture
def training(place, tmp_path):
    """A process that trains in tmp_path / "run"."""
    with running(*arguments(RUN, tmp_path / "run", 10**6), cwd=place, stderr=subprocess.DEVNULL) as process:
        awaited(tmp_path / "run", process)
        yield process


def epochs_of(folder):
    return len(read(max(folder.glob("step-*"))).run["epochs"])


def test_a_second_run_in_a_folder_is_refused_until_the_first_has_ended(place, tmp_path, training):
    """While it trains, and while it is stopped. Would catch a lock that lapses by time, or stays after its owner."""
    folder = tmp_path / "run"
    for number in (None, signal.SIGSTOP):
        if number is not None:
            training.send_signal(number)
        for more in ([], ["--resume"]):
            done = rawstep(*arguments(RUN, folder, 3, *more), cwd=place)
            assert done.returncode == 2
            assert done.stderr == f"rawstep: {folder} is in use: another process trains there.\n"
    training.kill()
    training.wait()
    epochs = epochs_of(folder) + 1
    assert finished(RUN, place, folder, epochs) == undisturbed(RUN, place, tmp_path / "undisturbed", epochs)


def backwards(folder):
    """The clock was set back between any two checkpoints: the newest looks the oldest, and the last is of tomorrow."""
    for age, path in enumerate(sorted(folder.glob("step-*"))):
        for file in (path, *path.iterdir()):
            os.utime(file, (time.time() + 86_400 - age * 90_000,) * 2)


def test_a_run_goes_on_from_a_copy_whatever_its_files_clocks_say(place, tmp_path, training):
    """Copied while it trains, without times: what is not whole yet has no name in the copy either."""
    training.kill()
    training.wait()
    shutil.copytree(tmp_path / "run", tmp_path / "elsewhere" / "copy", copy_function=shutil.copyfile)
    backwards(tmp_path / "elsewhere" / "copy")
    shutil.rmtree(tmp_path / "run")
    folder = tmp_path / "elsewhere" / "copy"
    epochs = epochs_of(folder) + 1
    assert finished(RUN, place, folder, epochs) == undisturbed(RUN, place, tmp_path / "undisturbed", epochs)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_folder_that_is_removed_while_it_trains_ends_the_run_in_a_sentence(place, tmp_path, replaced):
    """Would catch a run that makes it anew, unlocked, and one that writes among another run's checkpoints."""
    folder = tmp_path / "run"
    with running(*arguments(RUN, folder, 10**6), cwd=place) as process:
        awaited(folder, process)
        folder.rename(tmp_path / "away")
        if replaced:
            folder.mkdir()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[-1] == (
        f"rawstep: {folder} was removed or replaced while the run trained in it; nothing more is saved there."
    )
    assert "Traceback" not in said
    assert not folder.exists() or not [*folder.iterdir()]
    epochs = epochs_of(tmp_path / "away") + 1
    finished(RUN, place, tmp_path / "away", epochs)


def test_two_commands_that_cut_shards_side_by_side_do_not_meet(place, tmp_path):
    """Would catch one name for what both have half written."""
    words = ["shard", "digits.npz", "--out"]
    both = [started(*words, tmp_path / name, cwd=place) for name in ("a", "b")]
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    left, right = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert left == right
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
