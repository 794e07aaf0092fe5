"""The optimizer: whom it takes, what it refuses, what it holds, and that it assigns all or nothing."""

from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adadelta, Adagrad, Adam, At, InputError, Optimizer, Program, Recorder, Rule, Step
from core.engine.executions import Execution
from core.engine.reductions import global_norm
from core.xp import Array, zeros_like

from . import one_pass


class Nothing(NamedTuple):
    pass


@dataclass(frozen=True)
class Descent(Rule):
    """θ ← θ − α·g: a rule without slots."""

    def slots(self, x):
        return Nothing()

    def update(self, g, slots, x, at):
        return Step(self.learning_rate * g, slots, {})


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
        "optimizer/step", "optimizer/dropped", "optimizer/slots/w/m", "optimizer/slots/w/v", "optimizer/slots/b/m",
        "optimizer/slots/b/v",
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


def rows_too_short():
    return tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0]), tf.constant([2, 2]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"w": None}, "The gradient of 'w' is None: the cost does not depend on that variable."),
        ({"w": rows_too_short}, "must be of rows of shape (3,), found values of shape (1, 2)."),
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


ROWS = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tf.constant([1, 3, 1]), tf.constant([4, 2]))
DENSE = tf.constant([[0.0, 0.0], [6.0, 8.0], [0.0, 0.0], [3.0, 4.0]])
RULES_OF_ROWS = {"adam": Adam(), "adagrad": Adagrad(0.1), "adadelta": Adadelta(), "sgd": SGD(0.1)}


def table_after(rule, gradients, **options):
    """The table and its slots after a step for each of these gradients."""
    table = tf.Variable(tf.ones([4, 2]))
    optimizer = Optimizer(rule, {"table": table}, **options)
    for gradient in gradients:
        optimizer.apply({"table": gradient})
    return [table.numpy(), *(slot.numpy() for slot in optimizer.slots["table"].values())]


@pytest.mark.parametrize("rule", RULES_OF_ROWS.values(), ids=RULES_OF_ROWS)
def test_a_sparse_gradient_counts_as_its_sum(rule):
    """Would catch squares of occurrences, and rows that are left out where another step had touched them."""
    found = table_after(rule, [ROWS, ROWS], sparse="sum")
    for ours, dense in zip(found, table_after(rule, [DENSE, DENSE]), strict=True):
        np.testing.assert_array_equal(ours, dense)


@pytest.mark.parametrize("rule", RULES_OF_ROWS.values(), ids=RULES_OF_ROWS)
def test_a_lazy_step_leaves_rows_that_do_not_occur(rule):
    """Row 2 has moved in a first step: Adam's dense step would move it on, and decay its slots."""
    first = tf.ones([4, 2])
    before, after, dense = (table_after(rule, [first, *more], sparse="lazy") for more in ([], [ROWS], [DENSE]))
    for was, now, all_rows in zip(before, after, dense, strict=True):
        np.testing.assert_array_equal(now[[0, 2]], was[[0, 2]])
        np.testing.assert_array_equal(now[[1, 3]], all_rows[[1, 3]])


def test_occurrences_are_squared_by_themselves():
    """Row 1 occurs with 1, 2 and 5, 6: v is (1 − β2)·(1² + 5²), not of (1 + 5)²; m is of the sum."""
    _, m, v = table_after(Adam(), [ROWS], sparse="occurrences")
    np.testing.assert_allclose(m, 0.1 * DENSE.numpy(), rtol=1e-6)
    np.testing.assert_allclose(v, 0.001 * np.array([[0, 0], [26, 40], [0, 0], [9, 16]]), rtol=1e-6)


def test_a_sparse_gradient_is_taken_as_its_sum_with_one_warning():
    with pytest.warns(UserWarning, match="'table' is sparse") as warned:
        found = table_after(Adam(), [ROWS, ROWS])
    assert len(warned) == 1
    np.testing.assert_array_equal(found[0], table_after(Adam(), [DENSE, DENSE])[0])


def test_a_rule_that_does_more_than_arithmetic_is_refused():
    """Optax's Adagrad rests where its slot is 0, which no single occurrence decides."""
    with pytest.raises(InputError, match=r"Adagrad takes more than arithmetic .* use sparse='sum' or sparse='lazy'"):
        table_after(Adagrad.dialect("optax", learning_rate=0.1), [ROWS], sparse="occurrences")
    with pytest.raises(InputError, match="sparse must be one of 'sum', 'lazy', 'occurrences', found 'rows'"):
        table_after(Adam(), [], sparse="rows")


@pytest.mark.parametrize("execution", get_args(Execution))
def test_an_embedding_trains_in_every_execution(execution):
    """With the recorder on. Against NumPy's own looked-up rows, by the rule in float64."""
    ids, start = np.array([[0, 1, 1], [2, 2, 2], [0, 4, 4]]), np.linspace(-1, 1, 12).reshape(6, 2)
    variables = {"table": tf.Variable(start)}
    optimizer = Optimizer(Adam(0.1), variables, sparse="lazy")
    recorder = Recorder(optimizer)
    program = Program(
        lambda v, i: tf.reduce_sum(tf.gather(v["table"], i) ** 3), variables, optimizer, execution, recorder=recorder
    )
    program.run((tf.constant(ids),), [[0], [1], [2]])
    x, slots = start, Adam(0.1).slots(start)
    for t, rows in enumerate(ids, start=1):
        g = np.zeros_like(x)
        np.add.at(g, rows, 3 * x[rows] ** 2)
        step, there = Adam(0.1).step(g, slots, x, At(np.float64(t))), np.isin(np.arange(6), rows)[:, np.newaxis]
        x = np.where(there, x - step.delta, x)
        slots = type(slots)(*(np.where(there, new, old) for new, old in zip(step.slots, slots, strict=True)))
    np.testing.assert_allclose(variables["table"].numpy(), x, rtol=1e-12)
    assert recorder.recording().columns["table/norm_delta"].shape == (3,)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_a_narrow_variable_moves_by_steps_that_its_dtype_cannot_hold(dtype):
    """Adam's step is 1e-3, a quarter of bfloat16's spacing below 1: 100 of them are 0.1, not nothing."""
    variables = {"w": tf.Variable(tf.ones([3], dtype))}
    optimizer = Optimizer(Adam(1e-3), variables)
    for _ in range(100):
        optimizer.apply({"w": tf.ones([3], dtype)})
    np.testing.assert_allclose(optimizer.masters["w"], 0.9, rtol=1e-5)
    np.testing.assert_array_equal(variables["w"].numpy(), tf.cast(optimizer.masters["w"], dtype).numpy())


def test_a_narrow_variable_that_is_set_from_outside_goes_on_from_there():
    variables = {"w": tf.Variable(tf.ones([2], tf.bfloat16))}
    optimizer = Optimizer(SGD(1e-3), variables)
    optimizer.apply({"w": tf.ones([2], tf.bfloat16)})
    variables["w"].assign([2.0, 1.0])
    optimizer.apply({"w": tf.ones([2], tf.bfloat16)})
    np.testing.assert_allclose(optimizer.masters["w"], [2 - 1e-3, 1 - 2e-3], rtol=1e-6)


@pytest.mark.parametrize("execution", ["graph", "xla-loop"])
def test_parts_of_a_batch_are_added_up_wide(execution):
    """Would catch sums of float16, of which four gradients and costs of 30,000 make ∞; and of bfloat16, of which 256
    ones and 1.0078s make 1."""
    for dtype, numbers in (("float16", [30_000.0] * 4), ("bfloat16", [1.0, 1 + 2.0**-7] * 128)):
        variables = {"w": tf.Variable(tf.ones([1], dtype))}
        program = Program(
            lambda v, x: tf.reduce_mean(v["w"] * tf.cast(x, v["w"].dtype)),
            variables,
            Optimizer(SGD(1e-6), variables),
            execution,
            observe=lambda cost, gradients, updates: (cost, gradients["w"]),
            microbatches=len(numbers),
        )
        for found in program.run([tf.constant(numbers)], np.arange(len(numbers))[np.newaxis]):
            np.testing.assert_array_equal(np.ravel(found), [np.mean(numbers)])


def test_the_global_norm_of_a_narrow_sparse_gradient_is_that_of_its_wide_sum():
    """300 occurrences of 1, which are 256 in bfloat16."""
    ones = tf.IndexedSlices(tf.ones([300], tf.bfloat16), tf.zeros([300], tf.int32), tf.constant([2]))
    assert float(global_norm([ones])) == 300


def test_a_checkpoint_has_the_masters(tmp_path):
    """Would catch a run in bfloat16 that is not resumed to the bit: what is below its spacing would be lost."""
    variables = {"w": tf.Variable(tf.ones([2], tf.bfloat16))}
    optimizer = Optimizer(SGD(1e-3), variables)
    optimizer.apply({"w": tf.ones([2], tf.bfloat16)})
    path = tf.train.Checkpoint(optimizer=optimizer).write(str(tmp_path / "checkpoint"))
    restored = Optimizer(SGD(1e-3), variables)
    tf.train.Checkpoint(optimizer=restored).read(path).assert_consumed()
    np.testing.assert_array_equal(restored.masters["w"].numpy(), optimizer.masters["w"].numpy())


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
        (lambda: Optimizer(Adam(), {"step": tf.Variable(1.0)}), "No variable can be called 'step'"),
        (lambda: Optimizer(Adam(), {"w": tf.Variable(1.0), "m of w": tf.Variable(1.0)}), "called 'm of w'"),
        (lambda: Optimizer([(Adam(), {"a": tf.Variable(1.0)}), (Adam(), {"a": tf.Variable(1.0)})]), "are called 'a'"),
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

    def update(self, g: Array, slots, x, at) -> Step:
        step = super().update(g, slots, x, at)
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
        ("no step", "Broken.update, on 'w': update must return Step(delta, AdamSlots(…), stages)"),
        ("other slots", "Broken.update, on 'w': update must return Step(delta, AdamSlots(…), stages)"),
        ("shape", "Broken.update, on 'w': delta must be a float32 tensor of shape (2, 3), found float32 (3,)."),
        ("slot", "Broken.update, on 'w': slot m must be a float32 tensor of shape (2, 3), found float32 (3,)."),
        ("dtype", "Broken.update, on 'w': delta must be a float32 tensor of shape (2, 3), found float64 (2, 3)."),
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

    with pytest.raises(InputError, match=r"Listed\.slots: slots must return a NamedTuple, found list of float32"):
        Optimizer(Listed(0.1), two_variables())
    with pytest.raises(InputError, match=r"Wide\.slots, on 'w': slot m must be a float32 tensor, found float64"):
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
