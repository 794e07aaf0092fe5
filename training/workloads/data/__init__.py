"""Data sets: MNIST and what else comes in IDX or .npz files."""

from .dataset import Dataset, load_dataset
from .split import Split

__all__ = ["Dataset", "Split", "load_dataset"]
