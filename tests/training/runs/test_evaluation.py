"""Cost and accuracy of a split against NumPy, however it is cut into chunks."""

import numpy as np
import pytest

from core import InputError
from training.runs.evaluation import evaluator
from training.workloads.data import Split
from training.workloads.mlp import MLP
from training.workloads.perceptron import new_weights

WEIGHTS = new_weights([6, 5, 4], "normal", seed=1)
EVALUATE = evaluator(MLP(), WEIGHTS)
CHUNK = MLP.evaluated_at_once


def random_split(size, seed=0):
    random = np.random.default_rng(seed)
    return Split(random.integers(0, 256, (size, 6)).astype(np.uint8), random.integers(0, 4, size).astype(np.uint8))


def in_float64(split):
    weights = {name: weight.numpy().astype(float) for name, weight in WEIGHTS.items()}
    hidden = np.maximum(split.images / 255 @ weights["h1"] + weights["b1"], 0)
    logits = hidden @ weights["ho"] + weights["bo"]
    costs = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), split.labels]
    return costs.mean(), np.mean(logits.argmax(axis=1) == split.labels)


@pytest.mark.parametrize("size", [1, CHUNK, CHUNK + 1, 2 * CHUNK + 123])
def test_a_split_is_evaluated_as_one_whole(size):
    """Would catch chunks that are averaged without their sizes, and one that is left out. float32 has 6e-8."""
    split = random_split(size)
    cost, accuracy = in_float64(split)
    found = EVALUATE(split)
    assert found["cost"] == pytest.approx(cost, rel=1e-6)
    assert found["accuracy"] == pytest.approx(accuracy, rel=1e-12)


def test_the_weights_are_taken_as_they_are_when_it_is_asked():
    weights = new_weights([6, 5, 4], "normal", seed=2)
    evaluate, split = evaluator(MLP(), weights), random_split(100)
    before = evaluate(split)
    weights["bo"].assign_add([1.0, 0.0, 0.0, 0.0])
    assert evaluate(split)["cost"] != before["cost"]


@pytest.mark.parametrize(
    ("split", "found"),
    [
        (Split(np.zeros((3, 7), np.uint8), np.zeros(3, np.uint8)), "found 7 pixels and class numbers up to 0"),
        (Split(np.zeros((3, 6), np.uint8), np.array([0, 4, 1], np.uint8)), "found 6 pixels and class numbers up to 4"),
    ],
)
def test_images_that_do_not_fit_the_weights_are_refused(split, found):
    with pytest.raises(InputError, match=f"takes images of 6 pixels in 4 classes, {found}"):
        EVALUATE(split)
