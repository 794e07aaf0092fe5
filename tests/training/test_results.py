"""Files written whole or not at all, and the memory of this process alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core import InputError
from training.files import check_file
from training.results import write_json


def test_json_is_written_through_a_link_and_leaves_nothing_beside(tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    link.symlink_to(target)
    write_json(link, {"cost": float("nan"), "rate": 2.0})
    assert link.is_symlink()
    assert json.loads(target.read_text()) == {"cost": None, "rate": 2.0}
    assert {path.name for path in tmp_path.iterdir()} == {"target.json", "link.json"}


def test_json_goes_to_a_device_without_replacing_it():
    done = subprocess.run(
        [sys.executable, "-c", "from pathlib import Path; from training.results import write_json\n"
         "write_json(Path('/dev/stdout'), {'a': 1}); assert not Path('/dev/stdout').is_file()"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert json.loads(done.stdout) == {"a": 1}


def test_a_full_device_ends_in_a_sentence():
    with pytest.raises(InputError, match="/dev/full cannot be written: No space left on device"):
        write_json(Path("/dev/full"), {"a": 1})


def test_a_full_disk_ends_in_a_sentence_and_keeps_the_old_file(tmp_path):
    """A limit on the size of files stands for the disk: the write itself fails, as it would there."""
    path = tmp_path / "run.json"
    path.write_text("old")
    program = (
        "import resource, signal, sys; from pathlib import Path; from training.results import write_json\n"
        "from core import InputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_json(Path(sys.argv[1]), {'a': 'x' * 100_000})\n"
        "except InputError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == f"{path} cannot be written: File too large.\n"
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent/run\.json cannot be written: No such file or directory"):
        check_file(tmp_path / "absent" / "run.json")


def test_peak_memory_grows_by_what_is_held():
    """Would catch a wrong unit, and the memory of a parent, which is larger here."""
    program = (
        "from training.results import peak_memory_mb; before = peak_memory_mb(); held = b'x' * 400_000_000\n"
        "del held; print(before, peak_memory_mb() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    before, grown = map(float, done.stdout.split())
    assert 100 < before < 1000
    assert grown == pytest.approx(400, rel=0.1)
