"""Which records are shown, where all would be too many."""

import numpy as np

CURVES, HISTOGRAMS, FOLLOWED = 1_000, 60, 200
"""The most points of a curve, positions of the histograms' slider, and positions of a followed parameter's."""


def thinned(records: int, most: int) -> np.ndarray:
    """At most this number of the records, evenly spaced, with the first and the last."""
    return np.unique(np.linspace(0, max(0, records - 1), min(records, most)).round().astype(int))
