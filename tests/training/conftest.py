import pytest

from training.runs.settings import Settings

from .striped import striped_data


@pytest.fixture
def striped_images_loaded(monkeypatch):
    """Every run is trained on the striped images, whatever folder is asked for."""
    monkeypatch.setattr(Settings, "data", lambda self: striped_data())
