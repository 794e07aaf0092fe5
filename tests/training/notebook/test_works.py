"""Works on MNIST, with large batches so that an epoch is eleven steps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import InputError
from training.notebook import scale
from training.notebook.place import Place
from training.notebook.works import Curves, EpochTimes, Resumption, Sittings, Training, compared
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings

FIRST = Settings(learning_rate=0.001, batch_size=100, epochs=1)
"""The first experiment's state is kept, so it is this one, short."""
LARGE = Settings(rule="adagrad", learning_rate=0.1, batch_size=5_000, epochs=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A place with the first experiment of two seeds in it, one epoch each."""
    place = Place(tmp_path_factory.mktemp("replication"))
    for seed in (0, 1):
        work = Training(replace(FIRST, seed=seed))
        place.keep(work.name, work.do(place, lambda steps: None))
    return place


def test_a_training_tells_its_steps_and_leaves_a_row_an_epoch(place):
    told = []
    work = Training(LARGE)
    outcome = work.do(place, told.append)
    assert sum(told) == work.steps == 22
    curves = Curves.of(outcome)
    assert all(len(curve) == 2 for curve in curves)
    assert outcome["settings"]["rule"] == "adagrad"
    assert curves.test_accuracy[-1] > 0.3
    assert not place.state(work.name).exists()


def test_five_more_epochs_are_those_that_a_longer_run_has_after_its_first(tmp_path):
    """To the bit: would catch slots, step or order of the batches begun anew, as the notebook's were not."""
    place, before = Place(tmp_path), Training(replace(FIRST, workload_options={"hidden": ("32",)}))
    before.do(place, lambda steps: None)
    resumed = Curves.of(Resumption(before).do(place, lambda steps: None))
    longer = Curves.of(Training(replace(before.settings, epochs=6)).do(place, lambda steps: None))
    np.testing.assert_array_equal(resumed.cost, longer.cost[1:])
    np.testing.assert_array_equal(resumed.test_accuracy, longer.test_accuracy[1:])


def test_a_resumption_without_its_state_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no whole state"):
        Resumption(Training(FIRST)).do(Place(tmp_path), lambda steps: None)


def test_sittings_end_with_the_bits_of_one_and_another_seed_s_would_not(place):
    """One epoch is one sitting, in a process of its own, beside this process's run."""
    work = Sittings(Training(FIRST))
    outcome = work.do(place, lambda steps: None)
    assert outcome["unlike_tensors"] == []
    assert outcome["epochs_equal"]
    assert outcome["order_of_batches_equal"]
    assert (outcome["tensors"], outcome["numbers"]) == (20, 3 * 269_322 + 2)
    states = [RunFolder(place.state(Training(replace(FIRST, seed=seed)).name)).newest() for seed in (0, 1)]
    wrong = compared(*states)
    assert set(wrong["unlike_tensors"]) == set(states[0].tensors) - {"optimizer/step", "optimizer/dropped"}
    assert not wrong["epochs_equal"]
    assert not wrong["order_of_batches_equal"]


@pytest.mark.parametrize(("epochs", "ends"), [(30, [10, 20, 30]), (3, [1, 2, 3]), (2, [1, 2]), (1, [1])])
def test_the_ends_of_three_sittings(epochs, ends):
    assert Sittings(Training(replace(FIRST, epochs=epochs))).ends == ends


def test_epoch_times_have_a_sample_a_round_without_the_one_that_compiles(place):
    told = []
    work = EpochTimes((5_000, 11_000), rounds=2, seed=0)
    seconds = json.loads(json.dumps(work.do(place, told.append)))["seconds"]
    assert {batch: len(times) for batch, times in seconds.items()} == {"5000": 2, "11000": 2}
    assert sum(told) == work.steps == 3 * (11 + 5)
    assert all(0 < time < 10 for times in seconds.values() for time in times)


@pytest.mark.parametrize(
    "change", [{}, {"hidden": [255, 256]}, {"init": "he"}, {"rule": "adagrad"}, {"seed": 1}], ids=str
)
def test_a_run_that_an_earlier_rawstep_finished_is_not_made_again(change):
    """Of the record of 0.1, whose settings had no workload. Would catch a replication that goes on from a folder of
    then with all to do, and one that takes another network's run."""
    record = Path(__file__).parents[3] / "benchmarks/records/2026-11-24_replicate"
    work = Training(scale.full(None, None, 0).settings(scale.FIRST, 0))
    outcome = json.loads((record / "results.json").read_text())["runs"][work.name]
    assert work.fits(outcome | {"settings": outcome["settings"] | change}) == (not change)
