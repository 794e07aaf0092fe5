"""The array functions on sympy symbols; on arrays and tensors the rules' own tests run them."""

import numpy as np
import pytest
import sympy
import tensorflow as tf

from core import RULES, Adam
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


@pytest.mark.parametrize("value", [x, x + 1, np.ones(2), tf.ones(2)], ids=["symbol", "expression", "array", "tensor"])
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
    step = own.update(x, own.slots(x), sympy.Symbol("t"), y)
    assert step.delta.has(x, sympy.Symbol("alpha"))
    assert all(isinstance(sympy.sympify(value), sympy.Expr) for value in (*step.slots, *step.stages.values()))
