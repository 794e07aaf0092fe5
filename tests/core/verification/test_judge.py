"""The judge on planted deviations: how small a one it sees, where it finds it, and what it does not mind."""

from dataclasses import replace

import numpy as np
import pytest

from core import Adam, At
from core.verification import FORMULAS, synthetic
from core.verification.graph import nodes, traced
from core.verification.judge import free_run, judge, judge_drift, judge_first
from core.verification.trajectory import Trajectory, numpy_trajectory
from tests.cases import CASES, DTYPES, IDS, checkered, in_one_program

ADAM = CASES["adam", "paper"]
CONSTANT = synthetic("float32", 1).kinds.index("constant") + 6  # a coordinate where nothing cancels


def changed(trajectory, value, row, column, factor):
    """The trajectory with one number of one step multiplied."""
    array = trajectory.after[value].copy()
    array[row, min(column, array.shape[1] - 1)] *= factor
    return replace(trajectory, after={**trajectory.after, value: array})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", ["m", "v", "m_hat", "v_hat", "denominator", "delta", "correction_1", "correction_2"])
def test_an_error_of_ten_units_in_one_number_is_found_and_located(value, dtype):
    """Ten units, where what rounding may come to is 1.5 to 7: a bound twice as generous would miss some.

    The unit of 1 − β^t is that of 1 + β^t, at step 12 a hundred and seventy times that of 1 − β2^t itself.
    """
    trajectory = numpy_trajectory(ADAM.rule, synthetic(dtype, 20))
    units = 1_700 if value == "correction_2" else 10
    found = judge(ADAM.formula, changed(trajectory, value, 11, CONSTANT, 1 + units * np.finfo(dtype).eps))
    assert found.first is not None
    assert found.first.value == value
    assert found.first.step == 12
    assert found.first.coordinate == (0 if value.startswith("correction") else CONSTANT)
    assert judge(ADAM.formula, trajectory).agrees


def test_a_number_that_is_none_is_found():
    trajectory = numpy_trajectory(ADAM.rule, synthetic("float32", 20))
    first = judge(ADAM.formula, changed(trajectory, "v", 3, 5, np.nan)).first
    assert (first.value, first.step, first.coordinate) == ("v", 4, 5)
    assert first.units == np.inf


def test_the_first_is_the_earliest_step_and_then_the_earliest_in_the_formula():
    trajectory = numpy_trajectory(ADAM.rule, synthetic("float64", 1_200))
    for value, row in (("m", 900), ("delta", 600), ("v_hat", 600), ("denominator", 601)):
        trajectory = changed(trajectory, value, row, 2, 2.0)
    first = judge(ADAM.formula, trajectory).first
    assert (first.value, first.step) == ("v_hat", 601)


def test_worst_is_the_largest_error_and_units_hold_it_for_every_value():
    trajectory = numpy_trajectory(ADAM.rule, synthetic("float32", 50))
    eps = np.finfo(np.float32).eps
    found = judge(
        ADAM.formula,
        changed(changed(trajectory, "v", 20, CONSTANT, 1 + 100 * eps), "delta", 30, CONSTANT, 1 + 50 * eps),
    )
    assert (found.worst.value, found.worst.step) == ("v", 21)
    assert found.worst.units == pytest.approx(100, abs=3)
    assert found.units["delta"] == pytest.approx(50, abs=3)
    assert found.units["m"] < 2


def test_flushed_denormals_are_counted_and_not_held_against_tensorflow():
    """TensorFlow takes them for 0, NumPy does not; neither is wrong, and neither is worst for it."""
    streams = synthetic("float32", 50)
    flushed = judge(ADAM.formula, in_one_program({"x": ADAM.rule}, streams, "xla-loop")["x"])
    kept = judge(ADAM.formula, numpy_trajectory(ADAM.rule, streams))
    assert flushed.agrees
    assert kept.agrees
    assert flushed.flushed > kept.flushed
    assert flushed.worst.units < 4


def test_an_error_below_what_flushing_takes_is_the_only_one_that_is_let_pass():
    """The denormal gradients' own update, doubled: still less than the smallest normal gradient would give."""
    streams = synthetic("float32", 20)
    trajectory = numpy_trajectory(ADAM.rule, streams)
    denormal = streams.kinds.index("denormal")
    assert judge(ADAM.formula, changed(trajectory, "m", 0, denormal, 2.0)).agrees
    assert not judge(ADAM.formula, changed(trajectory, "m", 0, denormal, 1e6)).agrees


def test_slots_that_start_elsewhere_are_found_before_any_step():
    formula = FORMULAS["adagrad"]["keras"]
    expected = formula.first(np.zeros(3, np.float32))
    assert judge_first(expected, expected) is None
    found = judge_first({"a": np.float32([0.1, 0.1 + 1e-8, 0.25])}, expected)
    assert (found.value, found.step, found.coordinate) == ("a", 0, 2)


@pytest.mark.parametrize(("case", "dtype"), checkered(dict(zip(IDS, CASES.values(), strict=True)), DTYPES))
def test_a_run_left_alone_drifts_no_further_than_rounding_derives(case, dtype):
    streams = synthetic(dtype, 500)
    drift = judge_drift(free_run(case.formula, streams.gradients, streams.start), numpy_trajectory(case.rule, streams))
    assert drift.first is None, drift.first
    assert drift.share <= 1
    if not any(
        node.is_(np.sign) for node in nodes(traced(case.formula).values.values())
    ):  # which any rounding may turn
        assert drift.share > 0.05, "a bound that is twenty times too large would hold anything"


def test_a_state_that_is_lost_on_the_way_shows_in_the_drift_alone():
    """Every step is right from the state before it, but after step 100 the slots are those of another run.

    Would catch a drift that is measured from the trajectory's own states.
    """

    class Elsewhere(Adam):
        def slots(self, x):
            return super().slots(x)._replace(v=x * 0 + 1e-3)

    streams = synthetic("float64", 200)
    whole, other = (numpy_trajectory(rule, streams) for rule in (ADAM.rule, Elsewhere()))

    def mixed(ours, theirs):
        return {name: np.concatenate([ours[name][:100], theirs[name][100:]]) for name in ours}

    before, after = mixed(whole.before, other.before), mixed(whole.after, other.after)
    trajectory = replace(whole, before=before, after=after, x=np.concatenate([whole.x[:100], other.x[100:]]))
    assert judge(ADAM.formula, trajectory).agrees
    assert judge_drift(free_run(ADAM.formula, streams.gradients, streams.start), trajectory).first.step == 101


def test_a_sign_that_roundings_decide_may_be_either_and_is_counted():
    """Lion's direction where β1·m is −(1 − β1)·g to within its rounding, and where it is not."""
    case, m, g = CASES["lion", "paper"], np.float32([[1, 1]]), np.float32([[-9, -10]])
    step = case.rule.step(g, case.rule.first(g)._replace(m=m), m * 0, At(np.float64(1)))
    after = {name: np.broadcast_to(value, g.shape) for name, value in step.values.items()}
    expected = float(np.sign(np.float64(0.9) * 1 + (1 - 0.9) * -9.0))
    for direction in (-1.0, 0.0, 1.0):
        turned = {**after, "delta": np.float32([[direction, -1]]) * np.float32(1e-4)}
        found = judge(case.formula, Trajectory(np.array([1]), g, m * 0, {"m": m}, turned))
        assert found.agrees
        assert found.unsettled == (direction != expected)
    wrong = {**after, "delta": -step.delta}
    assert not judge(case.formula, Trajectory(np.array([1]), g, m * 0, {"m": m}, wrong)).agrees
