"""How learning rates are tuned and runs judged."""

import numpy as np
import pytest

from training.views.race.contestants import contestants
from training.views.race.heat import Heat, Runs
from training.views.race.landscapes import FORMULAS
from training.views.race.tuning import HIGHEST, LOWEST, WITHIN, arrivals, ranks, threshold, tuned

ROSENBROCK, QUADRATIC = FORMULAS[0], FORMULAS[-1]
THERE, AWAY, LOST = 0.5 * 24.2 * WITHIN, 1.0, np.nan


def test_a_run_has_arrived_when_it_stays():
    """Would catch the first time that a run passes by, and a run that is lost."""
    assert threshold(ROSENBROCK) == pytest.approx(24.2 * WITHIN)
    costs = np.transpose([
        [AWAY, AWAY, THERE, THERE], [AWAY, THERE, AWAY, THERE], [AWAY, THERE, THERE, AWAY], [AWAY, THERE, THERE, LOST],
        [THERE, THERE, THERE, THERE], [AWAY, AWAY, AWAY, AWAY],
    ])  # fmt: skip
    np.testing.assert_array_equal(arrivals(costs, ROSENBROCK), [2, 3, np.nan, np.nan, 0, np.nan])


def test_more_arrivals_are_better_then_earlier_ones_then_lower_ends_and_lost_runs_are_last():
    runs = {
        "lost": [[AWAY] * 4, [AWAY, THERE, LOST, LOST]],
        "one arrives": [[AWAY, THERE, THERE, THERE], [AWAY] * 4],
        "both, late": [[AWAY, AWAY, AWAY, THERE], [AWAY, AWAY, AWAY, THERE]],
        "none, lower": [[AWAY, AWAY, AWAY, 0.5], [AWAY] * 4],
        "both, early": [[AWAY, AWAY, AWAY, THERE], [AWAY, THERE, THERE, THERE]],
        "none": [[AWAY] * 4, [AWAY] * 4],
    }
    cost = np.moveaxis(np.array(list(runs.values())), 2, 0)
    order = np.argsort(ranks(Runs(np.zeros((*cost.shape, 2)), cost), ROSENBROCK))
    assert [list(runs)[place] for place in order] == [
        "both, early", "both, late", "one arrives", "none, lower", "none", "lost",
    ]  # fmt: skip


class Counted(Heat):
    """Counts what is run."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = []

    def run(self, rates, amount=None):
        self.asked.append(rates)
        return super().run(rates, amount)


@pytest.mark.parametrize("rule", contestants(["adam"]))
def test_every_rule_gets_the_same_grid_and_as_many_around_its_best(rule):
    heat = Counted(QUADRATIC, contestants([rule])[rule], np.array([QUADRATIC.start]), 8, np.zeros((60, 2)))
    outcome = tuned(heat, QUADRATIC, 8)
    coarse, fine = heat.asked
    np.testing.assert_allclose(coarse, np.geomspace(LOWEST, HIGHEST, 8))
    assert len(fine) == 8
    assert len(outcome.tried) == 16
    assert np.all(np.diff(outcome.tried) > 0)
    again = heat.run(coarse)
    best = int(np.argmin(ranks(again, QUADRATIC)))
    assert coarse[best - 1] < fine[0] < coarse[best] < fine[-1] < coarse[best + 1]
    own = heat.run(np.full(8, outcome.rate))
    np.testing.assert_array_equal(own.x[:, 0], outcome.x)
    finals = np.nan_to_num(outcome.finals, nan=np.inf)
    if outcome.arrived.max() == 0:
        assert outcome.cost[-1].mean() == finals.min()
    assert outcome.arrived[outcome.tried == outcome.rate] == outcome.arrived.max()
    assert outcome.distance == pytest.approx(np.linalg.norm(outcome.x[-1], axis=-1))


def test_sgd_s_best_rate_on_the_quadratic_is_the_one_that_theory_gives():
    """α = 2/(L + μ) shrinks the error fastest, by (κ − 1)/(κ + 1) a step (Polyak, "Introduction to Optimization",
    1987, section 1.4): 2/101. Where it starts, the axes weigh unequally, so within a tenth; and at 2/100 and above it
    goes away. Would catch a rate that is not the one that ran.
    """
    heat = Heat(QUADRATIC, contestants(["sgd"])["sgd"], np.array([QUADRATIC.start]), 30, np.zeros((400, 2)))
    outcome = tuned(heat, QUADRATIC, 30)
    assert outcome.rate == pytest.approx(2 / 101, rel=0.1)
    assert outcome.arrived[outcome.tried > 0.0201].sum() == 0
    # Until the slow axis is down to the tolerance: ½·u² against 1e-4 of the start's 264.8.
    u = np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)]) @ QUADRATIC.start
    steps = np.log(np.sqrt(2 * threshold(QUADRATIC)) / abs(u)) / np.log(1 - outcome.rate)
    assert outcome.steps[0] == pytest.approx(steps, abs=12)


def test_a_number_of_a_piece_is_tuned_beside_the_learning_rate():
    """Would catch an amount that the compiled program does not read, and a best one that is another's."""
    start, noise, amounts = np.array([QUADRATIC.start]), np.zeros((60, 2)), [1e-3, 10.0]
    both = tuned(Heat(QUADRATIC, contestants(["adam"], {"clip_value": 1.0}, "clip_value")["adam"], start, 4, noise),
                 QUADRATIC, 4, amounts)  # fmt: skip
    alone = [
        tuned(Heat(QUADRATIC, contestants([f"adam,clip_value={amount}"])[f"adam,clip_value={amount}"], start, 4, noise),
              QUADRATIC, 4)
        for amount in amounts
    ]  # fmt: skip
    assert len(both.tried) == len(both.amounts) == 12
    assert {*both.amounts} == {*amounts}
    best = amounts.index(both.amount)
    assert alone[0].cost[-1] != alone[1].cost[-1], "the limit decides"
    assert both.rate == alone[best].rate
    np.testing.assert_allclose(both.cost, alone[best].cost, rtol=1e-9)
