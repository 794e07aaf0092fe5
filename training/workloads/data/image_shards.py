"""Labelled images in shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.errors import InputError

from .shard_files import ShardFiles, arrays_of
from .shards import Examples, checked
from .split import Form, Stored, StoredSplit


@dataclass(frozen=True)
class ImageShard:
    """Labelled images.

    labels: the least and the greatest, where they are known without being read.
    """

    form: str
    files: Sequence[Path]
    stored: StoredSplit
    noted: Sequence[int] | None

    @classmethod
    def of(cls, files: ShardFiles, form: Form = Form()) -> "ImageShard":  # noqa: B008
        images, labels = arrays_of(files, ("image", "label"))
        return cls(files.form, files.paths, StoredSplit.of(images, labels, 1, form), files.noted.get("labels"))

    @property
    def arrays(self) -> tuple[Stored, Stored]:
        return self.stored.images, self.stored.labels

    @property
    def kind(self) -> str:
        return f"{self.form} of {self.stored.images.dtype.name} {'×'.join(map(str, self.stored.side))}"

    @property
    def examples(self) -> int:
        return self.stored.images.shape[0]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.stored.images.shape, dtype=object)) * min(self.stored.images.dtype.itemsize, 4)

    @cached_property
    def labels(self) -> tuple[int, int]:
        """The least and the greatest."""
        if self.noted:
            return int(self.noted[0]), int(self.noted[1])
        labels = self.stored.labels.read()
        return int(labels.min()), int(labels.max())

    def read(self) -> Examples:
        """Images [examples, pixels] and labels of int32. Raises InputError where they are not what they were."""
        split = self.stored.read()
        checked(split, self)
        least, most = int(split.labels.min()), int(split.labels.max())
        if least < self.labels[0] or most > self.labels[1]:
            raise InputError(
                f"{self.files[-1]} must hold labels from {self.labels[0]} to {self.labels[1]} as when it was opened, "
                f"found {least} to {most}."
            )
        return split
