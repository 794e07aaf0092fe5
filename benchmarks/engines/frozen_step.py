"""A plain jitted step as one would write it: Adam by hand, one call for each step.

Frozen on 2026-11-24 and not to be edited, nor to import anything that is: it is the mark by which records of
different years are compared, and against which rawstep's own progress is measured.
"""

import numpy as np
import tensorflow as tf


class FrozenStep:
    def __init__(self, workload):
        images, labels = workload.examples()
        self._images = tf.constant(images.astype(np.float32) / np.float32(255))
        self._labels = tf.constant(labels.astype(np.int32))
        first_weights = workload.first_weights()
        depth = len(first_weights) // 2 - 1
        names = [*(f"{kind}{number}" for number in range(1, depth + 1) for kind in "hb"), "ho", "bo"]
        weights = [tf.Variable(first_weights[name]) for name in names]
        first_moments = [tf.Variable(tf.zeros_like(w)) for w in weights]
        second_moments = [tf.Variable(tf.zeros_like(w)) for w in weights]
        taken = tf.Variable(0.0)
        learning_rate = workload.learning_rate

        @tf.function(jit_compile=True)
        def step(images, labels):
            with tf.GradientTape() as tape:
                layer = images
                for number in range(0, len(weights) - 2, 2):
                    layer = tf.nn.relu(tf.matmul(layer, weights[number]) + weights[number + 1])
                logits = tf.matmul(layer, weights[-2]) + weights[-1]
                cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
            gradients = tape.gradient(cost, weights)
            t = taken.assign_add(1.0)
            rate = learning_rate * tf.sqrt(1.0 - 0.999**t) / (1.0 - 0.9**t)
            for w, m, v, g in zip(weights, first_moments, second_moments, gradients, strict=True):
                m.assign(0.9 * m + 0.1 * g)
                v.assign(0.999 * v + 0.001 * g * g)
                w.assign_sub(rate * m / (tf.sqrt(v) + 1e-8))
            return cost

        self._step = step

    def prepare(self, batches):
        return tf.constant(batches)

    def train(self, prepared):
        costs = [
            self._step(tf.gather(self._images, batch), tf.gather(self._labels, batch)) for batch in tf.unstack(prepared)
        ]
        return float(np.mean([cost.numpy() for cost in costs], dtype=np.float64))
