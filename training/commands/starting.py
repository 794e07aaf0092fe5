"""The first thing that a command does once it is sure of its options."""

import os
import sys

from ..runs.distribution.options import ALONE, Placement


def start_tensorflow(placement: Placement = ALONE) -> None:
    """Imports TensorFlow by way of core, which keeps it quiet, and says so on a terminal: it takes seconds.

    Of a cluster's workers TensorFlow's own errors are muted too: each would write a page of them for a worker that is
    lost, which the command says in a sentence.
    """
    if placement.strategy == "multi-worker":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.stderr.isatty():
        sys.stderr.write("starting TensorFlow …\r")
        sys.stderr.flush()
    import core  # noqa: F401
