"""Brings TensorFlow in quietly, and without Keras and JAX.

`import tensorflow` writes notes about missing GPU drivers straight to file descriptor 2, log level or not, and
imports Keras, which takes about as long as all the rest, and JAX where it is installed. None of it is of use to
a user who trains on raw variables. The notes are muted for as long as the import and the first look at the devices
take. Keras and JAX are left for whoever asks later: `tf.keras`, `import keras` and `import jax` work as ever, and
only TFLite's converter from JAX does not. Nothing is muted where TF_CPP_MIN_LOG_LEVEL is 0, and another level that is
set stays: importing JAX sets 1, for this process's children too, which is nobody's wish for notes. A process that has
imported TensorFlow already is left as it is.
"""

import gc
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


class _Postponed(MetaPathFinder):
    """Ends an import of Keras or JAX with ImportError, which TensorFlow's own start takes for an absent package."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith(("keras.", "jax.")):
            raise ImportError(f"{fullname} is imported when it is asked for")


@contextmanager
def _log_level_of_warnings() -> Iterator[None]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    try:
        yield
    finally:
        del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # read by now, and no business of this process's children


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """An import makes hardly any garbage, and to look for it among all that it makes takes a seventh of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def import_tensorflow() -> None:
    """Imports TensorFlow and lets it look for devices, none of which it sets up yet; see the module's text."""
    if "tensorflow" in sys.modules:
        return
    postponed = _Postponed()
    sys.meta_path.insert(0, postponed)
    try:
        with ExitStack() as stack:
            stack.enter_context(_without_garbage_collection())
            level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
            if level is None:
                stack.enter_context(_log_level_of_warnings())
            if level != "0":
                stack.enter_context(_stderr_muted())
            import tensorflow as tf

            tf.config.list_physical_devices()
    finally:
        sys.meta_path.remove(postponed)
