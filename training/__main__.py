"""`python -m training` is the command `rawstep`."""

from .console import rawstep

rawstep()
