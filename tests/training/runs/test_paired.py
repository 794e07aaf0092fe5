"""Paired ratios on a machine that drifts."""

import numpy as np
import pytest

from training.runs.paired import paired_ratio


def drifting(rounds, times_as_long, seed=0):
    """Two engines on a machine whose speed halves and doubles from round to round, each with 2 % noise of its own."""
    random = np.random.default_rng(seed)
    speed = random.uniform(0.5, 1, rounds)
    ours, theirs = (factor / speed * random.normal(1, 0.02, rounds) for factor in (1.0, times_as_long))
    return theirs, ours


def test_a_paired_ratio_is_found_on_a_machine_that_drifts():
    """Would catch a ratio turned over, an unpaired one, and an interval of something else."""
    ratio = paired_ratio(*drifting(20, 1.3))
    assert ratio.low < ratio.median < ratio.high
    assert ratio.median == pytest.approx(1.3, rel=0.03)
    assert 0 < ratio.high - ratio.low < 0.1
    theirs, ours = drifting(20, 1.3)
    unpaired = paired_ratio(theirs[::-1], ours)
    assert unpaired.high - unpaired.low > 3 * (ratio.high - ratio.low)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Of 200 comparisons; 95 % of a median's bootstrap intervals at 20 rounds were 92 % and more in trials."""
    held = [ratio.low <= 1.3 <= ratio.high for ratio in (paired_ratio(*drifting(20, 1.3, seed)) for seed in range(200))]
    assert 0.88 <= np.mean(held) <= 1
