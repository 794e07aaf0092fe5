"""What computes, and in which version."""

import platform
from importlib.metadata import version

import numpy as np
import tensorflow as tf


def versions() -> dict[str, str]:
    """The versions of what computes."""
    return {
        "rawstep": version("rawstep"),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
