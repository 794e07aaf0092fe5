"""Which runs questions 2 and 3 ask for, and which learning rate they find the best."""

import math

import pytest

from training.notebook.learning_rates import LearningRates
from training.notebook.optimizers import Optimizers
from training.notebook.scale import full

from .outcomes import finish, outcome

BEST = {"adam": 3e-3, "adagrad": 0.3, "adadelta": 10.0}
SCALE = full(seeds=2, epochs=1, seed=0)


def accuracy(settings):
    """Best at each rule's own rate, falling off by the decade; the second seed a little better."""
    return 0.97 - 0.1 * abs(math.log10(settings.learning_rate / BEST[settings.rule])) + 0.001 * settings.seed


@pytest.mark.parametrize(
    ("rule", "last"), [("adam", 0.1), ("adagrad", 1.0), ("adadelta", 30.0)],
)  # fmt: skip
def test_the_grid_grows_until_the_best_is_not_its_last(rule, last):
    """Would catch a best learning rate at the edge of what was tried, which proves nothing."""
    part = LearningRates(SCALE)
    finished = finish(part, {}, accuracy)
    grid = part.grid(rule, finished)
    assert (grid[0], grid[-1]) == (1e-4, last)
    assert part.best(rule, grid, finished) == BEST[rule]
    figures = part.figures(finished)["rules"][rule]
    assert figures["best"] == BEST[rule]
    assert figures["near"] == [BEST[rule]]


def test_a_run_that_diverged_is_never_the_best():
    """Its accuracy is that of naming one class; its cost is not finite."""
    part = LearningRates(SCALE)
    finished = finish(part, {}, accuracy)
    name = part.training("adam", 0.1).name
    finished[name] = outcome([None], [0.1])
    assert part.best("adam", part.grid("adam", finished), finished) == BEST["adam"]
    assert part.figures(finished)["rules"]["adam"]["grid"][-1]["cost"] == math.inf


def test_optimizers_are_compared_at_their_best_over_all_seeds_and_adadelta_at_its_paper_s_rate_too():
    part = Optimizers(SCALE)
    finished = finish(part, {}, accuracy)
    entries = [(rule, rate) for rule, rate, whose in part.entries(finished) if whose == "its best"]
    assert entries == list(BEST.items())
    assert ("adadelta", 1.0, "its paper's") in part.entries(finished)
    figures = part.figures(finished)
    assert all(len(row["test_accuracies"]) == 2 for row in figures["rows"])
    assert [of["mean"] for of in figures["ahead_at_best"].values()] == pytest.approx(
        [0.0, 0.0], abs=1e-12
    )  # all are as good at their best


def test_question_3_asks_for_no_seed_before_the_grid_has_told_which_rate():
    part = Optimizers(SCALE)
    assert {work.settings.seed for work in part.works({})} == {0}
