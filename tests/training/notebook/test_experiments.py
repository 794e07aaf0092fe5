"""What of an experiment is compared, and what happens where it lies outside the band."""

import pytest

from training.notebook.experiments import Experiment, Resume, orderings
from training.notebook.printed import EXPERIMENTS, RESUMED_COSTS
from training.notebook.scale import FIRST, full, quick

from .outcomes import outcome

SCALE = full(None, None, 0)
SPREAD = (-0.02, -0.01, 0.0, 0.01, 0.02)
"""Relative, around what was printed; the band is then 4.7 % on either side."""


def finished(runs, costs, accuracy, shift=1.0):
    """Outcomes around these figures, shifted by a factor."""
    return {
        run.name: outcome(
            [cost * (shift + SPREAD[i % 5]) for cost in costs],
            [accuracy * (shift + SPREAD[i % 5])] * len(costs),
        )
        for i, run in enumerate(runs)
    }


def all_costs(printed):
    return [*printed.costs, *[0.1] * (30 - len(printed.costs))]


@pytest.mark.parametrize("printed", EXPERIMENTS, ids=lambda printed: printed.name)
def test_figures_around_the_printed_ones_are_inside_and_five_seeds_do(printed):
    part = Experiment(SCALE, printed)
    made = finished(part.runs(SCALE.seeds), all_costs(printed), printed.test_accuracy)
    assert part.works(made) == part.runs((0, 1, 2, 3, 4))
    figures = part.figures(made)
    assert [row["what"] for row in figures["beside"]] == [
        "cost of epoch 1", "cost of epoch 11", "cost of epoch 21", "test accuracy"
    ]  # fmt: skip
    assert all(
        row["outside"] == 0 and row["printed"] == pytest.approx(row["band"]["mean"]) for row in figures["beside"]
    )
    assert figures["again"] == []


def test_what_lies_outside_is_looked_at_again_over_fifteen_seeds():
    """Would catch a figure that is excused, and a second look at figures that need none."""
    part = Experiment(SCALE, FIRST)
    made = finished(part.runs(SCALE.seeds), all_costs(FIRST), FIRST.test_accuracy)
    for run in part.runs(SCALE.seeds):
        made[run.name]["epochs"][10]["cost"] *= 1.1
    assert [work.settings.seed for work in part.works(made)] == list(range(15))
    made = finished(part.runs(range(15)), all_costs(FIRST), FIRST.test_accuracy) | made
    figures = part.figures(made)
    assert [row["what"] for row in figures["again"]] == ["cost of epoch 11"]
    assert len(figures["again"][0]["figures"]) == 15
    assert figures["beside"][1]["outside"] < 0
    assert figures["again"][0]["outside"] == 0


def test_a_resumption_is_compared_epoch_by_epoch_and_needs_the_run_before_it():
    part = Resume(SCALE)
    made = finished(part.runs(SCALE.seeds), RESUMED_COSTS, 0.95)
    works = part.works({})
    assert [work.name for work in works[:2]] == [part.runs([0])[0].before.name, part.runs([0])[0].name]
    rows = part.figures(made)["beside"]
    assert [(row["what"], row["printed"]) for row in rows] == [
        (f"cost of resumed epoch {number}", cost) for number, cost in enumerate(RESUMED_COSTS, start=1)
    ]


def test_fewer_epochs_are_compared_as_far_as_they_go():
    scale = quick(None, None, 0)
    part = Experiment(scale, FIRST)
    made = finished(part.runs(scale.seeds), FIRST.costs[:2], 0.9, shift=2.0)
    assert [row["what"] for row in part.figures(made)["beside"]] == ["cost of epoch 1"]
    assert part.works(made) == part.runs(scale.seeds)  # two seeds tell nothing that would be worth a second look
    assert Resume(scale).rows([]) == []


def test_orderings_are_paired_by_seed():
    experiments = {
        "adam-lr-0.005": {"test_accuracies": [0.97, 0.96, 0.98]},
        "adam": {"test_accuracies": [0.96, 0.95, 0.99]},
        "adam-batch-200": {"test_accuracies": [0.90, 0.90, 0.90]},
    }
    first, second = orderings(experiments)
    assert (first["better"], first["worse"], first["seeds_that_agree"], first["seeds"]) == (
        "adam-lr-0.005", "adam", 2, 3
    )  # fmt: skip
    assert first["printed"] == pytest.approx(0.9671 - 0.9526, abs=1e-6)  # float32, as it was printed
    assert first["difference"]["mean"] == pytest.approx(0.01 / 3)
    assert (second["better"], second["worse"]) == ("adam", "adam-batch-200")
