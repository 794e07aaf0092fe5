"""Which single parameters a trace follows."""

import re
from collections.abc import Sequence

import numpy as np

from core import InputError

from ...workloads.data import Dataset

SAMPLE = 5_000
"""Images that tell which pixel varies the most."""


def elements(texts: Sequence[str]) -> dict[str, list[tuple[int, ...]]]:
    """From ["h1[300,5]", "bo[3]"] to {"h1": [(300, 5)], "bo": [(3,)]}.

    Raises InputError for what is not written so; whether there is such an element is for the recorder to say.
    """
    found: dict[str, list[tuple[int, ...]]] = {}
    for text in texts:
        parts = re.fullmatch(r"\s*(\w+)\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]\s*", text)
        if parts is None:
            raise InputError(f'--follow must name elements, such as "h1[300,5]" or "bo[3]", found {text!r}.')
        place = tuple(int(number) for number in parts[2].split(","))
        if place not in found.setdefault(parts[1], []):
            found[parts[1]].append(place)
    return found


def revealing_elements(dataset: Dataset, hidden: Sequence[int]) -> list[str]:
    """The first weight of the pixel that varies the most in the training images, and the first class's bias.

    hidden: the units of each hidden layer.
    """
    images = dataset.train.images[:SAMPLE].astype(np.float32)
    return [f"{'h1' if hidden else 'ho'}[{images.var(axis=0).argmax()},0]", "bo[0]"]
