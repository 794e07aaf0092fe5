"""What the machine can do: the parts of a step that no engine can leave out, and nothing else."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core.engine.private import asynchronous, barrier, launcher

from ..work import TrainingWork, Work

STREAM_BYTES = 36
"""What a step of `Stream` moves for each parameter."""


class Product(NamedTuple):
    """A matrix product: the places of its factors among the arrays, and whether each of them is transposed."""

    left: int
    right: int
    transpose_left: bool = False
    transpose_right: bool = False


def products(work: TrainingWork) -> tuple[list[np.ndarray], list[Product]]:
    """The matrix products of a step's forward and backward pass, and the arrays that they multiply, of dense layers.

    Of each layer the inputs x, the weights w and the cost's derivative d by its outputs: float32, N(0, 1). The products
    are x·w, xᵀ·d, and d·wᵀ except for the first layer.
    """
    random = np.random.default_rng(work.seed)
    batch_size = work.batch_size
    arrays, found = [], []
    for number, layer in enumerate(work.products):
        units = layer.outputs
        inputs = layer.parameters // units
        x, w, d = range(3 * number, 3 * number + 3)
        shapes = (batch_size, inputs), (inputs, units), (batch_size, units)
        arrays += [random.standard_normal(shape, np.float32) for shape in shapes]
        found += [Product(x, w), Product(x, d, transpose_left=True)]
        found += [] if layer.first else [Product(d, w, transpose_right=True)]
    return arrays, found


class NumpyProducts:
    """A step's matrix products by NumPy's BLAS, into memory that is there already."""

    def __init__(self, work: TrainingWork):
        arrays, found = products(work)
        self._products = []
        for product in found:
            left = arrays[product.left].T if product.transpose_left else arrays[product.left]
            right = arrays[product.right].T if product.transpose_right else arrays[product.right]
            self._products.append((left, right, np.empty((len(left), right.shape[1]), np.float32)))

    def prepare(self, batches: np.ndarray) -> int:
        return len(batches)

    def train(self, prepared: int) -> None:
        for _ in range(prepared):
            for left, right, out in self._products:
                np.matmul(left, right, out=out)


class TensorFlowProducts:
    """A step's matrix products by TensorFlow's kernels, a graph a step."""

    def __init__(self, work: TrainingWork):
        arrays, self._products = products(work)
        self._arrays = [tf.constant(array) for array in arrays]
        self._call = launcher(tf.function(self.multiply, autograph=False), *self._arrays)

    def multiply(self, *arrays: tf.Tensor) -> list[tf.Tensor]:
        """Each product of the arrays."""
        return [
            tf.matmul(arrays[left], arrays[right], transpose_a=transpose_left, transpose_b=transpose_right)
            for left, right, transpose_left, transpose_right in self._products
        ]

    def prepare(self, batches: np.ndarray) -> int:
        return len(batches)

    def train(self, prepared: int) -> None:
        with asynchronous():
            for _ in range(prepared):
                self._call(*self._arrays)


class XlaProducts(TensorFlowProducts):
    """A step's matrix products by XLA, a call for all steps."""

    def __init__(self, work: TrainingWork):
        super().__init__(work)
        self.loop = tf.function(self._loop, autograph=False, jit_compile=True)

    def _loop(self, steps: tf.Tensor, *arrays: tf.Tensor) -> Any:
        def body(i: tf.Tensor, *before: tf.Tensor) -> Any:
            i, *same = barrier(i, *arrays)  # or XLA would multiply once, before the loop
            return i + 1, *self.multiply(*same)

        start = [tf.zeros_like(product) for product in self.multiply(*arrays)]
        return tf.while_loop(lambda i, *_: i < steps, body, [tf.constant(0), *start])

    def prepare(self, batches: np.ndarray) -> tf.Tensor:
        return tf.constant(len(batches))

    def train(self, prepared: tf.Tensor) -> None:
        self.loop(prepared, *self._arrays)[0].numpy()  # waits


class Stream:
    """Adam's four arrays with as little arithmetic as can be: each of m, v, θ ← ½ · itself + g, compiled by XLA.

    Each takes 12 B an element, to read two and to write one.
    """

    def __init__(self, work: Work):
        size = sum(work.shapes())
        self._arrays = [tf.Variable(tf.ones(size)) for _ in range(3)]
        self._g = tf.ones(size)

        @tf.function(jit_compile=True, autograph=False)
        def passes(g: tf.Tensor, steps: tf.Tensor) -> None:
            def body(i: tf.Tensor) -> Any:
                for array in self._arrays:
                    array.assign(0.5 * array + g)
                return i + 1

            tf.while_loop(lambda i: i < steps, body, [tf.constant(0)])

        self._passes = passes

    def prepare(self, batches: np.ndarray) -> tf.Tensor:
        return tf.constant(len(batches))

    def train(self, prepared: tf.Tensor) -> None:
        self._passes(self._g, prepared)
        self._arrays[0][:1].numpy()  # waits
