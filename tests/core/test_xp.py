"""The array functions on sympy symbols, on arrays and on tensors."""

import re

import numpy as np
import pytest
import sympy
import tensorflow as tf

from core import RULES, Adam, At, xp
from core.xp import cast_like, full_like, is_array, sqrt, where, zeros_like

x, y = sympy.symbols("x y", real=True)


def test_every_function_gives_an_expression_for_a_symbol():
    assert sqrt(x) == sympy.sqrt(x)
    assert where(x > 0, x, y) == sympy.Piecewise((x, x > 0), (y, True))
    assert where(x > 0, 1.0, 0) == sympy.Piecewise((1.0, x > 0), (0, True))
    assert zeros_like(x) == 0
    assert full_like(x, 0.5) == sympy.Float(0.5)
    assert full_like(x, y) == y  # type: ignore[arg-type]
    assert all(isinstance(found, sympy.Basic) for found in (zeros_like(x), full_like(x, 0.5), cast_like(0.5, x)))


@pytest.mark.parametrize("like", [x, 1.0, 3, np.ones(2)], ids=["symbol", "float", "int", "array"])
def test_a_symbol_has_no_dtype_to_be_cast_to(like):
    """Would catch np.asarray(symbol, float64), which is an error, where t is a number and β a symbol."""
    assert cast_like(y, like) is y


@pytest.mark.parametrize("value", [x, x + 1, np.zeros(2), tf.zeros(2)], ids=["symbol", "expression", "array", "tensor"])
def test_symbols_are_taken_as_settings_like_arrays(value):
    assert is_array(value)
    assert Adam(learning_rate=value, beta_1=value).beta_1 is value


@pytest.mark.parametrize("value", [0.5, 1, None, "x", [0.5]])
def test_what_is_no_array_is_none(value):
    assert not is_array(value)


def test_numbers_stay_numpy_s_where_sympy_is_loaded():
    """Would catch a library chosen by what is imported, not by the argument."""
    assert isinstance(sqrt(np.float32(4.0)), np.float32)
    assert isinstance(zeros_like(np.ones(2)), np.ndarray)
    assert cast_like(0.5, np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_s_slots_and_update_come_out_symbolic(rule):
    own = rule(sympy.Symbol("alpha"))
    step = own.step(x, own.slots(x), y, At(sympy.Symbol("t")))
    assert step.delta.has(x, sympy.Symbol("alpha"))
    assert all(isinstance(sympy.sympify(value), sympy.Expr) for value in step.values.values())


A = np.array([[-2.5, -0.3, 0.0], [0.3, 1.0, 7.0]])
B = np.array([[0.5, -4.0, 2.0], [0.3, 2.0, -0.1]])


def calls(a, b):
    """Every function of core.xp that computes something, on two arrays of one dtype, numbers of Python's among them."""
    return {
        "abs": xp.abs(a),
        "clip": xp.clip(a, -1, 0.3),
        "cos": xp.cos(a),
        "equal": xp.where(xp.equal(a, b), 1.0, a),
        "exp": xp.exp(a),
        "floor": xp.floor(a),
        "full_like": xp.full_like(a, 0.1),
        "log": xp.log(xp.abs(b)),
        "matmul": xp.matmul(a, xp.transpose(b)),
        "maximum": xp.maximum(0.1, a),
        "mean": xp.mean(a, axis=(0, 1)),
        "minimum": xp.minimum(a, b),
        "ones_like": xp.ones_like(a),
        "power": xp.power(2, a),
        "sign": xp.sign(a),
        "sqrt": xp.sqrt(xp.abs(a)),
        "square": xp.square(a),
        "sum": xp.sum(a * b, axis=1, keepdims=True),
        "transpose": xp.transpose(a),
        "where": xp.where((a > 0) & ~(b > 1), a, 0.1),
        "zeros_like": xp.zeros_like(a),
    }


EXPECTED = {
    "abs": np.abs(A),
    "clip": np.clip(A, -1, 0.3),
    "cos": np.cos(A),
    "equal": np.where(A == B, 1.0, A),
    "exp": np.exp(A),
    "floor": np.floor(A),
    "full_like": np.full_like(A, 0.1),
    "log": np.log(np.abs(B)),
    "matmul": A @ B.T,
    "maximum": np.maximum(A, 0.1),
    "mean": A.mean(),
    "minimum": np.minimum(A, B),
    "ones_like": np.ones_like(A),
    "power": 2**A,
    "sign": np.sign(A),
    "sqrt": np.sqrt(np.abs(A)),
    "square": A**2,
    "sum": (A * B).sum(axis=1, keepdims=True),
    "transpose": A.T,
    "where": np.where((A > 0) & ~(B > 1), A, 0.1),
    "zeros_like": np.zeros_like(A),
}
UNITS = {tf.float16: 2.0**-10, tf.bfloat16: 2.0**-7, tf.float32: 2.0**-23, tf.float64: 2.0**-52}
NO_ARRAYS = {"cast_like", "is_array", "is_condition"}
"""Tested above."""


def assert_as_expected(found, dtype):
    for name, expected in EXPECTED.items():
        assert tf.as_dtype(found[name].dtype) == dtype, name
        unit = UNITS[dtype]
        values = np.asarray(tf.cast(found[name], tf.float64))
        np.testing.assert_allclose(values, expected, rtol=8 * unit, atol=8 * unit, err_msg=name)


@pytest.mark.parametrize("dtype", UNITS, ids=lambda dtype: dtype.name)
def test_every_function_computes_alike_on_arrays_on_tensors_and_inside_xla(dtype):
    """Would catch a number of Python's that turns an array into float64, or passes through float32 on its way."""
    assert EXPECTED.keys() | NO_ARRAYS == set(xp.__all__)
    narrow = [array.astype(dtype.as_numpy_dtype) for array in (A, B)]
    tensors = [tf.constant(array) for array in narrow]
    assert_as_expected(calls(*narrow), dtype)
    assert_as_expected(calls(*tensors), dtype)
    assert_as_expected(tf.function(calls, jit_compile=True, autograph=False)(*tensors), dtype)


def test_the_list_of_functions_names_all_of_them_and_no_other():
    listed = re.findall(r"^ {4}.*?(?= {2})", xp.__doc__, re.MULTILINE)
    assert {name for line in listed for name in re.findall(r"(\w+)\(", line)} <= set(xp.__all__)
    assert all(re.search(rf"\b{name}\(", xp.__doc__) for name in xp.__all__)
    assert all(getattr(xp, name).__doc__ for name in xp.__all__)


def test_a_condition_that_compares_symbols_as_a_whole_is_refused():
    """sympy's == of two symbols is False, whatever they stand for: the formula would have lost a case in silence."""
    with pytest.raises(TypeError, match=r"write equal\(x, y\) for x == y"):
        where(x == y, x, y)
    assert where(xp.equal(x, y), x, y) == sympy.Piecewise((x, sympy.Eq(x, y)), (y, True))
