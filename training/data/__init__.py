"""Data sets: the IDX reader, MNIST with the notebook's split, and the sampler of batches."""

from .dataset import Dataset, Split, load_mnist
from .sampler import Sampler

__all__ = ["Dataset", "Sampler", "Split", "load_mnist"]
