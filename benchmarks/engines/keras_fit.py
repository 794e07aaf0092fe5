"""Keras as its users run it: a Sequential model, `compile`, `fit`; by default, and by what its `compile` offers."""

import keras
import numpy as np

from ..workload import Workload


class KerasFit:
    """Adam with the workload's learning rate and TensorFlow 1's ε, so that the costs can be compared.

    The images are laid out in the order of the batches before the time is taken, so that `fit` need not shuffle.

    jit_compile:         True, or Keras's default, "auto".
    steps_per_execution: of Keras's loop; None: those of a sample, an epoch.
    unrolled:            steps that stand one after another in the body of that loop.
    """

    def __init__(
        self,
        workload: Workload,
        jit_compile: bool | str = "auto",
        steps_per_execution: int | None = 1,
        unrolled: int = 1,
    ):
        images, labels = workload.examples()
        self._images = images.astype(np.float32) * np.float32(1 / 255)
        self._labels = labels.astype(np.int32)
        self._batch_size = workload.batch_size
        first_weights = workload.first_weights()
        classes = first_weights["bo"].shape[0]
        hidden = [keras.layers.Dense(units, activation="relu") for units in workload.hidden]
        self._model = keras.Sequential([keras.Input(images.shape[1:]), *hidden, keras.layers.Dense(classes)])
        names = [*(f"{kind}{number}" for number in range(1, len(hidden) + 1) for kind in "hb"), "ho", "bo"]
        self._model.set_weights([first_weights[name] for name in names])
        self._model.compile(
            keras.optimizers.Adam(workload.learning_rate, epsilon=1e-8),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution or workload.steps,
        )
        self._model.unrolled_steps_per_execution = unrolled  # which `compile` does not take

    def prepare(self, batches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._images[batches.ravel()], self._labels[batches.ravel()]

    def train(self, prepared: tuple[np.ndarray, np.ndarray]) -> float:
        history = self._model.fit(*prepared, batch_size=self._batch_size, epochs=1, shuffle=False, verbose=0)
        return history.history["loss"][0]
