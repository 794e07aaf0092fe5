"""The loss scale beside Keras's, with planted overflows and planted errors; what a dropped step leaves alone."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adam, Guard, InputError, LossScale, NonFiniteError, Optimizer, Program, Recorder, around
from core.engine.executions import Execution
from core.rules import AMSGrad

EXECUTIONS = get_args(Execution)
FIRST, GROWTH = 2.0**4, 3
OVERFLOWS = {0: np.inf, 4: np.nan, 5: -np.inf, 14: np.inf}
"""By step: what stands in one of its gradients. Between them the scale grows, once and twice in a row."""
STEPS = 24
SLOPES = np.random.default_rng(0).uniform(0.5, 2, (STEPS, 3)).astype("f")
for step, value in OVERFLOWS.items():
    SLOPES[step, step % 3] = value
BATCHES = np.arange(STEPS)[:, np.newaxis]


def slope(variables, slopes):
    """Its gradients are the slopes: of w three, of b the first."""
    return tf.reduce_sum(tf.reduce_sum(variables["w"] * slopes, axis=1) + variables["b"] * slopes[:, 0])


def of_rawstep(execution="xla-loop", scale=LossScale, optimizer=Optimizer):
    """After each step: scale, counter, step counter, dropped steps; parameters and slots. Batches of one step."""
    variables = {"w": tf.Variable([1.0, -2.0, 3.0]), "b": tf.Variable(0.5)}
    scaled = optimizer(Adam.dialect("keras", learning_rate=0.1), variables, loss_scale=scale(FIRST, GROWTH))
    program = Program(slope, variables, scaled, execution)
    found = []
    for batch in BATCHES:
        program.run([tf.constant(SLOPES)], batch[np.newaxis])
        counters = [scaled.loss_scale.scale, scaled.loss_scale.finite, scaled.step]
        values = [variables["w"], *scaled.slots["w"].values(), variables["b"], *scaled.slots["b"].values()]
        found.append(([float(one.numpy()) for one in counters], np.concatenate([np.ravel(v) for v in values])))
    return found


def of_keras():
    """The same of Keras's own, whose optimizer is passed the scaled gradients."""
    import keras

    variables = [keras.Variable(value) for value in (np.array([1.0, -2.0, 3.0], "f"), np.float32(0.5))]
    adam = keras.optimizers.Adam(0.1)
    scaled = keras.optimizers.LossScaleOptimizer(adam, initial_scale=FIRST, dynamic_growth_steps=GROWTH)
    scaled.build(variables)
    found = []
    for slopes in SLOPES:
        with tf.GradientTape() as tape:
            named = {"w": variables[0].value, "b": variables[1].value}
            cost = scaled.scale_loss(slope(named, slopes[np.newaxis]))
        scaled.apply(tape.gradient(cost, [one.value for one in variables]), variables)
        counters = [scaled.dynamic_scale, scaled.step_counter, adam.iterations]
        values = [value for n in range(2) for value in (variables[n], adam._momentums[n], adam._velocities[n])]
        found.append(([float(one.numpy()) for one in counters], np.concatenate([np.ravel(v) for v in values])))
    return found


@pytest.fixture(scope="module")
def keras_s():
    return of_keras()


def parts_at(found, expected):
    """The first step, from 1, whose counters are not equal, or whose numbers part by more than 4 ulps of float32 a
    step, as XLA rounds a product and a sum once; None where there is none."""
    for step, ((counters, values), (counted, valued)) in enumerate(zip(found, expected, strict=True), start=1):
        near = np.allclose(values, valued, rtol=4 * 6e-8 * step, atol=4 * 6e-8 * step)
        if counters != counted or not near:
            return step
    return None


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_the_loss_scale_is_keras_s_step_for_step(execution, keras_s):
    scales = [counters[0] for counters, _ in keras_s]
    assert min(scales) < FIRST < max(scales), "or nothing was tested"
    assert keras_s[-1][0][2] == STEPS - len(OVERFLOWS)
    assert parts_at(of_rawstep(execution), keras_s) is None


class Late(LossScale):
    def __init__(self, first, growth_steps):
        super().__init__(first, growth_steps + 1)


class Kept(LossScale):
    def after(self, finite):
        return super().after(finite) | {"loss scale": self.scale}


class Counting(LossScale):
    """An overflow leaves the counter as it was."""

    def after(self, finite):
        after = super().after(finite)
        counter = tf.where(finite, after["finite steps in a row"], self.finite)
        return after | {"finite steps in a row": counter}


class Unscaled(LossScale):
    def unscaled(self, gradients):
        return gradients


class Counts(Optimizer):
    """A dropped step is counted as one that was taken."""

    def _counted(self, holds):
        return super()._counted(holds) | {"step": self.step + tf.cast(~holds, tf.int64)}


class Decays(Optimizer):
    """A dropped step takes 0 for the gradients, and so lets the slots decay."""

    def apply(self, gradients, cost=None):
        holds = self._holds(gradients, cost)
        zeroed = {name: tf.where(holds, g, tf.zeros_like(g)) for name, g in gradients.items()}
        updates = self._updates(zeroed)
        step = {"step": self.step + tf.cast(holds, tf.int64)}
        self._assign(self._after(zeroed, updates) | step | self._counted(holds))
        return updates


class OfOneVariable(Optimizer):
    """A step is dropped where w's gradients overflow; b's do at other steps."""

    def _holds(self, gradients, cost):
        return super()._holds({"b": gradients["b"]}, None)


@pytest.mark.parametrize("planted", [Late, Kept, Counting, Unscaled, Counts, Decays, OfOneVariable])
def test_a_planted_error_is_seen(planted, keras_s):
    """Unscaled, Adam's own updates hardly differ; its slots do."""
    kind = "scale" if issubclass(planted, LossScale) else "optimizer"
    assert parts_at(of_rawstep("eager", **{kind: planted}), keras_s) is not None


RULES = {
    "sum": around(AMSGrad(0.1), clip_global_norm=1.0, weight_decay=0.01, ema=0.9),
    "lazy": Adam(0.1),
}
"""By how sparse gradients count."""


def third_overflows(sparse, execution, dtype, **options):
    """A program of two variables, one of which has sparse gradients, and its data: w's third gradient is infinite."""
    variables = {"w": tf.Variable(tf.cast([1.0, 2.0], dtype)), "rows": tf.Variable(tf.ones([4, 2], dtype))}
    optimizer = Optimizer(RULES[sparse], variables, sparse=sparse, **options)

    def cost(v, slopes, rows):
        return tf.reduce_sum(v["w"] * tf.cast(slopes, v["w"].dtype)) + tf.reduce_sum(tf.gather(v["rows"], rows) ** 2)

    data = (tf.constant([[1.0, 2.0], [3.0, 4.0], [np.inf, 1.0], [1.0, 1.0]]), tf.constant([0, 1, 2, 1]))
    return Program(cost, variables, optimizer, execution), data


@pytest.mark.parametrize(
    ("execution", "dtype"),
    [
        pytest.param(
            execution,
            dtype,
            id=f"{execution}-{dtype.name}",
            marks=[] if execution == "xla-loop" or dtype is tf.float16 else pytest.mark.whole,
        )
        for execution in EXECUTIONS
        for dtype in (tf.float32, tf.bfloat16, tf.float16)
    ],
)
@pytest.mark.parametrize("sparse", RULES)
def test_a_dropped_step_moves_nothing(sparse, execution, dtype):
    """No slot, counter, average, master or parameter, to the bit, with a loss scale and without one."""
    for options in ({"loss_scale": LossScale(2.0**4)}, {"drops_nonfinite": True}):
        program, data = third_overflows(sparse, execution, dtype, **options)
        state = program.optimizer.state
        program.run(data, [[0], [1]])
        before = {name: variable.numpy().tobytes() for name, variable in state.items()}
        program.run(data, [[2]])
        moved = {name for name, variable in state.items() if variable.numpy().tobytes() != before[name]}
        assert moved == {"dropped steps", "loss scale", "finite steps in a row"} & state.keys()
        program.run(data, [[3]])
        assert (int(program.optimizer.step), program.optimizer.begun) == (3, 4)
        assert all(np.isfinite(variable.numpy().astype(float)).all() for variable in state.values())


def test_the_gradients_of_a_narrow_variable_are_unscaled_in_float32():
    """Would catch a division in float16, where a gradient of 1e-8 is 0: it is what the scale is for."""
    variables = {"w": tf.Variable(tf.constant(1.0, tf.float16))}
    program = Program(
        lambda v: tf.cast(v["w"], tf.float32) * 1e-8,
        variables,
        Optimizer(Adam(), variables, loss_scale=LossScale()),
        observe=lambda cost, gradients, updates: gradients["w"],
    )
    np.testing.assert_allclose(program.run((), np.zeros((2, 1), int)), [1e-8, 1e-8], rtol=1e-3)  # of float16


def test_a_recorder_counts_dropped_steps_and_records_that_they_did_not_move():
    program, data = third_overflows("sum", "xla-loop", tf.float32, drops_nonfinite=True)
    recorder = Recorder(program.optimizer)
    recorded = Program(program.step.cost, program.step.variables, program.optimizer, recorder=recorder)
    for _ in range(2):
        recorded.run(data, [[0], [2], [3]])
    steps, columns = recorder.recording()
    assert steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert (columns["w/norm_delta"] == 0).tolist() == [False, True, False] * 2
    assert (columns["w/nonfinite_g"] > 0).tolist() == [False, True, False] * 2


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
def test_a_scale_that_overflows_have_brought_down_to_the_smallest_grows_again(execution):
    """180 of them would make it 0, which no doubling leaves: each later gradient would be 0/0, and dropped. A scale at
    float32's largest power of 2 stays there."""
    slopes = [np.inf] * 180 + [1.0] * 3
    variables = {"w": tf.Variable([0.0])}
    optimizer = Optimizer(SGD(1.0), variables, loss_scale=LossScale(growth_steps=1))
    program = Program(lambda v, slope: tf.reduce_sum(v["w"] * slope), variables, optimizer, execution)
    program.run([tf.constant(slopes)], np.arange(len(slopes))[:, np.newaxis])
    assert float(optimizer.loss_scale.scale) == 2.0**-126 * 2**3
    assert (int(optimizer.step), float(variables["w"][0])) == (3, -3)
    optimizer.loss_scale.scale.assign(2.0**127)
    program.run([tf.constant([2.0**-10])], [[0]])
    assert float(optimizer.loss_scale.scale) == 2.0**127


def _looked(guard):
    guard.run((), np.zeros((40, 1), int))
    guard.look()


def slope_of(value):
    return lambda v: tf.reduce_sum(v["w"] * tf.cast(value, v["w"].dtype))


@pytest.mark.parametrize("execution", ["graph", "xla-loop"])
def test_a_guard_lets_a_loss_scale_deal_with_overflows_and_stops_where_none_helps(execution):
    """2¹⁵·8, 2¹⁴·8 and 2¹³·8 are beyond float16: three steps are dropped. A gradient that is NaN is so at any scale:
    the run ends at the 30th step in a row, which brings the scale of 2¹⁵ below 2⁻¹⁴."""

    def guarded(cost):
        variables = {"w": tf.Variable([1.0, 1.0])}
        optimizer = Optimizer(Adam(), variables, loss_scale=LossScale())
        return Guard(Program(cost, variables, optimizer, execution, compute="float16")), optimizer

    guard, optimizer = guarded(slope_of(8.0))
    guard.run((), np.zeros((10, 1), int))
    guard.look()
    assert guard.found is None
    assert (int(optimizer.step), int(optimizer.dropped)) == (7, 3)
    guard, optimizer = guarded(lambda v: tf.reduce_sum(tf.sqrt(v["w"] - v["w"])))  # 0, of slope ∞ − ∞
    with pytest.raises(NonFiniteError, match="step 30 left the finite numbers: the gradient of w is NaN in 2 of 2"):
        _looked(guard)
    assert optimizer.begun == 0, "it is as it was at the last look"


def test_a_cost_that_is_infinite_is_no_matter_of_the_scale():
    variables = {"w": tf.Variable([300.0])}
    optimizer = Optimizer(Adam(), variables, loss_scale=LossScale())
    guard = Guard(Program(lambda v: tf.reduce_sum(v["w"] ** 2), variables, optimizer, compute="float16"))
    with pytest.raises(NonFiniteError, match="step 1 left the finite numbers: the cost is infinite"):
        guard.run((), np.zeros((3, 1), int))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: LossScale(0.0), "first loss scale must be at least 2⁻¹⁴ and finite in float32, found 0.0"),
        (lambda: LossScale(2.0**-15), "must be at least 2⁻¹⁴"),
        (lambda: LossScale(2.0**128), "must be at least 2⁻¹⁴ and finite"),
        (lambda: LossScale("dynamic"), "must be at least 2⁻¹⁴ and finite in float32, found 'dynamic'"),
        (lambda: LossScale(growth_steps=0), "must grow after a whole number of steps, at least 1, found 0"),
        (lambda: LossScale(growth_steps=2.5), "must grow after a whole number of steps, at least 1, found 2.5"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_in_a_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()
