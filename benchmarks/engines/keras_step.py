"""A jitted step as a user of Keras's optimizers writes it: tf.function, GradientTape, `optimizer.apply`."""

import keras
import numpy as np
import tensorflow as tf

from ..work import TrainingWork


class KerasStep:
    """The workload's own variables and cost, and keras.optimizers.Adam with TensorFlow 1's ε, one call a step."""

    def __init__(self, work: TrainingWork):
        data = [tf.constant(array) for array in work.examples()]
        variables = {name: keras.Variable(value, name=name) for name, value in work.first_weights().items()}
        optimizer = keras.optimizers.Adam(work.learning_rate, epsilon=1e-8)
        optimizer.build([*variables.values()])

        @tf.function(jit_compile=True, autograph=False)
        def step(batch):
            values = {name: variable.value for name, variable in variables.items()}
            with tf.GradientTape() as tape:
                cost = work.workload.cost(values, *(tf.gather(array, batch) for array in data))
            optimizer.apply(tape.gradient(cost, [*values.values()]), [*variables.values()])
            return cost

        self._step = step

    def prepare(self, batches: np.ndarray) -> list[tf.Tensor]:
        return tf.unstack(tf.constant(batches))

    def train(self, prepared: list[tf.Tensor]) -> float:
        costs = [self._step(batch) for batch in prepared]
        return float(np.mean([cost.numpy() for cost in costs], dtype=np.float64))
