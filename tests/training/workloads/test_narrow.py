"""Every workload with narrow variables, and with float32 ones that are narrowed on the tape."""

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adam, LossScale, Optimizer, Program
from training.workloads.choice import WORKLOADS, kind_of

EXAMPLES = 48
UNITS = {"bfloat16": 2.0**-7, "float16": 2.0**-10}
"""The distance from 1 to the next number."""


def problem(name):
    workload = kind_of(name).small()
    data = workload.data(0)
    batch = tuple(tf.constant(array[:EXAMPLES]) for array in data.train)
    return workload, workload.variables(data, 0), batch


def as_dtype(values, dtype):
    return {name: tf.Variable(tf.cast(value, dtype)) for name, value in values.items()}


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize("name", WORKLOADS)
def test_cost_metrics_and_gradients_of_narrow_variables_are_near_those_of_wide_ones(name, dtype):
    """To 16 roundings of what the variables hold. Would catch a mean that is taken in the narrow dtype, which is off by
    as many as it has terms; a number beyond 65,504; a cast that has no gradient; a cost that is computed wide."""
    workload, values, batch = problem(name)
    narrow = as_dtype(values, dtype)
    held = as_dtype({name: tf.cast(variable, tf.float64) for name, variable in narrow.items()}, tf.float64)
    found = {}
    for key, variables in (("narrow", narrow), ("wide", held)):
        with tf.GradientTape() as tape:
            cost = workload.cost(variables, *batch)
        gradients = tape.gradient(cost, variables)
        found[key] = cost, {n: tf.cast(g, tf.float64).numpy() for n, g in gradients.items()}
    assert found["narrow"][0].dtype == tf.float32
    (cost, gradients), (wide, expected) = found["narrow"], found["wide"]
    assert abs(float(cost) - float(wide)) <= 16 * UNITS[dtype] * float(wide)
    for n in gradients:
        assert np.abs(gradients[n] - expected[n]).max() <= 32 * UNITS[dtype] * np.abs(expected[n]).max(), n
    assert any((gradients[n] != expected[n].astype("f")).any() for n in gradients), "it is narrow"
    for metric in workload.metrics(narrow, *batch).values():
        assert np.isfinite(float(metric))


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_program_computes_in_a_narrower_dtype_and_keeps_the_rest_wide(name):
    """Ten steps on one batch: the cost falls as in float32, to a tenth of how far it falls. Both dtypes in one test, as
    a compilation is what costs."""
    workload, values, batch = problem(name)
    batches, ends = np.tile(np.arange(EXAMPLES), (10, 1)), {}
    for compute in (None, *UNITS):
        variables = as_dtype(values, tf.float32)
        optimizer = Optimizer(Adam(0.01), variables, loss_scale=LossScale(2.0**8) if compute == "float16" else None)
        program = Program(workload.cost, variables, optimizer, workload.execution("cpu"), compute=compute)
        ends[compute] = program.run(batch, batches).numpy()
        assert {variable.dtype for of in optimizer.slots.values() for variable in of.values()} == {tf.float32}
    first, last = ends[None][[0, -1]]
    for dtype in UNITS:
        assert abs(ends[dtype][0] - first) <= 32 * UNITS[dtype] * first
        assert abs(ends[dtype][-1] - last) <= 0.1 * (first - last)
        assert (ends[dtype] != ends[None]).any()


def test_the_gradient_of_an_embedding_stays_sparse():
    """Would catch a cast on the tape that makes rows dense: of a large table that is most of a step."""
    table = {"table": tf.Variable(tf.ones([10, 4]))}
    optimizer = Optimizer(SGD(0.5), table, sparse="sum")
    seen = []

    def cost(v):
        return tf.reduce_sum(tf.gather(v["table"], [1, 1, 3]))

    program = Program(cost, table, optimizer, "eager", compute="bfloat16")
    seen = program.step.differentiated((), tf.constant([0]))[1]["table"]
    assert isinstance(seen, tf.IndexedSlices)
    assert seen.values.dtype == tf.float32
    program.run((), [[0]])
    np.testing.assert_array_equal(table["table"][:, 0], [1, 0, 1, 0.5, 1, 1, 1, 1, 1, 1])


def test_without_a_dtype_the_cost_gets_the_variables_themselves():
    """So that the default traces the graph that it always did."""
    variables, seen = {"w": tf.Variable(1.0)}, []

    def cost(v):
        seen.append(v["w"] is variables["w"])
        return v["w"] ** 2

    Program(cost, variables, Optimizer(Adam(), variables)).run((), [[0]])
    assert seen == [True]
