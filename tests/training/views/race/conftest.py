import pytest

from core.seeds import generator
from training.commands.cli import main
from training.views.race.conduct import Terms, race
from training.views.race.contestants import contestants
from training.views.race.mnist_slice import filter_normalised, first_images, slice_of, trained


@pytest.fixture(scope="session")
def network():
    """Images, weights, directions and the landscape of seed 0."""
    images = first_images()
    weights, random = trained(images, 0), generator(0, "directions")
    directions = [filter_normalised(weights, random) for _ in range(2)]
    return images, weights, directions, slice_of(images, weights, directions)


TERMS = Terms(steps=60, rates=8, starts=2, noise=0.01)
ARGUMENTS = ["race", "--rules", "adam:keras", "--steps", "60", "--rates", "8", "--starts", "2", "--noise", "0.01"]
"""The same on the command line."""


@pytest.fixture(scope="session")
def mnist_race(network):
    """Plain SGD on the slice of seed 0."""
    return race(network[-1], {"sgd": contestants(["sgd"])["sgd"]}, TERMS, lambda piece: None)


@pytest.fixture(scope="session")
def raced(tmp_path_factory):
    """The folder of a small race that this process ran."""
    folder = tmp_path_factory.mktemp("raced") / "out"
    with pytest.raises(SystemExit) as stop:
        main([*ARGUMENTS, "--landscape", "beale", "saddle", "--out", str(folder)])
    assert stop.value.code == 0
    return folder
