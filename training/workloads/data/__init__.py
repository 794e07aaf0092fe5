"""Data sets: MNIST and what else comes in IDX, .npy or .npz files."""

from .dataset import Dataset, load_dataset
from .split import Form, Split

__all__ = ["Dataset", "Form", "Split", "load_dataset"]
