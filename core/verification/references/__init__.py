"""Other people's implementations, each loaded only when it is asked for, behind one small interface.

All take one step from a given state. From a parameter of 0 the parameter afterwards is −Δ to the last bit; an update
that is read back as θ before − θ after carries θ's own rounding.
"""

from collections.abc import Mapping

from .of_keras import Keras
from .of_optax import Optax
from .of_tf1 import TF1Kernel, TF1Session
from .of_torch import Torch
from .reference import Library, Reference

REFERENCES: Mapping[str, type[Reference]] = {
    "keras": Keras,
    "tf1-kernel": TF1Kernel,
    "tf1-session": TF1Session,
    "torch": Torch,
    "optax": Optax,
}
"""By the names that the command line uses."""

LIBRARIES: Mapping[str, type[Library]] = {"keras": Keras, "torch": Torch, "optax": Optax}
"""Those of which any optimizer can be taken."""

__all__ = ["LIBRARIES", "REFERENCES", "Keras", "Library", "Optax", "Reference", "TF1Kernel", "TF1Session", "Torch"]
