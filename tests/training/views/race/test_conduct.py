"""The race itself: that known minima are reached, and that every rule has the same terms."""

import numpy as np
import pytest

from core import Adam, AdamW, InputError, around, schedules
from training.runs.small import small
from training.views.race.conduct import NEAR, Terms, budget, made, race, results, trajectories
from training.views.race.contestants import contestants
from training.views.race.landscapes import FORMULAS
from training.views.race.tuning import threshold

MLP = small("mlp", {})
NOBODY = lambda piece: None  # noqa: E731


@pytest.mark.parametrize("name", [landscape.name for landscape in FORMULAS])
def test_a_rule_reaches_a_known_minimum_of_each_formula(name):
    """Adagrad by the command's own steps and rates; all four rules: pytest -m whole tests/training/views/race."""
    only = {"adagrad": contestants(["adagrad"])["adagrad"]}
    outcome = race(made(name, MLP), only, Terms(), NOBODY).outcomes["adagrad"]
    assert np.isfinite(outcome.steps[0])
    assert outcome.cost[-1, 0] <= threshold(made(name, MLP))
    assert outcome.distance[0] < 0.05


def test_a_rule_reaches_the_minimum_of_a_network_s_slice(slice_race):
    """From two starts, through noise, by sixty steps."""
    outcome = slice_race.outcomes["sgd"]
    assert np.isfinite(outcome.steps).all()
    assert np.all(outcome.distance < 0.05)


@pytest.mark.whole
@pytest.mark.parametrize("rule", ["adam", "adagrad", "adadelta", "sgd"])
def test_every_rule_arrives_where_it_can(rule):
    """By the command's own steps and rates; those that do not arrive are no worse than they were."""
    stay_out = {"adam": {"rastrigin"}, "adagrad": set(), "adadelta": {"rosenbrock", "rastrigin"},
                "sgd": {"rosenbrock", "rastrigin"}}[rule]  # fmt: skip
    outcomes = {
        one.name: race(one, {rule: contestants([rule])[rule]}, Terms(), NOBODY).outcomes[rule] for one in FORMULAS
    }
    assert {name for name, outcome in outcomes.items() if np.isnan(outcome.steps[0])} == stay_out


def test_a_rule_that_cannot_arrive_does_not():
    """Would catch a tolerance that everything meets: plain SGD in twenty steps down Rosenbrock's valley."""
    outcome = race(made("rosenbrock", MLP), contestants(["sgd"]), Terms(steps=20, rates=5), NOBODY).outcomes["sgd"]
    assert np.isnan(outcome.steps[0])
    assert outcome.cost[-1, 0] > threshold(made("rosenbrock", MLP))


def test_every_rule_has_as_many_runs_as_the_sentence_says():
    terms = Terms(steps=10, rates=4, starts=3)
    found = results([race(made("saddle", MLP), contestants(["adam"]), terms, NOBODY)], terms)
    rules = found["landscapes"]["saddle"]["rules"]
    assert list(rules) == ["adam", "sgd"], "plain SGD runs always"
    assert [(rule["runs"], len(rule["tried"])) for rule in rules.values()] == [(24, 8), (24, 8)]
    assert "the same 24 runs of 10 steps, as many from each of 3 starts: at 4 learning rates" in budget(terms)


def test_further_starts_and_noise_are_the_seed_s_and_shared():
    one, other = Terms(steps=50, starts=40, noise=0.5, seed=1), Terms(steps=50, starts=40, noise=0.5, seed=2)
    landscape = made("beale", MLP)
    starts = one.drawn_starts(landscape)
    assert starts[0].tolist() == list(landscape.start)
    assert np.all(np.std(starts, axis=0) / NEAR / [5.0, 3.25] == pytest.approx(1, abs=0.3))
    np.testing.assert_array_equal(starts, one.drawn_starts(landscape))
    assert np.all(starts[1:] != other.drawn_starts(landscape)[1:])
    assert one.drawn_noise().shape == (50, 2)
    assert one.drawn_noise().std() == pytest.approx(0.5, rel=0.3)
    assert np.all(one.drawn_noise() != other.drawn_noise())
    assert not Terms().drawn_noise().any()


def test_ways_begin_at_the_starts_and_have_the_tuned_rate():
    terms = Terms(steps=5, rates=2, starts=2)
    one = race(made("quadratic", MLP), contestants(["sgd"]), terms, NOBODY)
    ways = trajectories([one])
    assert {name: array.shape for name, array in ways.items()} == {
        "quadratic/sgd/x": (6, 2, 2), "quadratic/sgd/cost": (6, 2),
    }  # fmt: skip
    np.testing.assert_array_equal(ways["quadratic/sgd/x"][0], terms.drawn_starts(one.landscape))
    rate = results([one], terms)["landscapes"]["quadratic"]["rules"]["sgd"]["rate"]
    hessian = np.array([[0.75 + 25, -99 * np.sqrt(3) / 4], [-99 * np.sqrt(3) / 4, 0.25 + 75]])
    first = ways["quadratic/sgd/x"][0] @ (np.eye(2) - rate * hessian)
    np.testing.assert_allclose(ways["quadratic/sgd/x"][1], first, rtol=1e-12)


def test_contestants_are_who_was_named_and_plain_sgd():
    assert list(contestants(["adam:keras", "adagrad"])) == ["adam:keras", "adagrad", "sgd"]
    assert list(contestants(["sgd:torch", "adam"])) == ["sgd:torch", "adam"]
    assert contestants(["adam:keras"])["adam:keras"](0.5).epsilon_form == "epsilon-hat"
    given = {"clip_value": 1.0, "weight_decay": "constant:0.1"}
    decay = schedules.parse("constant:0.1")
    found = contestants(["adam:keras", "adamw"], given)
    assert list(found) == ["adam:keras", "adamw", "sgd"]
    assert found["adam:keras"](0.5) == around(
        Adam.dialect("keras", learning_rate=0.5), "keras", clip_value=1.0, weight_decay=decay
    )
    assert found["adamw"](0.5) == around(AdamW.dialect("paper", learning_rate=0.5, weight_decay=decay), clip_value=1.0)
    with pytest.raises(InputError, match="has no dialect 'caffe'"):
        contestants(["adam:caffe"])
