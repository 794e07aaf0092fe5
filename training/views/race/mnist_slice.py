"""A plane through the loss of a network that was trained on MNIST, as a landscape of two numbers.

Li, Xu, Taylor, Studer & Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS (2018), section 4: the
loss at θ + x·δ + y·η, where δ and η are drawn from N(0, 1) and then scaled, filter by filter, to the norm of the
trained weights. A fully connected layer's filters are the weights into each of its units; biases stay as they are.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from core import Adam, Guard, Optimizer, Program, new_weights
from core.seeds import generator

from ...workloads.data import Split, load_dataset
from ...workloads.images import image_cost, unit_pixels
from .landscapes import MNIST, Landscape, Point

HIDDEN, IMAGES, STEPS = 16, 256, 300
"""The network's hidden units, the training images, and the steps of Adam on all of them at once."""
BOUNDS: tuple[Point, Point] = ((-1.0, 1.0), (-1.0, 1.0))
START: Point = (-0.8, 0.7)
GRID = 61
"""Points to a side, on which the lowest point is looked for before it is made exact."""

Weights = Mapping[str, np.ndarray]
Cost = Callable[[tf.Tensor], tf.Tensor]


def mnist_slice(seed: int) -> Landscape:
    """The landscape of a network trained from `seed`, its two directions drawn from `seed` too."""
    images = first_images()
    weights = trained(images, seed)
    random = generator(seed, "directions")
    return slice_of(images, weights, [filter_normalised(weights, random) for _ in range(2)])


def first_images() -> Split:
    """Of MNIST's training images."""
    return Split(*(array[:IMAGES] for array in load_dataset().train))


def slice_of(images: Split, weights: Weights, directions: list[dict[str, np.ndarray]]) -> Landscape:
    """The plane through trained weights along two directions."""
    cost = slice_cost(images, weights, directions)
    minimum, least = lowest(cost)
    source = (
        f"the cost of a 784-{HIDDEN}-10 network on {IMAGES} images of MNIST around the weights that Adam found in "
        f"{STEPS} steps, along two random directions, filter-normalised after Li et al., “Visualizing the Loss "
        "Landscape of Neural Nets”, NeurIPS (2018); its lowest point was found on a grid, then by Newton's method"
    )
    formula = "mean softmax cross-entropy at the weights θ + x·δ + y·η, δ and η being the two directions"
    return Landscape(MNIST, "A slice of MNIST's loss", source, formula, cost, BOUNDS, START, (minimum,), least)


def trained(images: Split, seed: int) -> Weights:
    """The weights of a network after Adam's steps on all images at once, in float32."""
    weights = new_weights([images.images.shape[1], HIDDEN, 10], "he", seed)
    guard = Guard(Program(image_cost, weights, Optimizer(Adam(0.01), weights)))
    guard.run([tf.constant(array) for array in images], np.tile(np.arange(len(images.labels)), (STEPS, 1)))
    guard.look()
    return {name: weight.numpy() for name, weight in weights.items()}


def filter_normalised(weights: Weights, random: np.random.Generator) -> dict[str, np.ndarray]:
    """A direction, of the weights' shapes, in float64: of each unit's weights the norm of its own, of biases 0."""
    direction = {}
    for name, weight in weights.items():
        drawn = random.standard_normal(weight.shape) if weight.ndim == 2 else np.zeros(weight.shape)
        norms = [np.linalg.norm(array.astype(float), axis=0) for array in (weight, drawn)]
        direction[name] = drawn * norms[0] / norms[1] if weight.ndim == 2 else drawn
    return direction


def slice_cost(images: Split, weights: Weights, directions: list[dict[str, np.ndarray]]) -> Cost:
    """x [..., 2] → the mean softmax cross-entropy at weights + x·(first direction) + y·(second), [...], in float64.

    A layer is linear in its weights: the pictures' products with the first layer's three are computed once.
    """
    pixels = unit_pixels(tf.constant(images.images)).numpy().astype(float)
    labels = tf.one_hot(images.labels.astype(int), 10, dtype=tf.float64)
    planes = {name: np.stack([weights[name].astype(float), *(d[name] for d in directions)]) for name in weights}
    first = tf.constant(pixels @ planes["h1"] + planes["b1"][:, np.newaxis])  # [3, images, hidden]
    second, bias = tf.constant(planes["ho"]), tf.constant(planes["bo"])

    def cost(x: tf.Tensor) -> tf.Tensor:
        at = tf.concat([tf.ones([*x.shape[:-1], 1], tf.float64), x], axis=-1)
        hidden = tf.nn.relu(tf.tensordot(at, first, 1))
        logits = tf.matmul(hidden, tf.tensordot(at, second, 1)) + tf.tensordot(at, bias, 1)[..., tf.newaxis, :]
        return tf.reduce_mean(tf.reduce_logsumexp(logits, -1) - tf.reduce_sum(labels * logits, -1), axis=-1)

    return cost


def lowest(cost: Cost) -> tuple[Point, float]:
    """The lowest point within the bounds, and the cost there: the lowest of a grid, and Newton's method in a region of
    trust from there, until the gradient is below 1e-10."""
    x, y = (np.linspace(*bound, GRID) for bound in BOUNDS)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    costs = np.concatenate([cost(tf.constant(row)).numpy() for row in points])
    begin = points.reshape(-1, 2)[np.argmin(costs)]

    found = minimize(
        lambda p: derivatives(cost, p)[:2], begin, jac=True, hess=lambda p: derivatives(cost, p)[2],
        method="trust-exact", options={"gtol": 1e-10},
    )  # fmt: skip
    return tuple(found.x.tolist()), float(found.fun)


def derivatives(cost: Cost, point: np.ndarray) -> list[np.ndarray]:
    """The cost at one point [2], its gradient [2] and its Hessian [2, 2]."""
    at = tf.constant(point)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(at)
        with tf.GradientTape() as inner:
            inner.watch(at)
            value = cost(at)
        gradient: Any = inner.gradient(value, at)
        slopes = tf.unstack(gradient)
    hessian: Any = [outer.gradient(slope, at) for slope in slopes]
    return [value.numpy(), gradient.numpy(), tf.stack(hessian).numpy()]
