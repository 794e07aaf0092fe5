"""The optimizer: whom it takes, what it refuses, what it holds, and that it assigns all or nothing."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from core import Adagrad, Adam, InputError, Optimizer, Program, Rule, Step
from core.xp import Array, zeros_like

from . import one_pass


class Nothing(NamedTuple):
    pass


@dataclass(frozen=True)
class Descent(Rule):
    """θ ← θ − α·g: a rule without slots."""

    def slots(self, x):
        return Nothing()

    def update(self, g, slots, t, x):
        return Step(self.rate(t, g) * g, slots, {})


def two_variables(dtype=tf.float32):
    return {"w": tf.Variable(tf.ones([2, 3], dtype)), "b": tf.Variable(tf.ones([3], dtype))}


def ones(variables):
    return {name: tf.ones_like(variable) for name, variable in variables.items()}


def test_a_rule_without_slots_and_a_schedule_descend():
    variables = two_variables()
    optimizer = Optimizer(Descent(lambda step: 0.5 / (1 + step)), variables)
    optimizer.apply(ones(variables))
    optimizer.apply(ones(variables))
    np.testing.assert_array_equal(variables["w"].numpy(), np.full((2, 3), 1 - 0.5 - 0.25, np.float32))
    assert optimizer.step.numpy() == 2


def test_groups_follow_their_own_rules_and_share_the_step():
    """Would catch one group's rule applied to another, and a step counted once a group."""
    variables = two_variables()
    optimizer = Optimizer([(Descent(0.5), {"w": variables["w"]}), (Adam(0.125), {"b": variables["b"]})])
    optimizer.apply(ones(variables))
    np.testing.assert_array_equal(variables["w"].numpy(), np.float32(0.5))
    np.testing.assert_allclose(variables["b"].numpy(), 1 - 0.125, rtol=1e-6)
    assert optimizer.step.numpy() == 1
    assert set(optimizer.slots["w"]) == set()
    assert set(optimizer.slots["b"]) == {"m", "v"}


def test_a_checkpoint_holds_slots_and_step_under_readable_names_and_nothing_else(tmp_path):
    variables = two_variables()
    path = tf.train.Checkpoint(optimizer=Optimizer(Adam(), variables)).write(str(tmp_path / "checkpoint"))
    names = {name.split("/.ATTRIBUTES")[0] for name, _ in tf.train.list_variables(path)}
    assert names - {"_CHECKPOINTABLE_OBJECT_GRAPH"} == {
        "optimizer/step", "optimizer/slots/w/m", "optimizer/slots/w/v", "optimizer/slots/b/m", "optimizer/slots/b/v",
    }  # fmt: skip


def test_slots_survive_a_checkpoint(tmp_path):
    variables = two_variables()
    optimizer = Optimizer(Adam(), variables)
    optimizer.apply(ones(variables))
    path = tf.train.Checkpoint(optimizer=optimizer).write(str(tmp_path / "checkpoint"))
    restored = Optimizer(Adam(), variables)
    tf.train.Checkpoint(optimizer=restored).read(path).assert_consumed()
    assert restored.step.numpy() == 1
    np.testing.assert_array_equal(restored.slots["w"]["m"].numpy(), optimizer.slots["w"]["m"].numpy())


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_narrow_variables_keep_float32_slots(dtype):
    """Would catch v in float16, where g = 1e-4 squared is 0 and the step infinite."""
    variables = two_variables(dtype)
    optimizer = Optimizer(Adam(0.125), variables)
    optimizer.apply({name: tf.fill(v.shape, tf.cast(1e-4, dtype)) for name, v in variables.items()})
    assert {slot.dtype for slots in optimizer.slots.values() for slot in slots.values()} == {tf.float32}
    np.testing.assert_allclose(tf.cast(variables["w"], tf.float32), 1 - 0.125, rtol=1e-2)
    assert variables["w"].dtype == dtype


def test_the_state_is_created_outside_traced_functions():
    variables = two_variables()
    optimizer = Optimizer(Adam(), variables)
    step = tf.function(lambda: optimizer.apply(ones(variables))["w"].delta, jit_compile=True, autograph=False)
    step()
    step()
    assert optimizer.step.numpy() == 2
    assert step.experimental_get_tracing_count() == 1


def indexed_slices():
    return tf.IndexedSlices(tf.ones([1, 3]), tf.constant([0]), tf.constant([2, 3]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"w": None}, "The gradient of 'w' is None: the cost does not depend on that variable."),
        ({"w": indexed_slices}, "The gradient of 'w' is sparse (tf.IndexedSlices"),
        ({"w": lambda: tf.ones([3, 2])}, "The gradient of 'w' must have shape (2, 3), found (3, 2)."),
        ({"w": lambda: tf.ones([2, 3], tf.float64)}, "must be of dtype float32, found float64."),
        ({"x": lambda: tf.ones([])}, "one gradient for each of: w, b; found: w, b, x."),
    ],
)
def test_a_gradient_that_cannot_be_applied_is_refused_by_name_and_nothing_moves(change, sentence):
    variables = two_variables()
    optimizer = Optimizer(Adam(), variables)
    gradients = ones(variables) | {name: make and make() for name, make in change.items()}
    with pytest.raises(InputError) as error:
        optimizer.apply(gradients)
    assert sentence in str(error.value)
    assert optimizer.step.numpy() == 0
    for variable in variables.values():
        np.testing.assert_array_equal(variable.numpy(), np.float32(1))


def test_a_gradient_through_gather_is_told_how_to_become_dense():
    table = tf.Variable(tf.ones([4, 2]))
    optimizer = Optimizer(Adam(), {"table": table})
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(tf.gather(table, [0, 1]))
    gradient = tape.gradient(cost, table)
    with pytest.raises(InputError, match="convert_to_tensor"):
        optimizer.apply({"table": gradient})
    optimizer.apply({"table": tf.convert_to_tensor(gradient)})
    assert optimizer.step.numpy() == 1


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Optimizer(Adam(), {}), "at least one variable"),
        (lambda: Optimizer(Adam(), None), "needs a mapping from name to tf.Variable"),
        (lambda: Optimizer(Adam(), [tf.Variable(1.0)]), "needs a mapping from name to tf.Variable"),
        (lambda: Optimizer(Adam, {"a": tf.Variable(1.0)}), "needs (rule, variables), or a list of such pairs"),
        (lambda: Optimizer([(Adam(), {})], {"a": tf.Variable(1.0)}), "a list of such pairs"),
        (lambda: Optimizer(Adam(), {"f": tf.Variable(1.0, trainable=False)}), "'f' was made with trainable=False"),
        (lambda: Optimizer(Adam(epsilon=1e-40), {"a": tf.Variable(1.0)}), "= 1e-40 is out of the range of float32"),
        (lambda: Optimizer(Adam(learning_rate=1e300), {"a": tf.Variable(1.0)}), "learning_rate = 1e+300 is out of the"),
        (lambda: Optimizer(Adam(), {"n": tf.Variable(1)}), "'n' must be of a real floating dtype, found int32."),
        (lambda: Optimizer(Adam(), {"z": tf.Variable(1j)}), "must be of a real floating dtype, found complex128."),
        (lambda: Optimizer(Adam(), {"t": tf.constant(1.0)}), "from name to tf.Variable, found 't'"),
        (lambda: Optimizer([(Adam(), {"a": tf.Variable(1.0)}), (Adam(), {"a": tf.Variable(1.0)})]), "two variables"),
        (lambda: (lambda v: Optimizer([(Adam(), {"a": v}), (Adagrad(1.0), {"b": v})]))(tf.Variable(1.0)), "the same"),
    ],
)  # fmt: skip
def test_variables_that_cannot_be_owned_are_refused(build, sentence):
    with pytest.raises(InputError) as error:
        build()
    assert sentence in str(error.value)


@dataclass(frozen=True)
class Broken(Adam):
    """Adam that gets one part of its answer wrong."""

    part: str = ""

    def update(self, g: Array, slots, t, x) -> Step:
        step = super().update(g, slots, t, x)
        return {
            "no step": lambda: step.delta,
            "other slots": lambda: step._replace(slots=Nothing()),
            "shape": lambda: step._replace(delta=step.delta[0]),
            "slot": lambda: step._replace(slots=step.slots._replace(m=zeros_like(g)[0])),
            "dtype": lambda: step._replace(delta=tf.cast(step.delta, tf.float64)),
        }[self.part]()


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("no step", "Broken on 'w': update must return Step(delta, AdamSlots(…), stages)"),
        ("other slots", "Broken on 'w': update must return Step(delta, AdamSlots(…), stages)"),
        ("shape", "Broken on 'w': delta must be a float32 tensor of shape (2, 3), found float32 (3,)."),
        ("slot", "Broken on 'w': slot m must be a float32 tensor of shape (2, 3), found float32 (3,)."),
        ("dtype", "Broken on 'w': delta must be a float32 tensor of shape (2, 3), found float64 (2, 3)."),
    ],
)
def test_a_rule_that_breaks_its_contract_is_named(part, sentence):
    variables = two_variables()
    with pytest.raises(InputError) as error:
        Optimizer(Broken(part=part), variables).apply(ones(variables))
    assert sentence in str(error.value)


def test_slots_that_are_no_named_tuple_of_the_right_dtype_are_refused():
    class Listed(Descent):
        def slots(self, x):
            return [x]

    class Wide(Adam):
        def slots(self, x):
            return super().slots(tf.cast(x, tf.float64))

    with pytest.raises(InputError, match="Listed on 'w': slots must return a NamedTuple, found"):
        Optimizer(Listed(0.1), two_variables())
    with pytest.raises(InputError, match="Wide on 'w': slot m must be a float32 tensor, found float64"):
        Optimizer(Wide(), two_variables())


def test_a_tiny_epsilon_serves_float64():
    Optimizer(Adam(epsilon=1e-40), two_variables(tf.float64))


@pytest.mark.parametrize("gradients", [[1.0], {"w": [1.0, 2.0], "b": tf.ones([3])}])
def test_gradients_that_are_no_mapping_of_tensors_are_refused(gradients):
    with pytest.raises(InputError, match=r"one gradient for each of: w, b; found: list|must be a tensor"):
        Optimizer(Adam(), two_variables()).apply(gradients)


def test_learning_rates_may_be_a_tensor_over_a_leading_axis_of_runs():
    """Four runs in one: each row is what its own rate gives alone."""
    rates = tf.constant([0.5, 0.25, 0.125, 0.0625])[:, tf.newaxis]
    runs, alone = tf.Variable(tf.ones([4, 3])), tf.Variable(tf.ones([3]))
    together = Optimizer(Adam(learning_rate=rates), {"x": runs})
    single = Optimizer(Adam(learning_rate=0.125), {"x": alone})
    for scale in (1.0, -2.0, 3.0):
        together.apply({"x": tf.fill([4, 3], scale)})
        single.apply({"x": tf.fill([3], scale)})
    np.testing.assert_array_equal(runs.numpy()[2], alone.numpy())


@pytest.fixture(scope="module")
def with_option():
    return one_pass.compared_with_the_option()


@pytest.fixture(scope="module")
def without_option():
    return one_pass.compared()


@pytest.mark.parametrize("xla", ["with_option", "without_option"])
@pytest.mark.parametrize("rule", one_pass.RULES, ids=repr)
def test_one_pass_gives_the_same_to_rounding(rule, xla, request):
    """Compiled by XLA, with its option and without it, against the optimizer as it is otherwise.

    Where XLA merges a product and a sum into one operation, each of 20 steps may be rounded some 4 ulps of 6e-8 apart.
    """
    pairs, _ = request.getfixturevalue(xla)
    (steps, plain), (merged_steps, merged) = pairs[repr(rule)]
    assert steps == merged_steps == one_pass.STEPS == 20
    for expected, found in zip(plain, merged, strict=True):
        np.testing.assert_allclose(found, expected, rtol=20 * 4 * 6e-8, atol=1e-7 * np.abs(expected).max())


def test_one_pass_is_one_loop(with_option):
    """With XLA's option: the variable and both slots are the results of one fusion; of two otherwise."""
    _, (before, after) = with_option
    assert after == 1 < before


def test_one_pass_takes_effect_in_compiled_functions_alone():
    variables = two_variables()
    optimizer = Optimizer(Adam(), variables, one_pass=True)
    optimizer.apply(ones(variables))  # eagerly, as ever
    assert int(optimizer.step) == 1
    with pytest.raises(InputError, match="An optimizer with one_pass needs an xla execution, found 'graph'"):
        Program(lambda v: tf.reduce_sum(v["w"]), variables, optimizer, "graph")
