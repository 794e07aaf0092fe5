"""`python -m training` is the command `rawstep`."""

from .commands.console import rawstep

rawstep()
