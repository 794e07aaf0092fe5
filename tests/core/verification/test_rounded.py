"""Running error analysis: the bound holds for what float32 and float64 really do, and is no larger than it must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import InputError
from core.verification.rounded import Precision, Rounded, either

numbers = st.floats(1e-12, 1e12).flatmap(lambda size: st.sampled_from([size, -size]))
OPERATIONS = {
    "a + b": lambda a, b, c: a + b + c,
    "a − b": lambda a, b, c: a - b - c,
    "a·b": lambda a, b, c: a * b * c,
    "a/b": lambda a, b, c: a / b / c,
    "√a": lambda a, b, c: np.sqrt(a * a) * np.sqrt(b * b) + c,
    "a²": lambda a, b, c: a**2 + b**2 - c,
    "a constant": lambda a, b, c: 0.1 * a + b / 3 - (1 / c) * 0.7,
    "a³": lambda a, b, c: np.abs(a) ** 3 / b,
    "cᵃ": lambda a, b, c: 0.9 ** np.minimum(np.abs(a), 30.0) * b,
    "exp, log": lambda a, b, c: np.exp(np.minimum(np.log(np.abs(a)), 2.0)) * c,
    "cos": lambda a, b, c: np.cos(np.minimum(np.abs(a / b), 30.0)) * c,
    "floor": lambda a, b, c: np.floor(np.minimum(np.abs(a / b), 30.0)) + c,
    "chosen": lambda a, b, c: np.where(a > b, np.maximum(a, c), np.minimum(b, 0.3)) * np.sign(c),
    "all": lambda a, b, c: np.sqrt((a * b) ** 2 + c**2) / (b * b + 0.3) - c,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=20))
@settings(max_examples=40)
def test_the_bound_holds_for_every_operation(name, dtype, triples):
    """Constants are rounded to the dtype as they meet an array, which NumPy does for Python's numbers."""
    columns = [np.array(column, dtype) for column in zip(*triples, strict=True)]
    precision = Precision.of(dtype)
    with np.errstate(all="ignore"):
        found = OPERATIONS[name](*columns)
        bound = OPERATIONS[name](*(precision.exact(column) for column in columns))
        assert found.dtype == dtype
        assert np.all(~np.isfinite(found) | (np.abs(precision.wide(found) - bound.value) <= bound.error))


def test_the_bound_of_one_operation_is_half_a_unit():
    """Would catch bounds so generous that nothing is seen."""
    one = Precision.of(np.float32).exact(np.float32([1.5]))
    for result in (one * one, one / one, np.sqrt(one), one + one):
        assert result.error[0] == pytest.approx(np.finfo(np.float32).eps / 2 * result.value[0])


def test_an_error_is_passed_on_in_full():
    precision = Precision.of(np.float64)
    a = Rounded(np.longdouble([2.0]), np.longdouble([0.5]), precision)
    assert (a + a).error[0] == pytest.approx(1.0)
    assert (a * 3.0).error[0] == pytest.approx(1.5)
    assert (1.0 / a).error[0] == pytest.approx(1 / 1.5 - 1 / 2)
    assert np.sqrt(a).error[0] == pytest.approx(np.sqrt(2.0) - np.sqrt(1.5))
    assert (a * a).error[0] == pytest.approx(2.5**2 - 4)


def test_a_sum_that_cancels_is_charged_to_its_terms():
    one = Precision.of(np.float32).exact(np.float32([1.0]))
    assert (one - one).error[0] == pytest.approx(np.finfo(np.float32).eps)


def test_what_flushing_may_take_is_allowed():
    """1e-30 squared is 0 in float32, and its root with it."""
    precision = Precision.of(np.float32)
    root = np.sqrt(precision.exact(np.float32([1e-30])) ** 2)
    assert root.value[0] == pytest.approx(1e-30)
    assert 1e-30 < root.error[0] < 1e-18


def test_either_passes_operands_errors_on_once_and_takes_the_wider_rounding():
    precision = Precision.of(np.float64)
    a = Rounded(np.longdouble([1.0]), np.longdouble([1e-3]), precision)
    both = either((a,), lambda x: 0.5 * x, lambda x: x - 0.5 * x)
    assert both.value[0] == 0.5
    assert both.error[0] == pytest.approx(0.5e-3), "1.5e-3 would count x twice"
    assert both.error[0] > (0.5 * a).error[0], "the second order rounds more"
    assert either((2.0,), lambda x: 0.5 * x, lambda x: x - 0.5 * x) == 1.0


def test_a_dtype_that_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="must be float32 or float64, found float16"):
        Precision.of(np.float16)


def test_what_has_no_known_rounding_error_is_refused_in_a_sentence():
    one = Precision.of(np.float32).exact(np.float32([1.0]))
    with pytest.raises(TypeError, match="sum combines elements, and a formula is judged element by element"):
        np.sum(one)
    with pytest.raises(TypeError, match=r"tan is not among the functions whose rounding errors are known: .*sqrt"):
        np.tan(one)


def test_a_sign_is_sure_where_rounding_cannot_turn_it_over():
    """Would catch the sign of a sum that cancels taken for certain, and that of an exact 0 taken for doubtful."""
    precision = Precision.of(np.float32)
    a, zero = precision.exact(np.float32([1.0, 0.3])), precision.exact(np.float32([0.0, 0.0]))
    assert np.sign(a).error.tolist() == [0.0, 0.0]
    assert np.sign(0.9 * zero + 0.1 * zero).error.tolist() == [0.0, 0.0]
    assert np.sign(0.1 * a - 0.1 * a).error.tolist() == [1.0, 1.0]
