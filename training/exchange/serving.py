"""A trained workload for those who have no rawstep: as a SavedModel of TensorFlow's, and as a file of Keras's."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from core import InputError
from core.mistakes import described, mistakes_in

from ..output.files import check_file, check_new_folder, unwritable
from ..output.interruption import clean_up_after_signals
from ..output.whole_folder import check_name, whole_folder
from ..runs.checkpoint import Checkpoint
from ..workloads.workload import Variables, Workload

SIGNATURE = "serving_default"
"""What TensorFlow Serving and saved_model_cli ask for where nobody names another."""


class ServedModel(tf.Module):
    """A function from the first array of a batch to the workload's `outputs`, with copies of these variables.

    inputs: that array's dtype, shape and name; its first size, the number of examples, is None.

    Raises InputError where the workload has no outputs, or fails to compute them.
    """

    def __init__(self, workload: Workload, variables: Variables, inputs: tf.TensorSpec):
        super().__init__(name="served")
        self.weights = {name: tf.Variable(value, trainable=False, name=name) for name, value in variables.items()}
        self._workload, self._inputs = workload, inputs
        self.signature()

    @tf.function(autograph=False)
    def __call__(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._workload.outputs(dict(self.weights), inputs)

    def signature(self) -> Any:
        """The function for any number of examples."""
        workload, call = self._workload, self.__call__
        _check_has(workload, "outputs", "--saved-model")
        with mistakes_in(workload, method="outputs"):
            function: Any = call.get_concrete_function(self._inputs)  # type: ignore[attr-defined]
        if not isinstance(function.structured_outputs, dict):
            raise InputError(
                f"{type(workload).__name__}.outputs must return tensors by name, found "
                f"{described(function.structured_outputs)}."
            )
        return function


def inputs_of(checkpoint: Checkpoint, workload: Workload) -> tf.TensorSpec:
    """The first array of a batch, as the data of a run had it, which are not needed any more; or as files have it,
    where the workload says so."""
    dtype, sizes = re.findall(r"(\w+) \[(.*?)\]", checkpoint.run["data"]["kind"])[0]
    shape = [None, *(int(size) for size in sizes.split(", ") if size)]
    return tf.TensorSpec(shape, tf.as_dtype(workload.input_dtype or dtype), name=workload.input_name)


def check_saved_model(path: Path) -> None:
    """Raises InputError unless a SavedModel can be written at `path`, where nothing is yet; leaves nothing behind."""
    check_new_folder(path)
    check_name(path)


def write_saved_model(path: Path, model: ServedModel) -> None:
    """Writes a SavedModel whole or not at all. Loaded, it is a function of one array, and has one signature.

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


def keras_file(workload: Workload, variables: Variables, inputs: tf.TensorSpec) -> bytes:
    """A .keras file of the workload's `keras` model.

    Raises InputError where it has none, where Keras cannot be imported, as under a backend that is not installed, and
    where there is no room for a temporary file.
    """
    _check_has(workload, "keras", "--keras")
    try:
        import keras  # noqa: F401
    except (ImportError, ValueError) as error:
        raise InputError(f"Keras cannot be imported: {error}.") from error
    with mistakes_in(workload, method="keras"):
        model = workload.keras(variables, inputs)
    clean_up_after_signals()
    with tempfile.TemporaryDirectory() as folder:  # Keras writes to a path alone
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except OSError as error:
            raise unwritable(file, error) from error
        return file.read_bytes()


def _check_has(workload: Workload, method: str, option: str) -> None:
    if getattr(type(workload), method) is getattr(Workload, method):
        raise InputError(f"{type(workload).__name__} has no method {method!r}, which {option} needs.")
