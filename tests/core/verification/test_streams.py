"""Gradient streams: what is in them, that a seed gives the same ones, and what they refuse."""

import numpy as np
import pytest

from core import InputError
from core.verification import Streams, joined, synthetic


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_drawn_gradients_are_of_the_kinds_that_show_a_wrong_formula(dtype):
    streams, tiny = synthetic(dtype, 10_000), np.finfo(dtype).tiny
    kinds = {kind: streams.gradients[:, np.array(streams.kinds) == kind] for kind in streams.kinds}
    assert set(kinds) == {"steady", "mixed", "gaps", "constant", "flipping", "bursts", "wide", "zero", "denormal"}
    assert streams.gradients.dtype == dtype
    sizes = np.abs(kinds["mixed"])
    assert sizes.min() < 1e-7
    assert 1e3 < sizes.max() <= 1e4
    reach = np.abs(kinds["wide"])
    assert reach.min() < tiny ** (1 / 3)
    assert np.isfinite(np.sum(kinds["wide"] ** 2)), "a sum of squares is no infinity"
    assert np.all(kinds["constant"] == kinds["constant"][0])
    np.testing.assert_array_equal(kinds["flipping"][1:], -kinds["flipping"][:-1])
    assert 0.2 < np.mean(kinds["gaps"] == 0) < 0.4
    assert not np.any(kinds["zero"])
    assert np.all((kinds["denormal"] != 0) & (np.abs(kinds["denormal"]) < tiny))
    resting = kinds["bursts"][5:50]
    assert not np.any(resting)


def test_a_seed_gives_the_same_gradients_and_another_seed_others():
    a, b, c = (synthetic("float32", 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.gradients, b.gradients)
    assert np.any(a.gradients != c.gradients)


def test_a_place_is_named_by_its_kind_and_number():
    streams = joined({"a": np.zeros((3, 2)), "b": np.ones((3, 2))}, 0)
    assert [streams.place(coordinate) for coordinate in range(4)] == ["a[0]", "a[1]", "b[0]", "b[1]"]
    assert streams.first(2).gradients.shape == (2, 4)
    assert streams.cast("float32").gradients.dtype == np.float32
    assert Streams(np.array([[1.0, 1e100]]), ("a", "b"), 0).held_by("float32").kinds == ("a",)
    assert streams.beside(streams).kinds == ("a", "a", "b", "b") * 2


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype(np.float16)])
def test_streams_of_a_narrow_dtype_say_so_however_it_is_named(dtype):
    """Would catch gradients that are rounded to float16 and pass for float32's."""
    streams = joined({"a": np.ones((3, 2))}, 0).cast(dtype)
    assert (streams.dtype, streams.gradients.dtype) == ("float16", np.float32)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Streams(np.zeros(3), ("a",), 0), "[steps, coordinates], found float64 (3,)"),
        (lambda: Streams(np.zeros((0, 1)), ("a",), 0), "found float64 (0, 1)"),
        (lambda: Streams(np.zeros((2, 1), int), ("a",), 0), "found int64 (2, 1)"),
        (lambda: Streams(np.zeros((2, 2)), ("a",), 0), "a kind for each of 2 coordinates"),
        (lambda: Streams(np.full((2, 1), np.nan), ("a",), 0), "Gradients must be finite numbers"),
        (lambda: Streams(np.full((2, 1), 1e300), ("a",), 0).cast("float32"), "Gradients must be finite numbers"),
        (lambda: synthetic("float32", 3).beside(synthetic("float32", 4)), "one dtype and as many steps"),
    ],
)
def test_what_are_no_gradients_is_refused(build, sentence):
    with pytest.raises(InputError) as error:
        build()
    assert sentence in str(error.value)
