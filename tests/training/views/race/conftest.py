import pytest

from core.seeds import generator
from training.commands.cli import main
from training.runs.small import small
from training.views.race.conduct import Terms, race
from training.views.race.contestants import contestants
from training.views.race.loss_slice import filter_normalised, first_examples, slice_of, trained


@pytest.fixture(scope="session")
def network():
    """Examples, weights, directions and the landscape of seed 0."""
    run = small("mlp", {"hidden": ["16"]})
    data = run.data()
    examples = first_examples(run, data)
    weights, random = trained(run, data, examples), generator(0, "directions")
    directions = [filter_normalised(weights, random) for _ in range(2)]
    return examples, weights, directions, slice_of(run, data, weights, directions)


TERMS = Terms(steps=60, rates=8, starts=2, noise=0.01)
ARGUMENTS = ["race", "--rules", "adam:keras", "--steps", "60", "--rates", "8", "--starts", "2", "--noise", "0.01"]
"""The same on the command line."""


@pytest.fixture(scope="session")
def slice_race(network):
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
