"""The work of the notebook's network, against figures counted by hand."""

import pytest

from training.workloads.perceptron import products
from training.workloads.work import Product, flop, traffic, update_bytes


def test_products_of_the_notebooks_network():
    """784·256 + 256·256 + 256·10 = 268,800 weights in batches of 100; 68,096 of them behind the first layer."""
    assert flop(products([784, 256, 256, 10]), batch_size=100) == (53_760_000, 53_760_000, 13_619_200)
    assert sum(flop(products([784, 256, 256, 10]), batch_size=100)) == 121_139_200


def test_a_single_layer_has_no_input_gradients():
    assert flop(products([3, 2]), batch_size=5) == (60, 60, 0)


def test_a_product_of_two_computed_operands_has_a_gradient_for_each():
    """As of queries and keys in attention: 6 multiplications of one example, and no parameters."""
    assert flop([Product(6, 0, 2)], batch_size=5) == (60, 0, 120)


@pytest.mark.parametrize(("rule", "slots", "expected"), [("sgd", 0, 12), ("adagrad", 1, 20), ("adam", 2, 28)])
def test_traffic_of_an_update(rule, slots, expected):
    assert update_bytes(slots) == expected
    assert update_bytes(slots, itemsize=8) == 2 * expected


def test_traffic_of_a_step_of_a_small_network():
    """3 pixels, 2 hidden units, 4 classes, 5 examples: matrices of 6 and 8 numbers, 6 biases, 20 parameters in all.

    A batch has 5 · (3 + 1) = 20 B, its numbers 20 B, the layers' outputs 5 · (2 + 4) · 4 = 120 B.
    """
    gather, forward, backward, update = traffic(
        products([3, 2, 4]), parameters=20, example_bytes=4, batch_size=5, slots=2
    )
    assert gather == 20
    assert forward == 20 + 80 + 120
    assert backward == 20 + 120 + 8 * 4 + 80
    assert update == 20 * 28
