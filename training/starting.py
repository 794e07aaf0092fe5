"""The first thing that a command does once it is sure of its options."""

import sys


def start_tensorflow() -> None:
    """Imports TensorFlow by way of core, which keeps it quiet, and says so on a terminal: it takes seconds."""
    if sys.stderr.isatty():
        print("starting TensorFlow …", end="\r", file=sys.stderr, flush=True)
    import core  # noqa: F401
