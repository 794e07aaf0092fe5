"""Other people's implementations, each loaded only when it is asked for, behind one small interface.

All take one step from a given state. From a parameter of 0 the parameter afterwards is −Δ to the last bit; an update
that is read back as θ before − θ after carries θ's own rounding.
"""

from collections.abc import Mapping

from .keras import Keras
from .optax import Optax
from .reference import Library, Reference
from .tf1 import TF1Kernel, TF1Session
from .torch import Torch

REFERENCES: Mapping[str, type[Reference]] = {one.name: one for one in (Keras, TF1Kernel, TF1Session, Torch, Optax)}
"""By the names that the command line uses."""

LIBRARIES: Mapping[str, type[Library]] = {one.name: one for one in (Keras, Torch, Optax)}
"""Those of which any optimizer can be taken."""

__all__ = ["LIBRARIES", "REFERENCES", "Keras", "Library", "Optax", "Reference", "TF1Kernel", "TF1Session", "Torch"]
