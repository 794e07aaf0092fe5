"""The events as TensorBoard's own reader sees them."""

import numpy as np
import pytest
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from core.engine.reductions import half_octave_edges
from training.views.trace.events import buckets


@pytest.fixture(scope="module")
def board(runs):
    everything = {"scalars": 0, "tensors": 0}
    return EventAccumulator(str(runs.adam / "events"), size_guidance=everything).Reload()


def test_every_column_is_there_for_the_plugin_that_shows_it(runs):
    """As TensorBoard itself reads the folder."""
    columns = runs.traces[runs.adam].columns
    shown = plugin_event_accumulator.EventAccumulator(str(runs.adam / "events")).Reload()
    assert {*shown.Tags()["tensors"]} == {*columns}
    for name, column in columns.items():
        plugin = shown.SummaryMetadata(name).plugin_data.plugin_name
        assert plugin == ("scalars" if column.ndim == 1 else "histograms"), name


def test_scalars_are_the_columns_at_their_steps(board, runs):
    """Would catch a step counted from 0, and columns that are exchanged. TensorBoard keeps float32."""
    trace = runs.traces[runs.adam]
    for name, column in trace.columns.items():
        if column.ndim == 1:
            events = board.Scalars(name)
            assert [event.step for event in events] == [*trace.steps]
            np.testing.assert_array_equal([event.value for event in events], column.astype(np.float32), err_msg=name)


@pytest.mark.parametrize("name", ["h1/histogram_g", "bo/histogram_delta", "ho/histogram_x"])
def test_histograms_are_the_counts_between_their_edges(name, board, runs):
    trace, edges = runs.traces[runs.adam], half_octave_edges()
    events = board.Tensors(name)
    assert [event.step for event in events] == [*trace.steps]
    for event, counts in zip(events, trace.columns[name], strict=True):
        histogram = make_ndarray(event.tensor_proto)
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
