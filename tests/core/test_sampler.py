"""Batches: permutations laid end to end, wherever the sequence is cut, and wherever it is taken up again."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import InputError
from core.engine.feeds import Sampler
from core.seeds import generator

sizes = st.integers(1, 30).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


@given(sizes, st.integers(0, 10), st.lists(st.integers(0, 7), max_size=6))
def test_batches_are_permutations_laid_end_to_end(size_and_batch, seed, calls):
    """Would catch a remainder thrown away, one that is drawn twice, and a permutation repeated every epoch."""
    size, batch_size = size_and_batch
    sampler = Sampler(size, batch_size, seed)
    taken = [sampler.take(steps) for steps in calls]
    assert [batches.shape for batches in taken] == [(steps, batch_size) for steps in calls]
    sequence = np.concatenate([np.empty(0, np.int32), *(batches.ravel() for batches in taken)])
    random = generator(seed, "sampler")
    whole = [random.permutation(size) for _ in range(-(-len(sequence) // size))]
    np.testing.assert_array_equal(sequence, np.concatenate([np.empty(0), *whole])[: len(sequence)])


@given(sizes, st.integers(0, 10), st.integers(0, 9), st.integers(0, 9))
def test_how_the_steps_are_divided_into_calls_does_not_matter(size_and_batch, seed, first, second):
    divided, whole = Sampler(*size_and_batch, seed), Sampler(*size_and_batch, seed)
    np.testing.assert_array_equal(
        np.concatenate([divided.take(first), divided.take(second)]), whole.take(first + second)
    )


@given(sizes, st.integers(0, 10), st.lists(st.integers(0, 9), max_size=4), st.integers(0, 9))
def test_a_sampler_goes_on_from_a_saved_state(size_and_batch, seed, before, after):
    """Written as JSON and read again, into a sampler of another seed that has dealt out batches of its own."""
    saved, other = Sampler(*size_and_batch, seed), Sampler(*size_and_batch, seed + 1)
    for steps in before:
        saved.take(steps)
    other.take(2)
    other.state = json.loads(json.dumps(saved.state))
    assert other.state == saved.state
    np.testing.assert_array_equal(other.take(after), saved.take(after))


def test_two_epochs_are_two_orders():
    first, second = np.split(Sampler(100, 10).take(20), 2)
    assert sorted(first.ravel()) == sorted(second.ravel()) == list(range(100))
    assert np.any(first != second)


@pytest.mark.parametrize("batch_size", [0, -1, 11])
def test_a_batch_that_cannot_be_drawn_is_refused(batch_size):
    with pytest.raises(InputError, match=f"between 1 and the 10 examples there are, found {batch_size}"):
        Sampler(10, batch_size)


def test_generators_of_other_names_or_seeds_are_other_generators():
    draws = [generator(seed, name).integers(2**63) for seed in (0, 1) for name in ("weights", "sampler")]
    assert len(set(draws)) == 4
    assert generator(0, "weights").integers(2**63) == draws[0]
