"""Brings TensorFlow in quietly, and without Keras.

`import tensorflow` writes notes about missing GPU drivers straight to file descriptor 2, log level or not, and
imports Keras eagerly, which takes about as long as all the rest. Neither is of use to somebody who trains on raw
variables: the notes are muted for as long as the import and the first look at the devices take, and Keras is left
for whoever asks for `tf.keras` or `import keras` later, which work as ever. A process that has imported
TensorFlow already, or that sets TF_CPP_MIN_LOG_LEVEL itself, is left as it is.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


@contextmanager
def _stderr_muted() -> Iterator[None]:
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


class _NoKeras(MetaPathFinder):
    """Ends an import of Keras with ImportError, as TensorFlow's own start expects where Keras is absent."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith("keras."):
            raise ImportError("Keras is imported when it is asked for")


def import_tensorflow() -> None:
    """Imports TensorFlow and lets it look for devices; see the module's text."""
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    no_keras = _NoKeras()
    sys.meta_path.insert(0, no_keras)
    try:
        with _stderr_muted():
            import tensorflow as tf

            tf.config.list_logical_devices()
    finally:
        sys.meta_path.remove(no_keras)
        del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # read by now, and no business of this process's children
