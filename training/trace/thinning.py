"""Which records are shown, where all would be too many."""

import numpy as np

CURVES, HISTOGRAMS, FOLLOWED = 1_000, 60, 200
"""At most so many points of a curve, positions of the histograms' slider, and of that of a followed parameter."""


def thinned(records: int, most: int) -> np.ndarray:
    """At most so many of the records, evenly apart, the first and the last among them."""
    return np.unique(np.linspace(0, max(0, records - 1), min(records, most)).round().astype(int))
