from typing import NamedTuple

import pytest
import tensorflow as tf

from training.commands.cli import main
from training.runs.settings import Settings

from .faults.runs import make_data
from .striped import striped_data


@pytest.fixture(autouse=True, scope="session")
def xla_started():
    """XLA reads its flags as it first compiles: a command in this process, which has none to itself, sets none then."""
    tf.function(lambda x: x + 1, autograph=False, jit_compile=True)(tf.constant(0.0))


@pytest.fixture
def striped_images_loaded(monkeypatch):
    """Every run is trained on the striped images, whatever folder is asked for."""
    monkeypatch.setattr(Settings, "data", lambda self: striped_data())


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with the data of `faults.runs`, in which they start."""
    folder = tmp_path_factory.mktemp("place")
    make_data(folder)
    return folder


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Runs a command in this process, in a folder."""

    def run(*arguments, cwd):
        monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        assert isinstance(stop.value.code, int)
        return Done(stop.value.code, *capsys.readouterr())

    return run
