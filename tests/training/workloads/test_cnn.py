"""The convolutional network: its cost and gradients against PyTorch, its Keras model, its products, what it refuses."""

import numpy as np
import pytest
import torch

from core import InputError
from training.workloads.cnn import CNN
from training.workloads.data import Split
from training.workloads.work import Product
from training.workloads.workload import Data

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64, torch_pixels

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SHAPES = {"grey": (9, 6), "colour": (8, 7, 3)}


def pictures(shape, size=5, classes=4):
    images = np.random.default_rng(0).integers(0, 256, (size, *shape)).astype(np.uint8)
    split = Split(images, np.arange(size).astype(np.uint8) % classes)
    return Data(split, split, split)


def in_torch(values, images, labels, padding=1):
    x = torch_pixels(images if images.ndim == 4 else images[..., None]).permute(0, 3, 1, 2)
    for layer in range(1, len(values) // 2):
        kernel = values[f"k{layer}"].permute(3, 2, 0, 1)
        x = torch.nn.functional.pad(x, [padding, 2 - padding] * 2)
        x = torch.nn.functional.conv2d(x, kernel, values[f"b{layer}"]).relu()
        x = torch.nn.functional.max_pool2d(x, 2)
    flat = x.permute(0, 2, 3, 1).flatten(1)
    return torch.nn.functional.cross_entropy(flat @ values["ho"] + values["bo"], labels.long())


@pytest.mark.parametrize("channels", [(3,), (3, 4)])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_cost_and_gradients_are_those_of_pytorch(shape, channels):
    """Would catch zeros on one side only, a pooling with another border, a ReLU left out, colours in another order."""
    workload, data = CNN(channels=channels), pictures(shape)
    values = in_float64(workload.variables(data, seed=1))
    assert_same_cost_and_gradients(workload, values, data.train, in_torch)
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(workload, values, data.train, lambda *all: in_torch(*all, padding=2))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_keras_model_of_keras_s_own_layers_says_the_same(shape):
    """Would catch grey levels from 0 to 255, another padding, and a model that Keras alone cannot load."""
    workload, data = CNN(channels=(3, 4)), pictures(shape)
    model = assert_keras_is_the_same(workload, workload.variables(data, seed=1), data.train[0])
    assert [layer.name for layer in model.layers if layer.weights] == ["k1", "k2", "ho"]


def test_products_are_counted_by_hand():
    """28·28·9·1·16, 14·14·9·16·32 and 7·7·32·10 multiplications of one image of MNIST's size."""
    data = pictures((28, 28), size=20, classes=10)
    assert CNN().products(data) == [
        Product(112_896, 144, 12_544, first=True), Product(903_168, 4_608, 6_272), Product(15_680, 15_680, 10)
    ]  # fmt: skip
    assert CNN().title(data) == "28×28×1-3×3×16-3×3×32-10"
    assert sum(value.size for value in CNN().variables(data, 0).values()) == 144 + 16 + 4_608 + 32 + 15_680 + 10


def test_the_package_s_images_keep_their_rows():
    """Would catch rows and columns exchanged: the left quarter of MNIST's images is darker than the middle."""
    data = CNN().data(0)
    assert data.kind == "uint8 [28, 28], uint8 []"
    assert {name: len(images) for name, (images, _) in data.splits.items()} == {
        "train": 55_000, "validation": 5_000, "test": 10_000
    }  # fmt: skip
    tall = [
        np.ptp(np.nonzero(one.any(axis=1))[0]) > np.ptp(np.nonzero(one.any(axis=0))[0]) for one in data.test[0][:99]
    ]
    assert np.mean(tall) > 0.7, "digits are taller than wide"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(channels=(2, 2, 2)), "Images of 9×6 pixels are too small for 3 convolutions"),
        (dict(channels=(0,)), r"at least one channel, found \[0\]"),
        (dict(channels=()), "at least one channel"),
        (dict(channels=(1 << 20, 1 << 20)), r"parameters; 2,147,483,647 are the most"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        CNN(**settings).variables(pictures((9, 6)), 0)


def test_images_of_one_row_are_refused():
    with pytest.raises(InputError, match="Images of 1×6 pixels are too small for 1 convolution, each of which halves"):
        CNN(channels=(2,)).variables(pictures((1, 6)), 0)
