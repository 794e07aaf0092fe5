"""A formula's graph: it computes what the formula computes, and what is exchanged in it changes what follows."""

from dataclasses import replace

import numpy as np
import pytest

from core.verification import FORMULAS, synthetic
from core.verification.formulas import asked
from core.verification.graph import OfFormula, evaluated, nodes, replaced, traced
from core.verification.known import known
from core.verification.trajectory import numpy_trajectory
from tests.cases import CASES, IDS, checkered


@pytest.mark.parametrize(("key", "dtype"), checkered(dict(zip(IDS, CASES, strict=True)), ("float32", "float64")))
def test_a_graph_computes_what_its_formula_computes_to_the_bit(key, dtype):
    """Would catch a number that takes another dtype in the graph, and operands that are turned over."""
    formula = replace(CASES[key].formula, running=False)
    run = numpy_trajectory(CASES[key].rule, synthetic(dtype, 20))
    t = run.t[:, np.newaxis]
    corrections = formula.narrow_corrections(t, np.dtype(dtype))
    place = {"t": t.astype(dtype), "x": run.x}
    given = formula.at(t, np.dtype(dtype)) | corrections
    given |= {name: value for name, value in place.items() if name in asked(formula.compute)}
    with np.errstate(all="ignore"):
        expected = formula.compute(run.g, run.before, **given)
        found = OfFormula("the same", formula).follow(run)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], np.broadcast_to(value, found[name].shape), err_msg=name)
        assert found[name].dtype == dtype


def test_what_is_exchanged_changes_what_follows_and_nothing_before_it():
    graph = traced(FORMULAS["adam"]["paper"])
    wrong = replaced(graph.values, {graph.values["v"]: graph.old.v})
    assert wrong["m"] is graph.values["m"]
    assert wrong["v"] is graph.old.v
    assert wrong["denominator"] is not graph.values["denominator"]
    assert not any(node is graph.values["v"] for node in nodes(wrong.values()))
    alone = replaced(graph.values, {"v": graph.old.v})
    assert alone["v"] is graph.old.v
    assert alone["denominator"] is graph.values["denominator"]


def test_numbers_among_themselves_stay_python_s_and_take_the_dtype_of_the_array_they_meet():
    """Would catch NumPy's float64 scalars, which turn float32 arrays into float64."""
    graph = traced(known("adam", "paper", {}).formula)
    node = graph.old.g * np.sqrt(1 - graph.given.beta_1)
    found = evaluated({"x": node}, {"g": np.ones(1, np.float32), "setting beta_1": 0.9})["x"]
    assert found.dtype == np.float32
    assert found == pytest.approx(0.1**0.5)
