"""The autoencoder: its cost and gradients against PyTorch, its squared error, its Keras model, its products."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from core import InputError
from training.workloads.autoencoder import Autoencoder
from training.workloads.workload import Data

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64, torch_pixels

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SMALL = Autoencoder(units=(7, 5, 2), init="glorot")
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16)).astype(np.uint8)
DATA = Data((IMAGES,), (IMAGES,), (IMAGES,))
BETWEEN = {3: lambda x: x}
"""The code is linear."""


def in_torch(values, images, between=BETWEEN):
    pixels = x = torch_pixels(images)
    for layer in range(1, len(values) // 2):
        x = between.get(layer, torch.sigmoid)(x @ values[f"h{layer}"] + values[f"b{layer}"])
    logits = x @ values["ho"] + values["bo"]
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, pixels, reduction="sum") / len(images)


def test_cost_and_gradients_are_those_of_pytorch():
    """Would catch a code that is logistic, a layer too many, a mean over pixels for a sum."""
    values = in_float64(SMALL.variables(DATA, seed=1))
    assert_same_cost_and_gradients(SMALL, values, DATA.train, in_torch)
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(SMALL, values, DATA.train, lambda *all: in_torch(*all, between={}))


def test_the_squared_error_is_summed_over_pixels_and_the_mean_of_images():
    """As the literature reports it; would catch a mean over pixels, 784 times less on MNIST."""
    values = in_float64(SMALL.variables(DATA, seed=1))
    found = SMALL.outputs(values, tf.constant(IMAGES))
    expected = ((found["reconstructions"] - IMAGES / 255) ** 2).numpy().sum(axis=1).mean()
    assert SMALL.metrics(values, tf.constant(IMAGES))["squared_error"].numpy() == pytest.approx(expected, rel=1e-6)
    assert found["codes"].shape == (6, 2)


def test_a_keras_model_of_keras_s_own_layers_says_the_same():
    model = assert_keras_is_the_same(SMALL, SMALL.variables(DATA, seed=1), IMAGES)
    assert [layer.name for layer in model.layers if layer.weights] == ["h1", "h2", "h3", "h4", "h5", "ho"]


def test_products_are_counted_by_hand():
    """784·1000 + 1000·500 + 500·250 + 250·30, and as many back: 2,833,000 multiplications of one image of MNIST's."""
    data = Autoencoder().data(0)
    counted = Autoencoder().products(data)
    assert [one.multiplications for one in counted] == [
        784_000,
        500_000,
        125_000,
        7_500,
        7_500,
        125_000,
        500_000,
        784_000,
    ]
    assert data.kind == "uint8 [784]"
    assert Autoencoder().title(data) == "784-1000-500-250-30-250-500-1000-784"


def test_an_autoencoder_without_a_code_is_refused():
    with pytest.raises(InputError, match="needs at least the layer of its code"):
        Autoencoder(units=()).variables(DATA, 0)
