"""Bands over seeds, and what they say of one more figure."""

import math

import numpy as np
import pytest

from training.notebook.bands import WIDTH, Band, Beside, Difference, outside_by_chance

FIGURES = [1.0, 2.0, 4.0, 5.0, 3.0]
"""Mean 3, standard deviation √2.5 of n − 1; of n it would be √2."""


def test_a_band_is_three_deviations_of_n_minus_1_around_the_mean():
    """Would catch a deviation of n, and a standard error in its place."""
    band = Band.of(FIGURES)
    assert (band.mean, band.deviation) == (3.0, pytest.approx(math.sqrt(2.5)))
    assert (band.low, band.high) == (pytest.approx(3 - 3 * math.sqrt(2.5)), pytest.approx(3 + 3 * math.sqrt(2.5)))


def test_one_figure_has_no_band():
    assert math.isnan(Band.of([1.0]).high)


@pytest.mark.parametrize(
    ("printed", "outside"),
    [(3.0, 0.0), (3 + 3 * math.sqrt(2.5), 0.0), (3 + 3 * math.sqrt(2.5) + 1, 1.0), (3 - 3 * math.sqrt(2.5) - 2, -2.0)],
)
def test_what_lies_outside_is_told_by_how_much_and_on_which_side(printed, outside):
    beside = Beside.of("cost", printed, FIGURES)
    assert beside.outside == pytest.approx(outside)
    assert beside.deviations == pytest.approx((printed - 3) / math.sqrt(2.5))


@pytest.mark.parametrize("seeds", [2, 5, 10])
def test_so_many_more_runs_fall_outside_by_chance(seeds):
    """A simulation of 200,000 bands and one more figure each: would catch a normal distribution instead of Student's,
    which says 0.27 %, and a forgotten deviation of the mean."""
    random = np.random.default_rng(0)
    figures, one_more = random.standard_normal((200_000, seeds)), random.standard_normal(200_000)
    seen = np.abs(one_more - figures.mean(axis=1)) > WIDTH * figures.std(axis=1, ddof=1)
    expected = outside_by_chance(seeds)
    assert abs(seen.mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / 200_000)  # a simulation's own error


def test_the_interval_of_a_paired_difference_holds_the_truth_as_often_as_it_says():
    """Would catch an unpaired interval, which the seeds' own spread would make ten times as wide, and one of 1.96."""
    random = np.random.default_rng(0)
    held, widths = [], []
    for _ in range(2_000):
        seeds = random.normal(0, 10, 5)
        difference = Difference.of(seeds + 1 + random.normal(0, 1, 5), seeds)
        held.append(difference.low <= 1 <= difference.high)
        widths.append(difference.high - difference.low)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)  # four errors of 2,000 intervals
    assert np.mean(widths) < 4
