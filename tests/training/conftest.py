import pytest

from training import run_folder

from .striped import striped_dataset


@pytest.fixture
def striped_images_loaded(monkeypatch):
    """RunFolder.begin loads the striped images, whatever folder is asked for."""
    monkeypatch.setattr(run_folder, "load_dataset", lambda folder: striped_dataset())
