"""What a perceptron says of images, by rawstep's own functions, and how far from it roundings may lead."""

import numpy as np
import tensorflow as tf

from training.workloads.images import unit_pixels
from training.workloads.perceptron import logits

U = 2.0**-24
"""The most that one rounding to float32 changes a value by, in units of it."""


def predictions(weights, images):
    """Probabilities and classes of uint8 images."""
    estimates = logits(weights, unit_pixels(tf.constant(images)))
    return {"probabilities": tf.nn.softmax(estimates).numpy(), "classes": tf.argmax(estimates, axis=1).numpy()}


def rounding_bound(weights, images):
    """For each image, the most by which two float32 programs may differ in a probability, in whatever order they sum.

    A sum of n products and a bias is off by 8·√(n+1)·u·Σ|terms| at most, if roundings are independent, but for one sum
    in 10¹⁰ (Higham & Mary 2019, theorem 3.1; the worst case, (n+1)·u·Σ|terms|, is so wide that pixels divided by 256
    would pass). What the layer before is off by adds to it as independent errors do. A probability changes by half of
    the largest change of a logit at most; the two are apart by twice that. 32 roundings are enough for softmax itself.
    """
    weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    x = images / 255
    error = 2 * U * x
    for layer in [*range(1, len(weights) // 2), "o"]:
        w, b = weights[f"h{layer}"], weights[f"b{layer}"]
        summed = 8 * np.sqrt(len(w) + 1) * U * (abs(x) @ abs(w) + abs(b))
        error = np.sqrt(error**2 @ w**2 + summed**2)
        x = x @ w + b if layer == "o" else np.maximum(x @ w + b, 0)
    return error.max(axis=1) + 32 * U


def assert_same(found, weights, images):
    """Found are probabilities and classes of these images, and rawstep gives the same except for rounding."""
    expected = predictions(weights, images)
    for name, values in expected.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
    apart = abs(found["probabilities"].astype(float) - expected["probabilities"]).max(axis=1)
    assert (apart <= rounding_bound(weights, images)).all()
    np.testing.assert_array_equal(found["classes"], expected["classes"])
