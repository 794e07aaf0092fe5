"""Files written whole or not at all, and paths tried beforehand without leaving anything."""

import os
from pathlib import Path

import pytest

from core import InputError
from training.output.files import check_file, check_folder, write_whole

from ..disk import files_no_larger_than


def test_a_full_device_ends_in_a_sentence():
    with pytest.raises(InputError, match="/dev/full cannot be written: No space left on device"):
        write_whole(Path("/dev/full"), b"content")


def test_a_full_disk_ends_in_a_sentence_and_keeps_the_old_file(tmp_path):
    """A limit on the size of files stands for the disk: the write itself fails, as it would there."""
    path = tmp_path / "run.json"
    path.write_text("old")
    with files_no_larger_than(4096), pytest.raises(InputError) as error:
        write_whole(path, b"x" * 100_000)
    assert str(error.value) == f"{path} cannot be written: File too large."
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent/run\.json cannot be written: No such file or directory"):
        check_file(tmp_path / "absent" / "run.json")


@pytest.mark.parametrize("name", ["", "new", "new/and/deeper"])
def test_a_folder_that_can_be_made_is_not_made_by_asking(tmp_path, name):
    check_folder(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below", "file/far/below"])
def test_a_file_in_the_way_of_a_folder_is_named(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"{name} must be a folder, found that .*/file is none"):
        check_folder(tmp_path / name)


def test_a_ring_of_links_is_refused_and_left(tmp_path):
    ring = tmp_path / "ring"
    ring.symlink_to(ring)
    for use in (check_file, lambda path: write_whole(path, b"content")):
        with pytest.raises(InputError, match="ring cannot be written: Too many levels of symbolic links"):
            use(ring)
    assert ring.is_symlink()


def test_a_pipe_is_not_opened_before_there_is_something_to_write(tmp_path):
    """Would catch a check that waits for a reader."""
    os.mkfifo(tmp_path / "pipe")
    check_file(tmp_path / "pipe")
