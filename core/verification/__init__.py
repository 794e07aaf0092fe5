"""Proof that an implementation computes what it claims: certificates, first divergences, translations."""

from .certificate import DTYPES, EXECUTIONS, Claim
from .claims import claim, matrix, verify
from .divergence import Divergence, diverge
from .formulas import FORMULAS
from .implementations import Implementation, OfFunction, OfRule
from .layout import Layout
from .libraries import OfLibrary, OfOptimizer, named
from .mutants import MUTANTS
from .references import REFERENCES
from .resolving import ITSELF
from .rows import Coverage, Row
from .streams import STEPS, Streams, joined, synthetic
from .translation import Translation, translate
from .trial import PAPER

__all__ = [
    "DTYPES", "EXECUTIONS", "FORMULAS", "ITSELF", "MUTANTS", "PAPER", "REFERENCES", "STEPS", "Claim", "Coverage",
    "Divergence", "Implementation", "Layout", "OfFunction", "OfLibrary", "OfOptimizer", "OfRule", "Row", "Streams",
    "Translation", "claim", "diverge", "joined", "matrix", "named", "synthetic", "translate", "verify",
]  # fmt: skip
