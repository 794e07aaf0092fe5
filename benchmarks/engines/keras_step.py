"""A jitted step as a user of Keras's optimizers writes it: tf.function, GradientTape, `optimizer.apply`."""

import keras
import numpy as np
import tensorflow as tf

from ..workload import Workload


class KerasStep:
    """Raw variables, a cost by hand, and keras.optimizers.Adam with TensorFlow 1's ε, one call for each step."""

    def __init__(self, workload: Workload):
        images, labels = workload.examples()
        self._images = tf.constant(images.astype(np.float32) * np.float32(1 / 255))
        self._labels = tf.constant(labels.astype(np.int32))
        weights = {name: keras.Variable(value, name=name) for name, value in workload.first_weights().items()}
        variables = list(weights.values())
        optimizer = keras.optimizers.Adam(workload.learning_rate, epsilon=1e-8)
        optimizer.build(variables)

        @tf.function(jit_compile=True)
        def step(batch):
            with tf.GradientTape() as tape:
                layer = tf.gather(self._images, batch)
                for number in range(1, len(weights) // 2):
                    layer = tf.nn.relu(tf.matmul(layer, weights[f"h{number}"]) + weights[f"b{number}"])
                logits = tf.matmul(layer, weights["ho"]) + weights["bo"]
                labels = tf.gather(self._labels, batch)
                cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
            optimizer.apply(tape.gradient(cost, [variable.value for variable in variables]), variables)
            return cost

        self._step = step

    def prepare(self, batches: np.ndarray) -> list[tf.Tensor]:
        return tf.unstack(tf.constant(batches))

    def train(self, prepared: list[tf.Tensor]) -> float:
        costs = [self._step(batch) for batch in prepared]
        return float(np.mean([cost.numpy() for cost in costs], dtype=np.float64))
