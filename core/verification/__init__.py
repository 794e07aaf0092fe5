"""Proof that an implementation computes what it claims: certificates, first divergences, translations."""

from .cards import CARDS, FORMULAS
from .certificate import DTYPES, EXECUTIONS, Claim
from .claims import claim, matrix, verify
from .divergence import Divergence, diverge
from .implementations import Implementation, OfFunction, OfRule
from .layout import Layout
from .libraries import REFERENCES
from .optimizers import OfLibrary, OfOptimizer, named
from .resolving import ITSELF
from .rows import Coverage, Row
from .streams import NARROW, STEPS, Streams, joined, synthetic
from .translation import Translation, translate
from .trial import PAPER

__all__ = [
    "CARDS", "DTYPES", "EXECUTIONS", "FORMULAS", "ITSELF", "NARROW", "PAPER", "REFERENCES", "STEPS", "Claim",
    "Coverage", "Divergence", "Implementation", "Layout", "OfFunction", "OfLibrary", "OfOptimizer", "OfRule", "Row",
    "Streams", "Translation", "claim", "diverge", "joined", "matrix", "named", "synthetic", "translate", "verify",
]  # fmt: skip
