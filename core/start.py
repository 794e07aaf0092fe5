"""Brings TensorFlow in quietly, and without Keras.

`import tensorflow` writes notes about missing GPU drivers straight to file descriptor 2, log level or not, and
imports Keras eagerly, which takes about as long as all the rest. Neither is of use to somebody who trains on raw
variables: the notes are muted for as long as the import and the first look at the devices take, and Keras is left
for whoever asks for `tf.keras` or `import keras` later, which work as ever. Nothing is muted where
TF_CPP_MIN_LOG_LEVEL is set, and a process that has imported TensorFlow already is left as it is.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder


@contextmanager
def _stderr_muted() -> Iterator[None]:
    try:
        stderr = os.dup(2)
    except OSError:  # closed, and so mute already
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
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


@contextmanager
def _log_level_of_warnings() -> Iterator[None]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    try:
        yield
    finally:
        del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # read by now, and no business of this process's children


def import_tensorflow() -> None:
    """Imports TensorFlow and lets it look for devices, none of which it sets up yet; see the module's text."""
    if "tensorflow" in sys.modules:
        return
    no_keras = _NoKeras()
    sys.meta_path.insert(0, no_keras)
    try:
        with ExitStack() as stack:
            if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
                stack.enter_context(_log_level_of_warnings())
                stack.enter_context(_stderr_muted())
            import tensorflow as tf

            tf.config.list_physical_devices()
    finally:
        sys.meta_path.remove(no_keras)
