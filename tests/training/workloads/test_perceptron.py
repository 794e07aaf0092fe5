"""The network, its first weights, its cost and its accuracy, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax
from sklearn.metrics import log_loss

from core import InputError, accuracy, softmax_cross_entropy
from training.workloads.perceptron import logits, new_weights

LABELS = np.array([2, 0, 1, 1])


def test_the_variables_are_the_notebook_s_by_name_shape_and_order():
    weights = new_weights([784, 256, 128, 10])
    assert {name: tuple(variable.shape) for name, variable in weights.items()} == {
        "h1": (784, 256), "h2": (256, 128), "ho": (128, 10), "b1": (256,), "b2": (128,), "bo": (10,),
    }  # fmt: skip
    assert list(weights) == ["h1", "h2", "ho", "b1", "b2", "bo"]


@pytest.mark.parametrize("hidden", [[], [5], [5, 4, 3]])
def test_logits_are_those_of_numpy(hidden):
    weights = new_weights([6, *hidden, 3], dtype=tf.float64)
    x = np.random.default_rng(0).standard_normal((4, 6))
    expected = x
    for label in [*map(str, range(1, len(hidden) + 1)), "o"]:
        expected = expected @ weights[f"h{label}"].numpy() + weights[f"b{label}"].numpy()
        if label != "o":
            expected = np.maximum(expected, 0)
    np.testing.assert_allclose(logits(weights, tf.constant(x)), expected, rtol=1e-12)


def test_without_hidden_layers_cost_and_gradient_are_those_of_softmax_regression():
    """The cost is scikit-learn's of the same probabilities; the gradient is Xᵀ(P − Y)/n."""
    weights = new_weights([6, 3], "glorot", dtype=tf.float64)
    x = np.random.default_rng(0).standard_normal((4, 6))
    with tf.GradientTape() as tape:
        cost = softmax_cross_entropy(logits(weights, tf.constant(x)), tf.constant(LABELS))
    gradient = tape.gradient(cost, dict(weights))
    probabilities = softmax(x @ weights["ho"].numpy() + weights["bo"].numpy(), axis=1)
    assert cost.numpy() == pytest.approx(log_loss(LABELS, probabilities), rel=1e-12)
    residual = (probabilities - np.eye(3)[LABELS]) / len(LABELS)
    np.testing.assert_allclose(gradient["ho"], x.T @ residual, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient["bo"], residual.sum(axis=0), rtol=1e-12, atol=1e-15)


def test_initialisations_have_their_moments():
    """1e5 weights: their deviation is known to 0.3 %, so 2 % would catch a wrong fan or a missing factor."""
    layers = [400, 250, 10]
    normal, he, glorot, sparse = (new_weights(layers, init) for init in ("normal", "he", "glorot", "sparse"))
    assert np.std(normal["h1"]) == pytest.approx(1, rel=0.02)
    assert np.std(normal["b1"]) == pytest.approx(1, rel=0.2)
    assert np.std(he["h1"]) == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert np.abs(glorot["h1"]).max() == pytest.approx(np.sqrt(6 / 650), rel=0.02)
    assert np.std(glorot["h1"]) == pytest.approx(np.sqrt(2 / 650), rel=0.02)
    assert not np.any(he["b1"])
    assert not np.any(glorot["b1"])
    there = sparse["h1"].numpy() != 0
    assert set(there.sum(axis=0)) == {15}, "weights into each unit"
    assert np.std(sparse["h1"].numpy()[there]) == pytest.approx(1, rel=0.05)  # 3,750 numbers: known to 1.2 %
    assert there.any(axis=1).all(), "and from all inputs"
    assert not np.any(sparse["b1"])


def test_a_seed_decides_the_weights():
    np.testing.assert_array_equal(new_weights([6, 5, 3], seed=1)["h1"], new_weights([6, 5, 3], seed=1)["h1"])
    assert np.any(new_weights([6, 5, 3], seed=1)["h1"] != new_weights([6, 5, 3], seed=2)["h1"])


@pytest.mark.parametrize(
    "labels", [LABELS.astype(np.uint8), LABELS, np.eye(3)[LABELS]], ids=["uint8", "int64", "one-hot"]
)
def test_cost_and_accuracy_take_class_numbers_and_one_hot_rows(labels):
    values = np.random.default_rng(0).standard_normal((4, 3)) * 50
    shifted = values - values.max(axis=1, keepdims=True)
    expected = np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(4), LABELS])
    np.testing.assert_allclose(softmax_cross_entropy(tf.constant(values), tf.constant(labels)), expected, rtol=1e-12)
    assert accuracy(tf.constant(values), tf.constant(labels)) == np.mean(values.argmax(axis=1) == LABELS)


@pytest.mark.parametrize("labels", [LABELS[:, np.newaxis], LABELS.astype(np.float32), np.eye(4)[LABELS], 2])
def test_labels_of_another_shape_or_dtype_are_refused(labels):
    """Would catch a column of class numbers let through: it broadcasts against the logits and trains on nonsense."""
    for function in (softmax_cross_entropy, accuracy):
        with pytest.raises(InputError, match=r"rows of shape \(4, 3\), found"):
            function(tf.zeros([4, 3]), labels)


@pytest.mark.parametrize(
    ("layers", "init", "sentence"),
    [
        ([4, 2.5], "he", "at least one unit"),
        ([784], "he", "at least two layers"),
        ([784, 0, 10], "he", "at least one unit"),
        ([4, 3], "xavier", "normal, he"),
    ],
)
def test_a_network_that_cannot_be_is_refused(layers, init, sentence):
    with pytest.raises(InputError, match=sentence):
        new_weights(layers, init)
