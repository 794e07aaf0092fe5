"""What the machine can do: the parts of a step that no engine can leave out, and nothing else."""

from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from ..workload import Work, Workload

STREAM_BYTES = 36
"""What a step of `Stream` moves for each parameter."""


class Products:
    """The matrix products of a step's forward and backward pass, by NumPy's BLAS, into memory that is there already."""

    def __init__(self, workload: Workload):
        random = np.random.default_rng(workload.seed)
        layers, batch_size = workload.layers(), workload.batch_size

        def array(*shape: int) -> np.ndarray:
            return random.standard_normal(shape, np.float32)

        self._products = []
        for number, (inputs, units) in enumerate(pairwise(layers)):
            x, w, d = array(batch_size, inputs), array(inputs, units), array(batch_size, units)
            self._products += [(x, w, np.empty_like(d)), (x.T, d, np.empty_like(w))]
            if number > 0:
                self._products.append((d, w.T, np.empty_like(x)))

    def prepare(self, batches: np.ndarray) -> int:
        return len(batches)

    def train(self, prepared: int) -> None:
        for _ in range(prepared):
            for left, right, out in self._products:
                np.matmul(left, right, out=out)


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
