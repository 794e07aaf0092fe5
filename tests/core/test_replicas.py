"""Programs on replicas: two logical devices, two and three worker processes, beside one device."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, InputError, Optimizer, Program
from core.verification.judge import judge
from core.verification.trajectory import Trajectory
from training.workloads.data import load_dataset

from ..cases import CASES
from ..clusters import ROOT, workers
from .backprop import gradients
from .replica_steps import BATCH, RULES, STEPS, Arrangement

ARRANGEMENTS = {"one": 1, "mirrored": 1, "workers-2": 2, "workers-3": 3}
"""And the number of their processes."""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each arrangement's processes found, by its name."""
    folder = tmp_path_factory.mktemp("replicas")
    command = ["-m", "tests.core.replica_steps"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *command, "one", folder], env=environment, check=True, timeout=300)
    others = [subprocess.Popen([sys.executable, *command, "mirrored", folder], env=environment)]
    others += [process for count in (2, 3) for process in workers(count, *command, "workers", folder)]
    for process in others:
        said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    return {
        name: [np.load(folder / f"{name}-{index}.npz") for index in range(count)]
        for name, count in ARRANGEMENTS.items()
    }


@pytest.fixture(scope="module")
def expected(found):
    """The gradients of each step from the state of one device, and what rounding may come to in them."""
    train, batches = load_dataset().train, Arrangement(None).batches
    states = found["one"][0]

    def of(step, examples=slice(None)):
        weights = {name: states[f"{step} before {name}"] for name in RULES}
        batch = batches[step][examples]
        return gradients(weights, train.images[batch], train.labels[batch])

    return of


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_every_gradient_is_the_whole_batch_s_within_what_rounding_may_come_to(name, found, expected):
    """Would catch a share that is left out or counted twice, a sum for a mean, gradients of a state that differs.

    Half the batch, and shares that weigh 0.6 and 0.4, are planted, and exceed the bound in every tensor.
    """
    for step in range(STEPS):
        half, rest = (expected(step, part) for part in (slice(BATCH // 2), slice(BATCH // 2, None)))
        for tensor, value in expected(step).items():
            off = found[name][0][f"{step} gradient {tensor}"] - value.exact
            assert (np.abs(off) <= value.error).all()
            for planted in (half[tensor].exact, 0.6 * half[tensor].exact + 0.4 * rest[tensor].exact):
                assert (np.abs(planted - value.exact) > value.error).any(), (step, tensor)


@pytest.mark.parametrize("name", ARRANGEMENTS)
@pytest.mark.parametrize("tensor", RULES, ids=lambda tensor: RULES[tensor][0])
def test_every_step_is_the_rule_s_on_the_reduced_gradient(name, tensor, found):
    """Would catch slots that are not mirrored, a step counted once a replica, a rule applied to a share's gradient."""
    formula = CASES[RULES[tensor]].formula

    def rows(key):
        return np.stack([found[name][0][f"{step} {key}"].ravel() for step in range(STEPS)])

    x, delta, after = rows(f"before {tensor}"), rows(f"delta {tensor}"), rows(f"after {tensor}")
    trajectory = Trajectory(
        rows("before step")[:, 0] + 1,
        rows(f"gradient {tensor}"),
        x,
        {slot: rows(f"before {slot} of {tensor}") for slot in formula.slots},
        {slot: rows(f"after {slot} of {tensor}") for slot in formula.slots} | {"delta": delta},
    )
    assert judge(formula, trajectory).agrees
    assert not judge(formula, replace(trajectory, g=np.float32(1.001) * trajectory.g)).agrees
    # x − Δ is rounded once, or Δ before it too.
    assert (np.abs(after - (np.float64(x) - delta)) <= 2.0**-24 * (np.abs(after) + np.abs(delta))).all()


@pytest.mark.parametrize("name", [name for name in ARRANGEMENTS if name != "one"])
def test_all_replicas_have_the_same_bits_after_every_step(name, found):
    """Would catch replicas that drift apart: nothing brings them together again."""
    keys = [key for key in found[name][0].files if key.endswith("digests")]
    assert len(keys) >= STEPS + 2
    for key in keys:
        assert len({digest for process in found[name] for digest in process[key]}) == 1, key


def test_two_workers_have_the_bits_of_two_devices(found):
    """A sum of two terms has one order."""
    for key in ("recorded digests", f"{STEPS - 1} digests"):
        assert found["workers-2"][0][key][0] == found["mirrored"][0][key][0]


def test_microbatches_give_the_same_bits_on_any_number_of_replicas(found):
    """Would catch an order of summation that depends on who computed what; the sum of the all-reduce does."""
    assert len({found[name][0]["ordered digests"][0] for name in ARRANGEMENTS}) == 1
    assert len({found[name][0]["recorded digests"][0] for name in ARRANGEMENTS}) > 1, "or nothing was tested"
    np.testing.assert_allclose(found["one"][0]["ordered costs"], found["one"][0]["recorded costs"], rtol=1e-3)


def test_all_replicas_drop_the_same_steps(found):
    """In float16, from a scale that is too large. Would catch a replica that looks at its own share alone: an overflow
    there would leave it behind, or all of them with another scale. All have the bits of one device."""
    assert len({found[name][0]["scaled digests"][0] for name in ARRANGEMENTS}) == 1
    assert {int(process["scaled dropped"]) for of in found.values() for process in of} <= {*range(5, 15)}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_a_nan_in_one_share_stops_or_is_skipped_on_every_replica(name, found):
    """Would catch a replica that looks at its own share alone."""
    for process in found[name]:
        assert "step 4 left the finite numbers: the cost is NaN" in str(process["stopped error"])
        assert "skipped error" not in process
        assert (int(process["skipped dropped"]), int(process["spared dropped"])) == (1, 0)
        assert process["skipped digests"].tolist() == process["spared digests"].tolist()


@pytest.mark.parametrize("name", [name for name in ARRANGEMENTS if name != "one"])
def test_the_recorder_records_the_whole_batch_s_steps(name, found):
    """Would catch a row of a share's gradient, and rows that are lost in a call. Trajectories part by rounding: less
    than 1e-3 in 30 steps from He's weights."""
    for key in ("recorded steps", "recorded norms"):
        np.testing.assert_allclose(found[name][0][key], found["one"][0][key], rtol=1e-3)
    assert found["one"][0]["recorded steps"].tolist() == [1, 8, 15, 22, 29]


def test_recording_leaves_replicas_alone(found):
    seen = found["mirrored"][0]
    assert seen["plain digests"][0] == seen["recorded digests"][0]
    np.testing.assert_array_equal(seen["plain costs"], seen["recorded costs"])


@pytest.mark.parametrize("name", [name for name in ARRANGEMENTS if name != "one"])
def test_sparse_gradients_are_those_of_the_whole_batch(name, found):
    """Would catch rows that occur in another replica's share alone, and rows that occur in two and count as one."""
    for key in ("rows sum", "rows lazy"):
        np.testing.assert_allclose(found[name][0][key], found["one"][0][key], rtol=1e-6)


def test_a_graph_runs_on_replicas_too(found):
    """Its costs part from XLA's by rounding alone: less than 1e-3 in 30 steps."""
    np.testing.assert_allclose(*(found[name][0]["graph costs"] for name in ("one", "mirrored")), rtol=1e-3)


@pytest.fixture(scope="module")
def strategy():
    return tf.distribute.MirroredStrategy(["CPU:0"])


def small(strategy, **options):
    with strategy.scope():
        x = {"x": tf.Variable([1.0])}
        return Program(lambda v, d: tf.reduce_mean(v["x"] * d), x, Optimizer(SGD(0.1), x), **options)


def test_what_replicas_cannot_share_is_refused_in_a_sentence(strategy):
    with pytest.raises(InputError, match="A batch of 5 examples cannot be divided equally among 2 microbatches"):
        small(strategy, microbatches=2).run([tf.ones([9, 1])], [[0, 1, 2, 3, 4]])
    with pytest.raises(InputError, match="1 replica cannot share 0 microbatches"):
        small(strategy, microbatches=0)


def test_variables_outside_the_scope_are_refused(strategy):
    x = {"x": tf.Variable([1.0])}
    with pytest.raises(InputError, match=r"must be made in the scope of the strategy: with strategy\.scope\(\)"):
        Program(lambda v: tf.reduce_sum(v["x"]), x, Optimizer(SGD(0.1), x), strategy=strategy)


def test_a_program_on_replicas_is_no_single_xla_program(strategy):
    with pytest.raises(InputError, match="no single XLA program"):
        small(strategy).compiler_ir([tf.ones([2, 1])], [[0, 1]])


def test_a_cost_that_leaves_a_variable_out_is_refused_as_on_one_device(strategy):
    with strategy.scope():
        x = {"x": tf.Variable([1.0]), "idle": tf.Variable([1.0])}
        program = Program(lambda v, d: tf.reduce_mean(v["x"] * d), x, Optimizer(SGD(0.1), x))
    with pytest.raises(InputError, match="idle"):
        program.run([tf.ones([9, 1])], [[0, 1]])


def test_the_data_are_on_the_device_of_each_replica(found):
    """Would catch replicas that read all examples from another device in every call."""
    assert [device[-5:] for device in found["mirrored"][0]["devices"]] == ["CPU:0", "CPU:1"]
