"""The ladder: its arithmetic on planted times, and its drift on a small network of which one rung is planted wrong."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from core import Adam, Optimizer, Program
from core.engine.feeds import Sampler
from training.views.inspection.drift import Walk, drift
from training.views.inspection.ladder import EXECUTIONS, Subject, break_even, ladder, pieces, rungs, walk
from training.views.inspection.subjects import builder

from ...striped import SETTINGS, striped_data

STEPS = 20
DATA = striped_data()
EXAMPLES = tuple(tf.constant(array) for array in DATA.train)
BATCHES = Sampler(len(DATA.train[0]), SETTINGS.batch_size).take(STEPS)
NO_DRIFT = dict.fromkeys(EXECUTIONS, drift(Walk(np.zeros(1), np.ones(1), 1.0), Walk(np.zeros(1), np.ones(1), 1.0)))

right = builder(replace(SETTINGS, dialect="paper", learning_rate=0.001), DATA)


def one_wrong(execution, dtype=tf.float32):
    """Planted: xla-step has a learning rate that is 0.1 % too large."""
    if execution != "xla-step":
        return right(execution, dtype)
    program, variables = right(execution, dtype)
    optimizer = Optimizer(Adam(1.001e-3), variables)
    return Subject(Program(program.step.cost, variables, optimizer, execution), variables)


@pytest.fixture(scope="module")
def climbed():
    """The rungs by name, and what was told."""
    heard = []
    found = ladder(one_wrong, EXAMPLES, BATCHES, rounds=2, compilations=2, heard=heard.append)
    return {rung.execution: rung for rung in found}, heard


def test_all_rungs_are_timed_and_all_that_is_done_is_told(climbed):
    found, heard = climbed
    assert list(found) == list(EXECUTIONS)
    assert len(heard) == pieces(rounds=2, compilations=2)
    assert found["eager"].compile_seconds is None
    assert found["xla-loop"].compile_seconds > 0
    assert found["xla-loop"].ratio == (1, 1, 1)
    assert found["eager"].ratio.median > 1


def test_rounding_carries_the_right_rungs_a_few_roundings_away(climbed):
    """20 steps of Adam at 0.001, each of which rounds what it adds to the weights once: 20 roundings are more than
    these and what the gradients' own come to."""
    found, _ = climbed
    for execution in ("eager", "graph", "xla-loop"):
        assert 0 < found[execution].drift.roundings < 20, execution
        assert found[execution].drift.moved < 1e-4, execution


def test_a_rung_that_computes_something_else_is_seen(climbed):
    """0.1 % of the way: at rate 0.001 · 1.001 Adam goes that much further, and little else changes in 20 steps."""
    found, _ = climbed
    assert found["xla-step"].drift.moved == pytest.approx(1e-3, rel=0.2)
    assert found["xla-step"].drift.moved > 10 * max(found[one].drift.moved for one in ("eager", "graph", "xla-loop"))
    assert found["xla-step"].drift.cost > 10 * found["xla-loop"].drift.cost


def test_a_run_in_float64_has_not_drifted_from_itself():
    one, other = (walk(right("graph", tf.float64), EXAMPLES, BATCHES) for _ in range(2))
    assert drift(one, other) == (0, 0, 0)
    assert not np.array_equal(one.start, one.end)


def test_the_float64_run_starts_where_the_float32_runs_do():
    """Would catch weights drawn in float64 anew, whose first difference is a rounding of each."""
    narrow, wide = right("eager").variables, right("eager", tf.float64).variables
    for name in narrow:
        np.testing.assert_array_equal(narrow[name].numpy().astype(np.float64), wide[name].numpy())


def test_no_float32_run_can_be_closer_than_four_tenths_of_a_rounding():
    random = np.random.default_rng(0)
    end = random.standard_normal(10_000)
    apart = drift(Walk(end * 0, end.astype(np.float32).astype(np.float64), 1.0), Walk(end * 0, end, 1.0))
    # Errors are even over ± half a last place: 2⁻²⁴·2^e/√3 for numbers m·2^e, whose m is 1.3 to 1.6 in the mean square.
    assert 0.36 < apart.roundings < 0.45
    assert apart.cost == 0


def test_drift_is_a_share_of_the_way_that_the_reference_went():
    """From (0, 0) to (3, 4), and off by (0.3, 0.4): a tenth; of ‖θ*‖ that is a tenth too, in 2⁻²⁴."""
    found = drift(Walk(np.zeros(2), np.array([3.3, 4.4]), 2.2), Walk(np.zeros(2), np.array([3.0, 4.0]), 2.0))
    assert found == pytest.approx((0.1, 0.1 * 2**24, 0.1))


@pytest.mark.parametrize(
    ("more", "gained", "expected"),
    [(2.0, 0.01, 200), (2.001, 0.01, 201), (-1.0, 0.01, 0), (2.0, 0.0, None), (2.0, -0.01, None), (-1.0, -0.01, None)],
)
def test_break_even(more, gained, expected):
    assert break_even(more, gained) == expected


def test_rungs_from_planted_times():
    """First calls of 10 steps. graph: 1.1 s, less 10 · 10 ms, compiles for 1 s and gains 90 ms a step over eager: 12
    steps pay. xla-step gains 8 ms more and compiles 1 s longer: 125. xla-loop is no faster: it never pays."""
    seconds = {"eager": [0.1] * 3, "graph": [0.01] * 3, "xla-step": [0.002] * 3, "xla-loop": [0.002, 0.001, 0.003]}
    first = {"eager": [1.0], "graph": [1.1], "xla-step": [2.02], "xla-loop": [3.02, 9.0, 3.02]}
    found = {rung.execution: rung for rung in rungs(first, seconds, 10, NO_DRIFT)}
    assert [found[one].compile_seconds for one in EXECUTIONS] == [None, *(pytest.approx(s) for s in (1.0, 2.0, 3.0))]
    assert [found[one].over_before for one in EXECUTIONS] == [None, 12, 125, None]
    assert [found[one].over_eager for one in EXECUTIONS] == [None, 12, 21, 31]
    assert found["eager"].ratio == pytest.approx((50, 100 / 3, 100))
