"""Data sets: MNIST and what else comes in IDX, .npy or .npz files, and shards of them."""

from .dataset import Dataset, load_dataset, load_shards
from .split import Form, Split

__all__ = ["Dataset", "Form", "Split", "load_dataset", "load_shards"]
