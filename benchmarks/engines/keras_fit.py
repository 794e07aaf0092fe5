"""Keras as its users run it: layers, `compile`, `fit`; by default, and by what its `compile` offers."""

import keras
import numpy as np

from ..networks import usual_examples
from ..networks.keras import NETWORKS
from ..work import TrainingWork


class KerasFit:
    """Adam with the work's learning rate and TensorFlow 1's ε, so that the costs can be compared.

    The examples are laid out in the order of the batches before the time is taken, so that `fit` need not shuffle.

    jit_compile:         True, False, or Keras's default, "auto".
    steps_per_execution: of Keras's loop; None: those of a sample, an epoch or what takes a second.
    unrolled:            steps that stand one after another in the body of that loop.
    """

    def __init__(
        self,
        work: TrainingWork,
        jit_compile: bool | str = "auto",
        steps_per_execution: int | None = 1,
        unrolled: int = 1,
    ):
        self._inputs, self._labels = usual_examples(work)
        self._batch_size = work.batch_size
        self._model = NETWORKS[work.name](work.workload, work.first_weights(), self._inputs.shape[1:])
        self._model.compile(
            keras.optimizers.Adam(work.learning_rate, epsilon=1e-8),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution or work.steps,
        )
        self._model.unrolled_steps_per_execution = unrolled  # which `compile` does not take

    def prepare(self, batches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._inputs[batches.ravel()], self._labels[batches.ravel()]

    def train(self, prepared: tuple[np.ndarray, np.ndarray]) -> float:
        history = self._model.fit(*prepared, batch_size=self._batch_size, epochs=1, shuffle=False, verbose=0)
        return history.history["loss"][0]
