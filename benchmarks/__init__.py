"""Measures rawstep beside what else could be used. Nothing imports this package."""
