"""Data sets: MNIST and what else comes in IDX or .npz files, and the sampler of batches."""

from .dataset import Dataset, fingerprint, load_dataset
from .sampler import Sampler
from .split import Split

__all__ = ["Dataset", "Sampler", "Split", "fingerprint", "load_dataset"]
