"""Times of the notebook's network (784-256-256-10, batches of 100, rules in TF1's dialect at rate 0.001), for history.

Each test is timed alone, one after another, while the machine's speed drifts. So compare a test with itself in another
commit, over several runs; engines and executions are for `rawstep-bench compare`.

- update: one `Optimizer.apply` of given gradients to the network's variables.
- step:   one call of `Program.run` for one training step.
- epoch:  one call for the 550 steps of an epoch; for 22 of them in "eager", where all would take ten seconds.

Each for every rule, dtype and execution, except updates in "xla-loop": a loop of one is compiled to "xla-step", and
from a longer one with the same gradients XLA moves g² out to before it, which no training can.
"""

from typing import get_args

import pytest
import tensorflow as tf

from core import RULES, Optimizer, Program
from core.engine.executions import Execution
from core.engine.feeds import Sampler
from core.seeds import generator
from training.notebook.printed import RULES as NOTEBOOK_RULES
from training.runs.rule_choice import choose_rule, usual_dialect
from training.runs.versions import versions
from training.workloads.mlp import MLP
from training.workloads.perceptron import new_weights
from training.workloads.work import flop, update_bytes

NOTEBOOK_S = MLP()
BATCH_SIZE = 100

pytestmark = [
    pytest.mark.parametrize(
        "rule", [pytest.param(one, marks=[] if one in NOTEBOOK_RULES else pytest.mark.whole) for one in RULES]
    ),
    pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.whole)]),
]
executions = pytest.mark.parametrize("execution", get_args(Execution))


@pytest.mark.parametrize("execution", ["eager", "graph", "xla-step"])
def test_update(benchmark, weights, optimizer, execution):
    random = generator(0, "gradients")
    gradients = {
        name: tf.constant(random.normal(scale=0.01, size=weight.shape), weight.dtype)
        for name, weight in weights.items()
    }

    def update(gradients):
        optimizer.apply(gradients)  # without returning it: deltas and stages would be written out as well

    if execution != "eager":
        update = tf.function(update, autograph=False, jit_compile=execution == "xla-step")

    def update_and_wait():
        update(gradients)
        return int(optimizer.step)

    benchmark.group = "update"
    benchmark.pedantic(update_and_wait, warmup_rounds=2, rounds=100)


@executions
def test_step(benchmark, program, data, examples):
    benchmark.group = "step"
    time_steps(benchmark, program, data, examples, steps=1, warmup_rounds=2, rounds=50)


@pytest.mark.parametrize(
    "execution",
    [
        name if name in ("eager", "graph") else pytest.param(name, marks=pytest.mark.whole)
        for name in get_args(Execution)
    ],
)
def test_epoch(benchmark, program, data, examples):
    """One warm-up: it takes all 550 steps too. In XLA in the whole of the matrix alone: `make test` has its steps."""
    steps = 550 if program.execution.traced else 22
    benchmark.group = "epoch" if steps == 550 else f"{steps} steps of an epoch"
    time_steps(benchmark, program, data, examples, steps, warmup_rounds=1, rounds=4)


def time_steps(benchmark, program, data, examples, steps, **rounds):
    """Times one call of this many steps, until their costs are there."""
    batches = tf.constant(Sampler(len(examples[0]), BATCH_SIZE).take(steps))
    benchmark.extra_info |= {"steps": steps, "step_flop": flop(NOTEBOOK_S.products(data), BATCH_SIZE)._asdict()}
    benchmark.pedantic(lambda: program.run(examples, batches).numpy(), **rounds)


@pytest.fixture(scope="module")
def data():
    return NOTEBOOK_S.data(0)


@pytest.fixture(scope="module")
def examples(data):
    """The training images, uint8 [55,000, 784], and their labels, on the device."""
    return tuple(tf.constant(array) for array in data.train)


@pytest.fixture
def weights(dtype, data):
    """N(0,1), as the notebook draws them."""
    return new_weights(NOTEBOOK_S.layers(data), dtype=tf.as_dtype(dtype))


@pytest.fixture
def optimizer(benchmark, rule, dtype, execution, weights):
    """The optimizer that is timed, alone or in a step; what it is and moves goes into the benchmark's record."""
    optimizer = Optimizer(choose_rule(rule, usual_dialect(rule), learning_rate=0.001), weights)
    parameters = sum(weight.shape.num_elements() for weight in weights.values())
    benchmark.extra_info |= {
        "rule": rule,
        "dialect": usual_dialect(rule),
        "dtype": dtype,
        "execution": execution,
        "steps": 1,
        "parameters": parameters,
        "update_bytes": parameters * update_bytes(len(optimizer.slots["ho"]), tf.as_dtype(dtype).size),
        "versions": versions(),
    }
    return optimizer


@pytest.fixture
def program(weights, optimizer, execution):
    return Program(NOTEBOOK_S.cost, weights, optimizer, execution)
