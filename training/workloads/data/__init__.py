"""Data sets: the IDX reader, MNIST and what else comes in its form."""

from .dataset import Dataset, Split, load_dataset

__all__ = ["Dataset", "Split", "load_dataset"]
