"""Data sets: the IDX reader, MNIST and what else comes in its form, and the sampler of batches."""

from .dataset import Dataset, Split, fingerprint, load_dataset
from .sampler import Sampler

__all__ = ["Dataset", "Sampler", "Split", "fingerprint", "load_dataset"]
