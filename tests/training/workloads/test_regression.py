"""The regression: the table, least squares in closed form, a perceptron against PyTorch, its Keras model."""

import numpy as np
import pytest
import tensorflow as tf
import torch
from sklearn.datasets import load_diabetes

from core import Optimizer, Program
from core.rules import Nesterov
from training.workloads.perceptron import products
from training.workloads.regression import TABLE, Regression

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

DATA = Regression().data(0)


def test_the_table_is_the_published_one():
    published = load_diabetes(scaled=False)
    table = np.loadtxt(TABLE, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table, np.column_stack([published.data, published.target]))


def test_rows_are_standardised_by_those_that_are_trained_on():
    """Would catch a mean of all rows, by which the test rows would be known."""
    rows, targets = DATA.train
    np.testing.assert_allclose([*rows.mean(axis=0), targets.mean()], 0, atol=1e-5)
    np.testing.assert_allclose([*rows.std(axis=0), targets.std()], 1, atol=1e-5)
    assert [len(split[0]) for split in DATA.splits.values()] == [352, 45, 45]
    assert abs(DATA.test[0].mean(axis=0)).max() > 0.02


def test_training_comes_to_least_squares_in_closed_form():
    """By full batches in float64 and Nesterov's method; would catch a cost or gradient that leads elsewhere."""
    rows, targets = (array.astype(float) for array in DATA.train)
    exact, (least, *_), *_ = np.linalg.lstsq(np.column_stack([rows, np.ones(len(rows))]), targets, rcond=None)
    workload = Regression()
    variables = {name: tf.Variable(value.astype(float)) for name, value in workload.variables(DATA, 1).items()}
    program = Program(workload.cost, variables, Optimizer(Nesterov(0.1, 0.95), variables))
    costs = program.run([tf.constant(rows), tf.constant(targets)], np.tile(np.arange(len(rows)), (3_000, 1)))
    assert costs[-1].numpy() == pytest.approx(least / len(rows), rel=1e-9)
    found = np.concatenate([variables["ho"].numpy()[:, 0], variables["bo"].numpy()])
    np.testing.assert_allclose(found, exact, atol=1e-6)
    assert 0.4 < least / len(rows) < 0.6, "R² of about a half, as on the whole table"


def in_torch(values, rows, targets):
    x = rows.double()
    for layer in range(1, len(values) // 2):
        x = (x @ values[f"h{layer}"] + values[f"b{layer}"]).relu()
    return torch.nn.functional.mse_loss((x @ values["ho"] + values["bo"])[:, 0], targets.double())


@pytest.mark.parametrize("hidden", [(), (4, 3)])
def test_cost_and_gradients_are_those_of_pytorch(hidden):
    """Would catch estimates [rows, 1] that broadcast against targets [rows]."""
    workload, batch = Regression(hidden=hidden), [array[:9] for array in DATA.train]
    values = in_float64(workload.variables(DATA, seed=1))
    assert_same_cost_and_gradients(workload, values, batch, in_torch)
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(workload, values, batch, lambda *all: in_torch(*all) / 2)


def test_a_keras_model_of_keras_s_own_layers_says_the_same():
    workload = Regression(hidden=(4, 3))
    model = assert_keras_is_the_same(workload, workload.variables(DATA, seed=1), DATA.test[0])
    assert [layer.name for layer in model.layers if layer.weights] == ["h1", "h2", "ho"]
    assert workload.products(DATA) == products([10, 4, 3, 1])
