"""A trained perceptron for those who have no rawstep: as a SavedModel of TensorFlow's, and as a file of Keras's."""

import os
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from core import InputError, logits
from training.workloads.perceptron import Weights

from ..output.files import check_file, check_new_folder, unwritable
from ..output.interruption import clean_up_after_signals
from ..output.whole_folder import check_name, whole_folder
from ..workloads.images import unit_pixels

SIGNATURE = "serving_default"
"""What TensorFlow Serving and saved_model_cli ask for where nobody names another."""


class ServedModel(tf.Module):
    """A perceptron with copies of these weights, which names the classes of images as the IDX files have them.

    It takes images, uint8 [n, pixels], grey levels 0 to 255; and returns probabilities, float32 [n, classes], which
    are the softmax of the logits, and classes, int64 [n], the most probable ones.
    """

    def __init__(self, weights: Weights):
        super().__init__(name="perceptron")
        self.weights = {name: tf.Variable(value, trainable=False, name=name) for name, value in weights.items()}

    @tf.function(autograph=False)
    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        estimates = logits(self.weights, unit_pixels(images))
        return {"probabilities": tf.nn.softmax(estimates), "classes": tf.argmax(estimates, axis=1)}

    def signature(self) -> Any:
        """The function for any number of images, the one argument called images."""
        pixels = self.weights.get("h1", self.weights["ho"]).shape[0]
        call: Any = self.__call__
        return call.get_concrete_function(tf.TensorSpec([None, pixels], tf.uint8, name="images"))


def check_saved_model(path: Path) -> None:
    """Raises InputError unless a SavedModel can be written at `path`, where nothing is yet; leaves nothing behind."""
    check_new_folder(path)
    check_name(path)


def write_saved_model(path: Path, model: ServedModel) -> None:
    """Writes a SavedModel whole or not at all. Loaded, it is a function of images, and has one signature.

    Raises InputError where it cannot be written.
    """
    # A short name: the folder's own may be as long as names can be.
    with whole_folder(path, path.with_name(f".rawstep.{os.getpid()}")) as unfinished:
        tf.saved_model.save(model, str(unfinished), signatures={SIGNATURE: model.signature()})


def check_keras_file(path: Path) -> None:
    """Raises InputError unless a file can be written at `path` that Keras takes for a model; leaves nothing behind."""
    if not path.name.endswith(".keras"):
        raise InputError(f"{path} must end in .keras.")
    check_file(path)


def keras_file(weights: Weights) -> bytes:
    """A .keras file of `core.bridges.keras_model`, which takes the same grey levels and returns the same probabilities.

    Raises InputError where Keras cannot be imported, as under a backend that is not installed, and where there is no
    room for a temporary file.
    """
    try:
        from core.bridges.keras_model import keras_model
    except (ImportError, ValueError) as error:
        raise InputError(f"Keras cannot be imported: {error}.") from error
    level = unit_pixels(tf.ones([], tf.uint8))
    model = keras_model(weights, scale=float(level), dtype="uint8")
    clean_up_after_signals()
    with tempfile.TemporaryDirectory() as folder:  # Keras writes to a path alone
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except OSError as error:
            raise unwritable(file, error) from error
        return file.read_bytes()
