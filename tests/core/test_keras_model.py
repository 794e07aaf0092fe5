"""The network as a plain Keras model: the same numbers, whatever its depth, dtype and Keras's own policy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from core.bridges.keras_model import keras_model
from training.workloads.perceptron import logits, new_weights

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

SCALE = 0.25
NETWORKS = {
    "no hidden layer": [16, 3],
    "one": [5, 8, 2],
    "three of one size": [16, 7, 7, 7, 3],
    "MNIST's": [784, 32, 10],
}


def levels(pixels, size=50):
    return np.random.default_rng(0).integers(0, 5, (size, pixels)).astype(np.uint8)


def moderate_weights(layers, dtype=tf.float32):
    """With biases that count, and probabilities between 0 and 1 that show a change."""
    return {name: value / 8 for name, value in new_weights(layers, dtype=dtype).items()}


def roundings(dtype):
    """The most that a probability may differ by because sums run in another order.

    A sum has at most 784 terms, which come to less than 60. Its roundings, as independent errors add up, come to less
    than √784 of a unit each; and a probability changes by no more than half of what a logit does.
    """
    return 60 * 28 / 2 * np.finfo(dtype.as_numpy_dtype).eps / 2


def apart(model, weights, x):
    """The largest difference of a probability from core's."""
    scaled = tf.cast(x, weights["ho"].dtype) * SCALE
    return abs(model.predict(x, verbose=0) - tf.nn.softmax(logits(weights, scaled))).numpy().max()


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_its_probabilities_are_the_softmax_of_core_s_logits(layers, dtype):
    """Would catch weights in the wrong layer, a ReLU too many or too few, a scale left out, float32 for float64."""
    weights = moderate_weights(layers, dtype)
    assert apart(keras_model(weights, SCALE, "uint8"), weights, levels(layers[0])) < roundings(dtype)


def exchanged(weights):
    return weights | {"b1": weights["b2"], "b2": weights["b1"]}


WRONG = {
    "two biases exchanged": lambda weights: keras_model(exchanged(weights), SCALE, "uint8"),
    "another scale": lambda weights: keras_model(weights, SCALE * 255 / 256, "uint8"),
    "weights in float16": lambda weights: keras_model(
        {name: tf.cast(tf.cast(value, tf.float16), tf.float32) for name, value in weights.items()}, SCALE, "uint8"
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_the_comparison_sees_a_wrong_model(wrong):
    weights = moderate_weights([784, 32, 32, 10])
    assert apart(wrong(weights), weights, levels(784)) > roundings(tf.float32)


def test_it_has_keras_s_own_layers_by_the_network_s_names():
    """Would catch a layer of our own, which no other house could load."""
    model = keras_model(new_weights([16, 8, 4, 3]), SCALE, "uint8")
    assert [layer.name for layer in model.layers] == ["scaled", "h1", "h2", "ho"]
    assert {type(layer) for layer in model.layers} == {keras.layers.Rescaling, keras.layers.Dense}
    assert (model.input_shape, model.input_dtype) == ((None, 16), "uint8")


def test_it_holds_copies():
    """Would catch a model that goes on changing while the network is trained further."""
    weights = new_weights([16, 8, 3])
    before = {name: value.numpy() for name, value in weights.items()}
    model = keras_model(weights, SCALE, "uint8")
    for variable in weights.values():
        variable.assign(tf.zeros_like(variable))
    for name in ("1", "o"):
        matrix, bias = model.get_layer(f"h{name}").get_weights()
        np.testing.assert_array_equal(matrix, before[f"h{name}"], strict=True)
        np.testing.assert_array_equal(bias, before[f"b{name}"], strict=True)


def test_it_computes_in_the_weights_dtype_whatever_keras_s_policy_is():
    """Would catch a model that turns to float16 where a user's Keras prefers that."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras_model(new_weights([16, 8, 3]), SCALE, "uint8")
    finally:
        keras.config.set_dtype_policy(policy)
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
