"""The order of layers by the operations of real graphs, whatever the order of creation and the names say."""

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.contents import read

from .files import v1

SHAPES = {"W1": (10, 8), "W2": (8, 8), "W3": (8, 8), "W4": (8, 1), "b1": (8,), "b2": (8,), "b3": (8,), "b4": (1,)}
ORDERED = ["W1", "W2", "W3", "W4", "b1", "b2", "b3", "b4"]


def saved(path, created, network, optimizer=v1.train.AdamOptimizer, resource=True):
    """A graph of these variables, in this order, and of a network by their names; with its training."""
    random = np.random.default_rng(0)
    with tf.Graph().as_default(), v1.Session() as session:
        values = {name: random.standard_normal(SHAPES[name]).astype(np.float32) for name in created}
        held = {n: v1.Variable(value, name=n, use_resource=resource) for n, value in values.items()}
        x = v1.placeholder(tf.float32, [None, 10])
        optimizer(0.1).minimize(tf.reduce_mean(network(x, held) ** 2))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(path))
    return read(path)


def added(x, v):
    """The documentation's way: + for the biases, the last after a slice."""
    for n in "123":
        x = tf.nn.relu(tf.matmul(x, v[f"W{n}"]) + v[f"b{n}"])
    return tf.matmul(x, v["W4"])[:, 0] + v["b4"]


def with_dropout(x, v):
    for n in "123":
        x = v1.nn.dropout(tf.nn.relu(tf.nn.bias_add(tf.matmul(x, v[f"W{n}"]), v[f"b{n}"])), rate=0.1)
    return v["b4"] + tf.matmul(x, v["W4"])


def twice(x, v):
    """One tower to train, one to evaluate."""
    return added(x, v) + with_dropout(x, v)[:, 0]


@pytest.mark.parametrize("resource", [True, False], ids=["resource", "reference"])
@pytest.mark.parametrize("network", [added, with_dropout, twice])
def test_data_decides_which_layer_is_first(tmp_path, network, resource):
    """Created last layer first: W2 and W3, b1, b2 and b3 are of one shape."""
    contents = saved(tmp_path / "net.ckpt", [*reversed(ORDERED)], network, resource=resource)
    assert [*contents.variables.values()] == ORDERED


def test_data_decides_against_numbers_in_names_too(tmp_path):
    def swapped(x, v):
        return added(x, {**v, "W2": v["W3"], "W3": v["W2"], "b1": v["b2"], "b2": v["b1"]})

    contents = saved(tmp_path / "net.ckpt", ORDERED, swapped)
    assert [*contents.variables.values()] == ["W1", "W3", "W2", "W4", "b2", "b1", "b3", "b4"]


def by_einsum(x, v):
    """Whose operations are no matrix products."""
    for n in "1234":
        x = tf.nn.relu(tf.einsum("ni,ij->nj", x, v[f"W{n}"]) + v[f"b{n}"])
    return x


def test_where_data_cannot_be_followed_creation_and_numbers_must_agree(tmp_path):
    assert [*saved(tmp_path / "net.ckpt", ORDERED, by_einsum).variables.values()] == ORDERED
    with pytest.raises(InputError, match=r"W3, W2 are all of the shape \[8, 8\], and nothing shows their order"):
        saved(tmp_path / "other.ckpt", ["W1", "W3", "W2", "W4", "b1", "b2", "b3", "b4"], by_einsum)


def side_by_side(x, v):
    """W2 and W3 both take the first layer's output."""
    x = tf.nn.relu(x @ v["W1"] + v["b1"])
    x = tf.nn.relu(x @ v["W2"] + v["b2"]) + tf.nn.relu(x @ v["W3"] + v["b3"])
    return x @ v["W4"] + v["b4"]


def test_layers_side_by_side_are_no_perceptron(tmp_path):
    with pytest.raises(InputError, match="the graph does not lead data through W1, W2, W3, W4 one after another"):
        saved(tmp_path / "net.ckpt", ORDERED, side_by_side)
