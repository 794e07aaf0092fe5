"""The events as TensorBoard's own reader sees them."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from core.reductions import half_octave_edges
from training.trace.events import buckets
from training.trace.trace import ABOUT


@pytest.fixture(scope="module")
def board(runs):
    accumulator = EventAccumulator(str(runs.adam / "events"), size_guidance={"tensors": 0})  # all of them
    return accumulator.Reload()


def read(board, tag):
    """Steps and values of a tag."""
    events = board.Tensors(tag)
    return [event.step for event in events], [make_ndarray(event.tensor_proto) for event in events]


def test_every_column_is_there_and_goes_to_the_plugin_that_shows_it(board, runs):
    columns = runs.traces[runs.adam].columns
    assert {*board.Tags()["tensors"]} == {*columns} != {ABOUT}
    for name, column in columns.items():
        plugin = board.SummaryMetadata(name).plugin_data.plugin_name
        assert plugin == ("scalars" if column.ndim == 1 else "histograms"), name


def test_scalars_are_the_columns_at_their_steps(board, runs):
    """Would catch a step counted from 0, and columns that are exchanged. TensorBoard keeps float32."""
    trace = runs.traces[runs.adam]
    for name, column in trace.columns.items():
        if column.ndim == 1:
            steps, values = read(board, name)
            assert steps == [*trace.steps]
            np.testing.assert_array_equal(values, column.astype(np.float32), err_msg=name)


@pytest.mark.parametrize("name", ["h1/histogram_g", "bo/histogram_delta", "ho/histogram_x"])
def test_histograms_are_the_counts_between_their_edges(name, board, runs):
    trace, edges = runs.traces[runs.adam], half_octave_edges()
    steps, values = read(board, name)
    assert steps == [*trace.steps]
    for histogram, counts in zip(values, trace.columns[name], strict=True):
        assert histogram[:, 2].sum() == counts.sum() > 0
        for low, high, count in histogram:
            (number,) = np.flatnonzero(edges == low)
            assert (high, count) == (edges[number + 1], counts[number])


def test_buckets_hold_what_was_counted_and_leave_out_what_has_no_place():
    """1.0 and 1.25 lie in [1, 1.5); ∞ and NaN nowhere; what is all ∞ leaves an empty bucket."""
    counts = np.zeros(512, np.int32)
    number = int(np.flatnonzero(half_octave_edges() == 1)[0])
    counts[[number, number + 2, 510, 511]] = [2, 1, 5, 6]
    np.testing.assert_array_equal(buckets(counts), [[1, 1.5, 2], [1.5, 2, 0], [2, 3, 1]])
    counts[:510] = 0
    np.testing.assert_array_equal(buckets(counts), [[0, 0, 0]])
    counts[509] = 1
    assert np.isfinite(buckets(counts)).all()
