"""`python -m training` is the command `rawstep`."""

from .cli import main

main()
