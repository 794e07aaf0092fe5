"""Runs along the leading axis: against a run in NumPy by hand, and that none knows of the others."""

import numpy as np
import pytest

from training.views.race.contestants import contestants
from training.views.race.heat import Heat
from training.views.race.landscapes import FORMULAS

from . import by_hand

LANDSCAPES = {landscape.name: landscape for landscape in FORMULAS}
STEPS = 150
QUIET = np.zeros((STEPS, 2))
NOISE = 0.1 * np.random.default_rng(0).standard_normal((STEPS, 2))
RATES = {"adam": 0.1, "adagrad": 0.5, "adadelta": 1.0, "sgd": 0.002}
"""At which each rule comes down without a leap, so that roundings are not blown up."""


def heat(rule, landscape, starts=None, rates=1, noise=QUIET, around=None):
    landscape = LANDSCAPES[landscape]
    starts = np.array([landscape.start] if starts is None else starts)
    return Heat(landscape, contestants([rule], around)[rule], starts, rates, noise)


def distance(rule, name, noise, step):
    """How far a run by hand, with a step of its own, ends up from ours at most, over all steps."""
    ours = heat(rule, name, noise=noise).run(np.array([RATES[rule]])).x[:, 0, 0]
    theirs = by_hand.run(name, step, LANDSCAPES[name].start, noise)
    return np.max(np.abs(ours - theirs))


@pytest.mark.parametrize(("rule", "name"), [
    ("adam", "rosenbrock"), ("adagrad", "beale"), ("adadelta", "rastrigin"), ("sgd", "himmelblau"),
    ("adam", "saddle"), ("adagrad", "quadratic"),
])  # fmt: skip
def test_a_run_goes_where_one_in_numpy_by_hand_goes(rule, name):
    """Rule, cost and gradient of another hand, with noise: 150 roundings of 1e-16, blown up a thousandfold at most.

    Would catch gradients that mix, noise that is added twice or a step late, and t counted from 0.
    """
    assert distance(rule, name, NOISE, by_hand.RULES[rule](RATES[rule])) < 1e-10


@pytest.mark.parametrize(("rule", "wrong"), [
    ("adam", by_hand.adam(RATES["adam"], epsilon=1e-7)),
    ("adagrad", by_hand.adagrad(RATES["adagrad"], delta=1e-7)),
    ("adadelta", by_hand.adadelta(RATES["adadelta"], rho=0.949)),
    ("sgd", by_hand.sgd(RATES["sgd"] * (1 + 1e-6))),
])  # fmt: skip
def test_the_comparison_by_hand_sees_a_wrong_constant(rule, wrong):
    """Planted: Keras's ε for the paper's, an ε a thousand times as large, another ρ, a rate a millionth off."""
    assert distance(rule, "himmelblau" if rule == "sgd" else "beale", QUIET, wrong) > 1e-9


@pytest.mark.parametrize("rule", RATES)
def test_a_run_alone_has_the_bits_of_itself_among_others(rule):
    """Starts and rates beside it do not touch it, whether XLA computes it in a vector or by itself."""
    starts, rates = [(-1.2, 1.0), (0.5, 0.5), (1.5, -0.5)], np.geomspace(0.1, 1, 4) * RATES[rule]
    together = heat(rule, "rosenbrock", starts, len(rates), NOISE).run(rates)
    assert together.x.shape == (STEPS + 1, 4, 3, 2)
    assert together.cost.shape == (STEPS + 1, 4, 3)
    alone = heat(rule, "rosenbrock", starts[1:2], 1, NOISE)
    for rate in range(len(rates)):
        run = alone.run(rates[rate : rate + 1])
        np.testing.assert_array_equal(run.x[:, 0, 0], together.x[:, rate, 1])
        np.testing.assert_array_equal(run.cost[:, 0, 0], together.cost[:, rate, 1])


def test_a_run_that_is_lost_leaves_the_others_as_they_are():
    """SGD at a rate of 1 is at 1e300 within six steps of Rosenbrock's valley, and then no number."""
    rates = np.array([1.0, 0.002, 10.0])
    runs = heat("sgd", "rosenbrock", rates=3).run(rates)
    alone = heat("sgd", "rosenbrock").run(rates[1:2])
    assert not np.isfinite(runs.cost[-1, [0, 2]]).any()
    np.testing.assert_array_equal(runs.x[:, 1], alone.x[:, 0])


def test_the_same_heat_runs_again_from_the_beginning():
    """Would catch a slot, a step counter or a position that is kept, and rates that were compiled in."""
    one = heat("adam", "beale", rates=2)
    first = one.run(np.array([0.1, 0.2]))
    other = one.run(np.array([0.2, 0.3]))
    again = one.run(np.array([0.1, 0.2]))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.x[:, 1], other.x[:, 0])
    assert one._program.trace_count == 1


def test_costs_are_those_of_the_points_without_noise():
    runs = heat("sgd", "himmelblau", [(0.0, 0.0), (1.0, 1.0)], 2, NOISE).run(np.array([0.002, 0.01]))
    np.testing.assert_allclose(
        runs.cost, by_hand.COSTS["himmelblau"](runs.x[..., 0], runs.x[..., 1]), rtol=1e-12, atol=1e-14
    )
    assert runs.x[0].tolist() == [[[0, 0], [1, 1]]] * 2


def test_noise_is_shared_by_all_runs_and_rules():
    """SGD far down in the quadratic: what it moves beside the exact gradient's step is the noise, the same for all."""
    starts, rate = [(0.0, 0.0), (0.5, -0.5)], 1e-3
    runs = heat("sgd", "quadratic", starts, 2, NOISE).run(np.array([rate, 2 * rate]))
    gradients = np.stack(by_hand.GRADIENTS["quadratic"](runs.x[:-1, ..., 0], runs.x[:-1, ..., 1]), axis=-1)
    rates = np.array([rate, 2 * rate])[:, np.newaxis, np.newaxis]
    felt = -np.diff(runs.x, axis=0) / rates - gradients
    np.testing.assert_allclose(felt, np.broadcast_to(NOISE[:, np.newaxis, np.newaxis], felt.shape), atol=1e-10)


def test_a_schedule_multiplies_every_run_s_own_rate():
    """Halves are exact: with them each run goes where one at half its rate goes, to the bit."""
    rates, given = np.array([0.001, 0.002]), {"schedule": "piecewise:0.5,30=0.5", "clip_value": 5.0, "l2": 0.1}
    halved = heat("adam", "beale", rates=2, around=given).run(rates)
    plain = heat("adam", "beale", rates=2, around={"clip_value": 5.0, "l2": 0.1}).run(rates / 2)
    np.testing.assert_array_equal(halved.x, plain.x)
    assert not np.array_equal(plain.x, heat("adam", "beale", rates=2).run(rates / 2).x)
