"""The landscapes: costs and gradients against formulas written by hand, and what is said of their lowest points."""

import re

import numpy as np
import pytest
import tensorflow as tf

from training.views.race.landscapes import FORMULAS, NAMES
from training.views.race.loss_slice import filter_normalised, lowest
from training.workloads.mlp import MLP
from training.workloads.workload import Workload

from ...striped import striped_data
from . import by_hand

formulas = pytest.mark.parametrize("landscape", FORMULAS, ids=lambda landscape: landscape.name)


def points(landscape, count=50):
    low, high = np.array(landscape.bounds).T
    return np.random.default_rng(0).uniform(low, high, (count, 2))


def gradients(landscape, at):
    x = tf.Variable(at)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(landscape.cost(x))
    return tape.gradient(total, x).numpy()


def evaluated(formula, x, y):
    """A formula as it is shown, its definitions after commas first."""
    python = formula.translate(str.maketrans({"−": "-", "·": "*", "²": "**2", "³": "**3", "⁴": "**4", "½": "0.5"}))
    cost, *definitions = re.sub(r"(\d+)°", r"(π/180*\1)", python).split(", ")
    names = {"x": x, "y": y, "π": np.pi, "cos": np.cos, "sin": np.sin}
    for name, value in (one.split(" = ") for one in definitions):
        names[name] = eval(value, names)
    return eval(cost, names)


@formulas
def test_the_formula_shown_is_the_cost_computed(landscape):
    """Would catch a wrong sign, power or constant in the text."""
    at = points(landscape)
    np.testing.assert_allclose(landscape.costs(at), evaluated(landscape.formula, *at.T), rtol=1e-12, atol=1e-11)


@formulas
def test_costs_and_gradients_are_those_written_by_hand(landscape):
    """Ten roundings of 1e-16 in terms up to 1e4; would catch any wrong sign, power or constant."""
    at = points(landscape)
    np.testing.assert_allclose(landscape.costs(at), by_hand.COSTS[landscape.name](*at.T), rtol=1e-12, atol=1e-11)
    expected = np.transpose(by_hand.GRADIENTS[landscape.name](*at.T))
    np.testing.assert_allclose(gradients(landscape, at), expected, rtol=1e-12, atol=1e-11)


def test_the_comparison_by_hand_can_fail():
    """Planted: the valley of 100·(y − x²)² said to be one of 99."""
    at = points(FORMULAS[0])
    wrong = by_hand.COSTS["rosenbrock"](*at.T) - (at[:, 1] - at[:, 0] ** 2) ** 2
    assert np.max(np.abs(FORMULAS[0].costs(at) / wrong - 1)) > 1e-3


@formulas
def test_the_gradients_by_hand_are_differences_of_the_costs_by_hand(landscape):
    """Central differences over 2e-6: they err by their step's square, and by 1e-16 of a cost up to 1e4 over it."""
    x, y = points(landscape).T
    cost, h = by_hand.COSTS[landscape.name], 1e-6
    differences = [(cost(x + h, y) - cost(x - h, y)) / (2 * h), (cost(x, y + h) - cost(x, y - h)) / (2 * h)]
    np.testing.assert_allclose(by_hand.GRADIENTS[landscape.name](x, y), differences, rtol=1e-6, atol=1e-5)


@formulas
def test_the_known_minima_are_all_there_are_in_the_picture(landscape):
    """No point of a dense grid is lower, and those as low are near one. Would catch a minimum that is left out."""
    minima = np.array(landscape.minima)
    np.testing.assert_allclose(landscape.costs(minima), landscape.least, atol=1e-28)
    assert np.max(np.abs(gradients(landscape, minima))) < 1e-12, "four roundings of terms up to 20"
    low, high = np.array(landscape.bounds).T
    assert np.all((low < minima) & (minima < high))
    assert np.all((low < landscape.start) & (landscape.start < high))
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 401).T), axis=-1).reshape(-1, 2)
    costs = landscape.costs(grid)
    assert costs.min() >= landscape.least
    start = float(landscape.costs(np.array(landscape.start)))
    as_low = grid[costs - landscape.least < 3e-5 * (start - landscape.least)]
    distances = np.linalg.norm(as_low[:, np.newaxis] - minima, axis=-1)
    assert np.all(distances.min(axis=1) < 0.2)


def test_the_quadratic_has_its_condition_and_no_axis_of_its_own():
    quadratic = next(landscape for landscape in FORMULAS if landscape.name == "quadratic")
    hessian = gradients(quadratic, np.eye(2))
    assert np.linalg.cond(hessian) == pytest.approx(100)
    assert abs(hessian[0, 1]) > 10


def test_the_saddle_has_no_slope_on_its_ridge_and_starts_just_beside_it():
    saddle = next(landscape for landscape in FORMULAS if landscape.name == "saddle")
    assert gradients(saddle, np.array([[0.0, 0.5], [0.0, 0.0]])).tolist() == [[0.0, 0.5], [0.0, 0.0]]
    assert 0 < saddle.start[0] < 0.01


def forward(weights, images, labels):
    """The mean softmax cross-entropy, in NumPy."""
    hidden = np.maximum(images / 255 @ weights["h1"] + weights["b1"], 0)
    logits = hidden @ weights["ho"] + weights["bo"]
    logits = logits - logits.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels])


def test_the_slice_is_the_loss_of_the_network_at_weights_moved_along_the_directions(network):
    """All weights moved, in NumPy; 1e-6 is float32's rounding of 1/255, which the pixels carry."""
    (pixels, labels), weights, directions, landscape = network
    for x, y in [(0.0, 0.0), (-0.8, 0.7), (0.3, -0.9)]:
        moved = {name: w.astype(float) + x * directions[0][name] + y * directions[1][name]
                 for name, w in weights.items()}  # fmt: skip
        expected = forward(moved, pixels.astype(float), labels.astype(int))
        assert float(landscape.costs(np.array([x, y]))) == pytest.approx(expected, rel=1e-5)
    assert len(labels) == MLP.slice_examples
    assert float(landscape.costs(np.zeros(2))) < 0.05, "the network is trained"


def test_directions_have_each_unit_s_norm_and_leave_biases(network):
    _, weights, directions, _ = network
    for direction in directions:
        for name in ("h1", "ho"):
            np.testing.assert_allclose(
                np.linalg.norm(direction[name], axis=0), np.linalg.norm(weights[name].astype(float), axis=0), rtol=1e-12
            )
        assert not direction["b1"].any()
        assert not direction["bo"].any()
    cosine = np.sum(directions[0]["h1"] * directions[1]["h1"]) / np.sum(directions[0]["h1"] ** 2)
    assert abs(cosine) < 0.1, "two of 12,544 numbers each, drawn apart"
    again = filter_normalised(weights, np.random.default_rng(1))
    assert np.any(again["h1"] != directions[0]["h1"])


def test_the_slice_s_minimum_is_lower_than_all_around_it(network):
    """On rings about it and on a grid; its gradient is by central differences 0 to their error."""
    *_, landscape = network
    minimum, angles = np.array(landscape.minima[0]), np.linspace(0, 2 * np.pi, 12, endpoint=False)
    for radius in (1e-4, 1e-3, 1e-2, 0.1):
        ring = minimum + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        assert landscape.costs(ring).min() > landscape.least
    line = np.linspace(-1, 1, 21)
    assert min(landscape.costs(np.stack([line, np.full(21, y)], axis=-1)).min() for y in line) > landscape.least
    assert np.max(np.abs(gradients(landscape, minimum[np.newaxis]))) < 1e-9


def test_a_lowest_point_off_the_grid_is_found_exactly():
    def cost(x):
        return tf.reduce_sum((x - tf.constant([0.123, -0.456], tf.float64)) ** 2, -1) + 2

    found, least = lowest(cost, cost)
    np.testing.assert_allclose(found, [0.123, -0.456], atol=1e-10)
    assert least == pytest.approx(2)


def test_the_slice_s_cost_takes_any_number_of_points_at_once(network):
    *_, landscape = network
    at = tf.constant(points(landscape, 6).reshape(3, 2, 2))
    one_by_one = [[float(landscape.cost(point)) for point in row] for row in at]
    np.testing.assert_allclose(landscape.cost(at), one_by_one, rtol=1e-12)


@pytest.mark.parametrize("hidden", [(), (3,), (4, 3)], ids=str)
def test_the_perceptron_s_own_way_along_a_plane_is_that_of_every_workload(hidden):
    """Costs and gradients, of as many layers as there may be; every tensor moves, biases too. Would catch a layer that
    is left where it was. 1e-6 is float32's rounding of 1/255, which the pixels of one carry."""
    workload, data = MLP(hidden=hidden), striped_data()
    origin = workload.variables(data, 0)
    directions = [workload.variables(data, seed) for seed in (1, 2)]
    at, found = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 3, 2))), []
    for along in (workload.along, lambda *plane: Workload.along(workload, *plane)):
        with tf.GradientTape() as tape:
            tape.watch(at)
            costs = along(data.test, origin, directions)(at)
        assert costs.shape == (2, 3)
        found.append((costs, tape.gradient(costs, at)))
    for ours, generic in zip(*found, strict=True):
        np.testing.assert_allclose(ours, generic, rtol=1e-5)


def test_filters_of_a_tensor_of_any_rank_are_its_slices_along_the_last_axis():
    """A kernel of 3 × 3 × 2 × 4: four filters of 18 numbers. Would catch norms along the first axes alone."""
    origin = {
        "kernel": np.random.default_rng(0).standard_normal((3, 3, 2, 4)),
        "bias": np.ones(4),
        "scale": np.ones(()),
    }
    direction = filter_normalised(origin, np.random.default_rng(1))
    ours, theirs = (np.sqrt((array**2).sum(axis=(0, 1, 2))) for array in (direction["kernel"], origin["kernel"]))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert not direction["bias"].any()
    assert direction["scale"].shape == ()
    del origin["kernel"]
    direction = filter_normalised(origin, np.random.default_rng(1))
    assert np.linalg.norm(direction["bias"]) == pytest.approx(2), "there is nothing else to move along"
    assert abs(direction["scale"]) == 1


def test_every_landscape_has_a_name_of_its_own():
    assert NAMES == ("rosenbrock", "beale", "himmelblau", "rastrigin", "saddle", "quadratic", "slice")
