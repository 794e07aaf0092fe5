"""A real disk that fills up while a real command trains."""

import subprocess

from training.runs.checkpoint import read

from .disk import disk_of
from .processes import ENVIRONMENT, command
from .test_faults import outcome

RUN = ["train", "--hidden", "32", "--init", "he", "--batch-size", "500", "--epochs", "5"]
"""Five checkpoints of 0.31 MB; four are there for a moment."""


def run_on(disk, *arguments):
    arguments = [*RUN, *arguments]
    return subprocess.run(disk.on(*command(*arguments)), capture_output=True, text=True, env=ENVIRONMENT, timeout=300)


def test_a_run_on_a_full_disk_ends_in_a_sentence_and_goes_on_when_there_is_room(tmp_path):
    """Would catch an error that is lost in the thread, a half-written folder, and a checkpoint that was removed before
    the next one was on the disk."""
    with disk_of(900_000, tmp_path) as disk:
        folder = disk.path / "run"
        done = run_on(disk, "--checkpoint", folder)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        said = done.stderr.splitlines()
        assert said[-1].startswith(f"rawstep: {folder}/step-00000330 cannot be written: ")
        assert said[-1].endswith(".")
        assert "Traceback" not in done.stderr
        left = sorted((disk.seen / "run").iterdir())
        assert [(path.name, read(path).step) for path in left] == [("step-00000110", 110), ("step-00000220", 220)]
        disk.resize(4_000_000)
        for arguments in (["--checkpoint", folder, "--resume"], ["--checkpoint", disk.path / "undisturbed"]):
            done = run_on(disk, *arguments)
            assert done.returncode == 0, done.stderr
        assert outcome(disk.seen / "run") == outcome(disk.seen / "undisturbed")
