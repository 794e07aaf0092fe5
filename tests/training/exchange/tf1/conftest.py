"""What the tests of commands on TensorFlow 1's files share."""

import shutil

import pytest


@pytest.fixture
def workplace(once, tmp_path, monkeypatch):
    """A working directory with a copy of what a module's fixture `once` has made."""
    shutil.copytree(once, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"
