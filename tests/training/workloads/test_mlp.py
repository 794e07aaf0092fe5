"""The perceptron: its cost and gradients against PyTorch, its Keras model, its products."""

import numpy as np
import pytest
import torch

from training.workloads.data import Split
from training.workloads.mlp import MLP
from training.workloads.work import Product
from training.workloads.workload import Data

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64, torch_pixels

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

HIDDEN = {"no hidden layer": (), "one": (8,), "three of one size": (7, 7, 7)}


def pictures(pixels=16, size=6, classes=3):
    images = np.random.default_rng(0).integers(0, 256, (size, pixels)).astype(np.uint8)
    split = Split(images, np.arange(size).astype(np.uint8) % classes)
    return Data(split, split, split)


def in_torch(values, images, labels, relu=torch.relu):
    x = torch_pixels(images)
    for layer in range(1, len(values) // 2):
        x = relu(x @ values[f"h{layer}"] + values[f"b{layer}"])
    return torch.nn.functional.cross_entropy(x @ values["ho"] + values["bo"], labels.long())


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_cost_and_gradients_are_those_of_pytorch(hidden):
    """Would catch a ReLU too many or too few, and grey levels divided by 256."""
    workload, data = MLP(hidden=hidden, init="he"), pictures()
    values = in_float64(workload.variables(data, seed=1))
    assert_same_cost_and_gradients(workload, values, data.train, in_torch)
    if hidden:
        with pytest.raises(AssertionError):
            assert_same_cost_and_gradients(workload, values, data.train, lambda *all: in_torch(*all, relu=torch.abs))


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_keras_model_of_keras_s_own_layers_says_the_same(hidden):
    """Would catch weights in the wrong layer, a scale left out, float32 for float64, a model that goes on changing."""
    workload, data = MLP(hidden=hidden, init="he"), pictures()
    values = workload.variables(data, seed=1)
    model = assert_keras_is_the_same(workload, values, data.train[0])
    assert [layer.name for layer in model.layers if layer.weights] == [name for name in values if name[0] == "h"]


def test_the_comparison_with_keras_sees_exchanged_biases(monkeypatch):
    workload, data = MLP(hidden=(7, 7), init="he"), pictures()
    right = workload.keras

    def wrong(self, variables, inputs):
        return right({**variables, "b1": variables["b2"], "b2": variables["b1"]}, inputs)

    monkeypatch.setattr(MLP, "keras", wrong)
    with pytest.raises(AssertionError, match="Not equal"):
        assert_keras_is_the_same(workload, workload.variables(data, seed=1), data.train[0])


def test_products_are_counted_by_hand():
    data = pictures(pixels=784, size=20, classes=10)
    assert MLP().products(data) == [
        Product(200_704, 200_704, 256, first=True), Product(65_536, 65_536, 256), Product(2_560, 2_560, 10)
    ]  # fmt: skip
    assert MLP().title(data) == "784-256-256-10"
