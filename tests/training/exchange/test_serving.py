"""What leaves the house, read back: networks of any depth, images of any size and number; and paths that cannot be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.serving import (
    SIGNATURE,
    ServedModel,
    check_keras_file,
    check_saved_model,
    keras_file,
    write_saved_model,
)
from training.workloads.mlp import MLP
from training.workloads.perceptron import new_weights

from ..disk import files_no_larger_than
from ..predictions import assert_same

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

NETWORKS = {"no hidden layer": [16, 3], "one": [9, 8, 4], "three": [100, 7, 7, 5, 2], "MNIST's": [784, 32, 10]}


def of(weights):
    """The arguments of both exports."""
    pixels = weights["h1" if "h1" in weights else "ho"].shape[0]
    return MLP(), weights, tf.TensorSpec([None, pixels], tf.uint8, "images")


def grey_levels(weights, size):
    pixels = next(iter(weights.values())).shape[0]
    return np.random.default_rng(0).integers(0, 256, (size, pixels)).astype(np.uint8)


@pytest.fixture(scope="module", params=NETWORKS.values(), ids=NETWORKS)
def weights(request):
    return new_weights(request.param, "normal" if len(request.param) < 4 else "he")


@pytest.mark.parametrize("size", [0, 1, 200])
def test_a_saved_model_says_what_rawstep_says(tmp_path, weights, size):
    """Would catch a signature of one batch size, of MNIST's pixels alone, and weights in the wrong layer."""
    write_saved_model(tmp_path / "served", ServedModel(*of(weights)))
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    images = grey_levels(weights, size)
    for found in (loaded(images), loaded.signatures[SIGNATURE](images=tf.constant(images))):
        assert_same({name: value.numpy() for name, value in found.items()}, weights, images)
    for name, variable in weights.items():
        np.testing.assert_array_equal(loaded.weights[name], variable, strict=True)


def test_a_keras_file_says_what_rawstep_says(tmp_path, weights):
    """Would catch a scale of pixels that is not unit_pixels' own."""
    (tmp_path / "model.keras").write_bytes(keras_file(*of(weights)))
    model = keras.models.load_model(tmp_path / "model.keras")
    images = grey_levels(weights, 200)
    probabilities = model.predict(images, verbose=0)
    assert_same({"probabilities": probabilities, "classes": probabilities.argmax(axis=1)}, weights, images)
    for held, variable in zip(model.get_weights(), in_order(weights), strict=True):
        np.testing.assert_array_equal(held, variable, strict=True)


def in_order(weights):
    labels = [*range(1, len(weights) // 2), "o"]
    return [weights[f"{kind}{label}"] for label in labels for kind in "hb"]


def test_a_signature_refuses_images_of_another_width_or_dtype(tmp_path):
    """By TensorFlow's own means. Would catch a signature of any shape, or one that takes numbers from 0 to 1."""
    write_saved_model(tmp_path / "served", ServedModel(*of(new_weights([16, 8, 3]))))
    loaded, images = tf.saved_model.load(str(tmp_path / "served")), tf.zeros([5, 16], tf.uint8)
    for wrong in (images[:, 1:], images[0], tf.cast(images, tf.float32)):
        with pytest.raises(ValueError, match="Could not find matching concrete function"):
            loaded(wrong)
        with pytest.raises(tf.errors.InvalidArgumentError):
            loaded.signatures[SIGNATURE](images=wrong)


def test_a_served_model_holds_copies():
    """Would catch one that goes on changing while the network is trained further."""
    weights = new_weights([16, 8, 3])
    model, images = ServedModel(*of(weights)), tf.constant(grey_levels(weights, 5))
    before = model(images)["probabilities"]
    weights["bo"].assign([100.0, 0.0, 0.0])
    np.testing.assert_array_equal(model(images)["probabilities"], before)


@pytest.mark.parametrize("name", ["sp ace", "a*b?", "{x}", "ünï", "%d", "deeper/and/deeper", "n" * 255])
def test_odd_names_are_names(tmp_path, name):
    check_saved_model(tmp_path / name)
    write_saved_model(tmp_path / name, ServedModel(*of(new_weights([4, 2]))))
    assert tf.saved_model.load(str(tmp_path / name)).weights.keys() == {"ho", "bo"}
    assert not list(tmp_path.rglob(".rawstep*")), "the folder's first name is gone"


@pytest.mark.parametrize("name", ["a[b]", "a\\b", "\udcff"])
def test_names_that_tensorflow_cannot_read_or_write_are_refused_beforehand(tmp_path, name):
    with pytest.raises(InputError, match=r"which TensorFlow takes for a pattern|the name is no UTF-8"):
        check_saved_model(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.h5", "model", "keras", "model.keras.zip", "model.KERAS"])
def test_keras_reads_only_files_that_end_in_keras(tmp_path, name):
    with pytest.raises(InputError, match=f"{name} must end in .keras"):
        check_keras_file(tmp_path / name)


def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(tmp_path):
    """Would catch a folder called DIR before it is whole."""
    weights = new_weights([784, 10])
    with files_no_larger_than(4096):
        with pytest.raises(InputError, match=r"served cannot be written: .*File too large"):
            write_saved_model(tmp_path / "served", ServedModel(*of(weights)))
        with pytest.raises(InputError, match=r"model.keras cannot be written: File too large"):
            keras_file(*of(weights))
    assert list(tmp_path.iterdir()) == []
