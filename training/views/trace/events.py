"""A trace as TensorBoard events."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.metadata import create_summary_metadata

from core.engine.reductions import half_octave_edges

from ...runs.results import TensorBoard
from .thinning import HISTOGRAMS, thinned
from .trace import Trace

FINITE = int(np.isfinite(half_octave_edges()).sum())
"""The bins of `half_octaves` that are not of ∞ and NaN."""


def write_events(folder: Path, trace: Trace) -> None:
    """Writes every scalar of every recorded step, and histograms of some steps: TensorBoard shows 50 of them.

    Raises InputError where they cannot be written.
    """
    TensorBoard(folder).write_summaries(_summaries(trace))


def buckets(counts: np.ndarray) -> np.ndarray:
    """TensorBoard's form of counted half octaves, float64 [bins, 3]: lower edge, upper edge, how many are between.

    counts: int32 [HALF_OCTAVES]. Bins from the first to the last that are not empty; ∞ and NaN are left out.
    """
    edges = half_octave_edges().astype(np.float64)
    taken = np.flatnonzero(counts[:FINITE])
    if not len(taken):
        return np.zeros([1, 3])
    bins = np.arange(taken[0], taken[-1] + 1)
    upper = np.minimum(edges[bins + 1], np.finfo(np.float32).max)  # a browser cannot draw a bin that ends nowhere
    return np.stack([edges[bins], upper, counts[bins].astype(np.float64)], axis=1)


def _summaries(trace: Trace) -> Iterator[tuple[int, bytes]]:
    scalars = {name: column for name, column in trace.columns.items() if column.ndim == 1}
    histograms = {name: column for name, column in trace.columns.items() if column.ndim == 2}
    drawn = {*thinned(len(trace.steps), HISTOGRAMS).tolist()}
    # Names the plugin of TensorBoard that shows a value; as TensorFlow's own protocol buffer.
    written = create_summary_metadata(display_name=None, description=None).SerializeToString()
    metadata = tf.compat.v1.SummaryMetadata.FromString(written)
    for record, step in enumerate(trace.steps.tolist()):
        summary = tf.compat.v1.Summary()
        for name, column in scalars.items():
            summary.value.add(tag=name, simple_value=column[record])
        for name, column in histograms.items() if record in drawn else ():
            tensor = tf.make_tensor_proto(buckets(column[record]), tf.float64)
            summary.value.add(tag=name, metadata=metadata, tensor=tensor)
        yield step, summary.SerializeToString()
