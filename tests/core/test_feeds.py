"""Feeds: the same batches from any place on, whoever reads them."""

import json
from itertools import count

import numpy as np
import pytest
import tensorflow as tf

from core import Adam, Guard, InputError, NonFiniteError, Optimizer, Program
from core.engine.feeds import Feed, Iterated, Pieces, Resident, Streamed

SIZE, BATCH = 1_000, 20
ARRAYS = np.arange(SIZE * 3, dtype=np.float32).reshape(SIZE, 3), np.arange(SIZE)


def shuffled_dataset():
    return tf.data.Dataset.from_tensor_slices(ARRAYS).shuffle(200, seed=3).batch(BATCH, drop_remainder=True)


def batches_of_a_generator():
    random = np.random.default_rng(5)
    for _ in range(SIZE // BATCH):
        rows = random.integers(SIZE, size=BATCH)
        yield tuple(array[rows] for array in ARRAYS)


def memory_mapped(folder):
    paths = [folder / f"{number}.npy" for number in range(len(ARRAYS))]
    for path, array in zip(paths, ARRAYS, strict=True):
        if not path.exists():  # another feed may be reading it: to write it again would end the process (SIGBUS)
            np.save(path, array)
    return [np.load(path, mmap_mode="r") for path in paths]


FEEDS = {
    "resident": lambda folder: Resident(ARRAYS, BATCH, seed=1),
    "memory-mapped": lambda folder: Streamed(memory_mapped(folder), BATCH, seed=1, window=300),
    "pieces": lambda folder: Streamed(Pieces(ARRAYS, 70), BATCH, seed=1, window=300),
    "one window": lambda folder: Streamed(ARRAYS, BATCH, seed=1),
    "dataset": lambda folder: Iterated(shuffled_dataset, SIZE // BATCH),
    "generator": lambda folder: Iterated(batches_of_a_generator, SIZE // BATCH),
}


def taken(feed: Feed, *calls: int) -> list[np.ndarray]:
    """The rows of each step, of the second array: the examples' numbers."""
    found = []
    for steps in calls:
        data, numbers = feed.take(steps)
        for array, of in zip(data, ARRAYS, strict=True):
            assert array.dtype == of.dtype
        np.testing.assert_array_equal(data[0][:, 0], 3 * data[1].numpy())  # the arrays' rows belong together
        found += [data[1].numpy()[batch] for batch in numbers]
    return found


@pytest.fixture(params=FEEDS)
def made(request, tmp_path):
    return lambda: FEEDS[request.param](tmp_path)


def test_batches_do_not_depend_on_the_lengths_of_calls(made):
    """Would catch what was prepared for other steps being dropped with its examples."""
    np.testing.assert_array_equal(taken(made(), 60, 60), taken(made(), 1, 7, 52, 49, 10, 1))


def test_a_feed_goes_on_from_any_place(made):
    """Written as JSON and read again, into another feed, and into the same one, which has gone on meanwhile."""
    feed = made()
    taken(feed, 37)
    state = json.loads(json.dumps(feed.state))
    after = taken(feed, 30, 40)
    other = made()
    taken(other, 3)
    for one in (other, feed):
        one.state = state
        np.testing.assert_array_equal(taken(one, 30, 40), after)


@pytest.mark.parametrize("name", ["resident", "memory-mapped", "pieces", "one window", "dataset"])
def test_every_example_is_seen_once_an_epoch_and_each_epoch_in_another_order(name, tmp_path):
    epochs = [np.concatenate(taken(feed, SIZE // BATCH)) for feed in [FEEDS[name](tmp_path)] for _ in range(3)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(SIZE))
    assert (epochs[0] != epochs[1]).any()
    assert (epochs[1] != epochs[2]).any()


def test_a_window_mixes_pieces_from_everywhere():
    """Would catch an order that reads one piece after another: the first 300 of 1,000 would be within 370 of it."""
    first = np.concatenate(taken(Streamed(Pieces(ARRAYS, 10), BATCH, window=300), 15))
    assert np.histogram(first, bins=10, range=(0, SIZE))[0].min() > 0
    assert abs(np.corrcoef(np.arange(300), first)[0, 1]) < 0.2


def test_pieces_are_read_once_an_epoch():
    """Would catch pieces that are read again for each call."""
    reads = count()

    class Counted(Pieces):
        def read(self, piece):
            next(reads)
            return super().read(piece)

    feed = Streamed(Counted(ARRAYS, 50), BATCH, window=200)
    taken(feed, *[5] * 10)  # an epoch of 20 pieces
    assert next(reads) <= 20 + 2 * 4 + 4  # and the two windows after it, of four or five pieces


@pytest.mark.parametrize("of", [2, 4])
def test_the_parts_of_a_feed_are_its_batches_shares(made, of):
    whole = taken(made(), 12, 9)
    parts = [made().part(number, of) for number in range(of)]
    for number, part in enumerate(parts):
        own = BATCH // of
        share = slice(number * own, (number + 1) * own)
        np.testing.assert_array_equal([batch[share] for batch in taken(part, 12, 9)], [batch[share] for batch in whole])


def test_a_part_holds_its_own_examples_alone():
    data, _ = Streamed(ARRAYS, BATCH).part(1, 4).take(10)
    assert [len(array) for array in data] == [50, 50]


def cost(variables, rows, numbers):
    return tf.reduce_mean(tf.square(rows @ variables["w"] / SIZE - 1))


def program(execution="xla-loop"):
    variables = {"w": tf.Variable(np.full([3, 1], 0.5, np.float32))}
    return Program(cost, variables, Optimizer(Adam(), variables), execution)


@pytest.mark.parametrize("execution", ["xla-loop", "graph"])
def test_a_program_takes_the_same_steps_from_a_feed_as_from_its_batches(made, execution):
    fed, given, feed = program(execution), program(execution), made()
    costs = [fed.run(feed, steps).numpy() for steps in (10, 10, 5)]
    other = made()
    expected = [given.run(*other.take(steps)).numpy() for steps in (10, 10, 5)]
    np.testing.assert_array_equal(np.concatenate(costs), np.concatenate(expected))
    assert len(np.unique(costs[0])) == 10


def test_a_guard_finds_the_step_in_a_feed_and_puts_it_back():
    """A NaN in the example 777: the guard reads the batches once more from where it last looked."""
    rows = ARRAYS[0].copy()
    rows[777, 0] = np.nan
    feed, running = Streamed(Pieces((rows, ARRAYS[1]), 50), BATCH, window=200), program()
    at = next(step for step, batch in enumerate(taken_numbers(feed)) if 777 in batch)
    feed.state = Streamed(Pieces(ARRAYS, 50), BATCH, window=200).state
    guard, before = Guard(running), feed.state
    with pytest.raises(NonFiniteError, match="the cost is NaN") as error:
        [guard.run(feed, 5) for _ in range(10)]
    assert error.value.step == at + 1
    assert feed.state == before


def taken_numbers(feed):
    data, numbers = feed.take(SIZE // BATCH)
    return data[1].numpy()[numbers]


def test_a_reader_that_fails_says_so_where_its_examples_are_taken():
    class Failing(Pieces):
        def read(self, piece):
            if piece == 3:
                raise InputError("shard 3 is damaged.")
            return super().read(piece)

    feed = Streamed(Failing(ARRAYS, 100), BATCH, window=100)
    with pytest.raises(InputError, match="shard 3 is damaged"):
        taken(feed, *[5] * 10)


def ragged():
    yield from ((np.zeros([20, 3]), np.zeros(20)), (np.zeros([7, 3]), np.zeros(7)))


WRONG = {
    "as many examples": lambda: Streamed((np.zeros(3), np.zeros(4)), 1),
    "between 1 and the 1000": lambda: Streamed(ARRAYS, 1_001),
    r"at least one batch, found none in list": lambda: Iterated(list),
    r"must be float64 \[20, 3\], float64 \[20\] like the first, found float64 \[7, 3\]": lambda: Iterated(ragged).take(
        2
    ),
    "begin. must make its Dataset": lambda: went_back(Iterated(lambda: iter([(np.random.default_rng().random(4),)]))),
    "tuple of arrays of numbers": lambda: Iterated(lambda: iter([np.array(["a"])])),
    "does not know how many batches": lambda: Iterated(batches_of_a_generator).steps_per_epoch,
    "cannot be divided equally among 3": lambda: Streamed(ARRAYS, BATCH).part(0, 3),
    "differs from that of the feed": lambda: moved(Iterated(batches_of_a_generator), Iterated(shuffled_dataset)),
}


def went_back(feed):
    state = feed.state
    feed.take(3)
    feed.state = state
    feed.take(1)


def moved(feed, other):
    feed.state = other.state
    feed.take(1)


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_no_feed_is_refused_in_a_sentence(sentence):
    with pytest.raises(InputError, match=sentence):
        WRONG[sentence]()
