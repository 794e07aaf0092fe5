"""Sums, order statistics and histograms against NumPy's, eager and compiled."""

import numpy as np
import pytest
import tensorflow as tf

from core.engine.reductions import column_sums, half_octave_edges, half_octaves, order_statistics, sum_of_squares

SHARES = [0.0, 0.25, 0.5, 0.75, 1.0]
SIZES = [1, 2, 7, 4_095, 4_096, 50_003]
"""Below, at and beyond what a sum folds, with and without a remainder."""


def numbers(size, dtype=np.float32):
    """Over forty orders of magnitude, of both signs, a fifth of them 0."""
    random = np.random.default_rng(size)
    values = random.standard_normal(size) * np.exp(8 * random.standard_normal(size))
    return np.where(random.random(size) < 0.2, 0, values).astype(dtype)


def compiled(function, jit, *arguments):
    return tf.function(function, jit_compile=jit, autograph=False)(*map(tf.constant, arguments)).numpy()


def total(x, jit):
    """What the column sums come to in float64."""
    return compiled(lambda x: column_sums(x, jit), jit, x).astype(float).sum()


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_sum_leaves_out_nothing_and_rounds_as_rarely_as_its_columns_are_long(size, jit):
    """Would catch a remainder that is dropped or counted twice: it would be off by its share, not by roundings.

    Terms of one sign, of which each takes part in at most rows + 3 float32 additions of 2⁻²⁴ relative error. One term
    more or less would be seen.
    """
    x = np.random.default_rng(size).uniform(1, 2, size).astype(np.float32)
    found, expected = total(x, jit), x.astype(float).sum()
    bound = (size / 1024 + 4) * 2.0**-24 * expected
    assert abs(found - expected) <= bound < abs(found - expected - x[-1])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_sum_of_squares_is_exact_to_float64_s_roundings(size, jit):
    """Would catch squares in float32, of which these are ∞ or 0, and a remainder that is dropped or counted twice."""
    x = np.random.default_rng(size).uniform(1, 2, (size, 1)).astype(np.float32) * np.float32(
        2.0 ** (130 * (size % 2) - 30)
    )
    found, expected = compiled(sum_of_squares, jit, x), (x.astype(float) ** 2).sum()
    assert abs(found - expected) <= size * 2.0**-53 * expected < abs(found - expected - x[-1].astype(float)[0] ** 2)


@pytest.mark.parametrize("jit", [False, True])
def test_a_count_beyond_the_integers_of_float32_is_exact(jit):
    """2²⁴ + 1 is the first whole number that float32 has not."""
    size = 2**24 + 2**18 + 1
    assert total(np.ones(size, bool), jit) == size


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_order_statistics_are_numpy_s_inverted_distribution(size, jit):
    """To the bit. Would catch a rank off by one, a digit lost, a sign, and elements counted that should not be."""
    x = numbers(size)
    x[:1] = 3.0
    found = compiled(lambda x: order_statistics(x, tf.not_equal(x, 0), SHARES), jit, x)
    np.testing.assert_array_equal(found, np.quantile(abs(x[x != 0]), SHARES, method="inverted_cdf"))


@pytest.mark.parametrize("x", [[0.0] * 4, [np.inf, 1, 2, 3], [np.nan, 1, 1, 1], [5.0] * 6, [1e-45, 2e-45, 1e-40]])
def test_order_statistics_of_what_is_equal_subnormal_or_not_finite(x):
    x = np.array(x, np.float32)
    found = order_statistics(tf.constant(x), tf.ones(len(x), bool), SHARES).numpy()
    expected = np.sort(abs(x))[[max(0, int(np.ceil(share * len(x))) - 1) for share in SHARES]]  # NaN comes last
    np.testing.assert_array_equal(found, expected)


def test_of_nothing_there_are_no_order_statistics():
    found = order_statistics(tf.constant([1.0, 2.0]), tf.constant([False, False]), SHARES)
    assert np.isnan(found).all()


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_histograms_are_numpy_s_over_the_same_edges(dtype, jit):
    """Would catch a sign bit among the bins, and edges that are not those of the bins."""
    x = np.append(numbers(5_000, dtype), [1.0, 1.5, np.nextafter(dtype(1.5), dtype(0)), 2.0]).astype(dtype)
    edges = half_octave_edges()
    finite = edges[: list(edges).index(np.inf)]
    expected, _ = np.histogram(abs(x.astype(np.float32)), np.append(finite, np.inf))
    found = compiled(half_octaves, jit, x)
    np.testing.assert_array_equal(found[: len(expected)], expected)
    assert not found[len(expected) :].any()
    assert half_octaves(tf.constant([np.inf, -np.inf, 1.0])).numpy()[list(edges).index(np.inf)] == 2
