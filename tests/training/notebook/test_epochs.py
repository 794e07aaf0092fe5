"""Question 1's figures, on curves whose answers can be read off."""

import pytest

from training.notebook.epochs import Epochs, stopped
from training.notebook.scale import quick
from training.notebook.works import Curves

from .outcomes import outcome

VALIDATION = [0.90, 0.95, 0.94, 0.96, 0.95, 0.95, 0.95, 0.97]


@pytest.mark.parametrize(
    ("patience", "epoch", "stops"),
    [(1, 2, 3), (2, 4, 6), (3, 4, 7), (4, 8, None)],
)
def test_early_stopping_keeps_the_best_epoch_before_it_stops(patience, epoch, stops):
    """Would catch a patience that is off by one, weights of the last epoch, and a best that comes after the stop."""
    found = stopped(Curves.of(outcome([1.0] * 8, VALIDATION)), patience)
    assert (found["epoch"], found["stopped"]) == (epoch, stops)
    assert found["validation_accuracy"] == VALIDATION[epoch - 1]


def test_the_figures_of_a_run():
    part = Epochs(quick(None, None, 0))
    finished = {part.training.name: outcome([9.0, 4.0, 5.0, 3.0], [0.90, 0.958, 0.97, 0.96], [0.8, 0.9, 0.91, 0.92])}
    figures = part.figures(finished)
    assert figures["best"] == {"epoch": 3, "cost": 5.0, "validation_accuracy": 0.97, "test_accuracy": 0.91}
    assert figures["standard_error"] == pytest.approx((0.97 * 0.03 / 5000) ** 0.5)
    assert figures["enough"]["epoch"] == 3  # 0.958 is 1.2 points short, five standard errors
    assert figures["near"] == 0
    assert [rise["at"] and rise["at"]["epoch"] for rise in figures["rises"]] == [3, 3, None, None]  # by 25 %, once
    assert figures["last"]["test_accuracy"] == 0.92


def test_a_cost_that_never_rises_is_said_to():
    part = Epochs(quick(None, None, 0))
    figures = part.figures({part.training.name: outcome([4.0, 3.0, 2.0, 1.0], [0.9] * 4)})
    assert {rise["at"] for rise in figures["rises"]} == {None}
