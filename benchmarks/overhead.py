"""What a call of a compiled step takes beyond its arithmetic, taken apart; and JAX's beside it."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf
from scipy.stats import bootstrap

from core.engine.private import launcher
from core.seeds import generator

from .engines import ENGINES
from .engines.rawstep_program import RawstepProgram
from .work import TrainingWork

CALLS = 110
"""In a sample, and steps in a call of `Program.run`, as `rawstep train` has them of the notebook's epoch."""

Sample = Callable[[], object]
"""Makes CALLS calls, and waits until they are done."""


class Part(NamedTuple):
    """Something that takes time in every call of a step.

    what:     in words.
    seconds:  a call: the median over rounds.
    interval: its bootstrap 95 % interval.
    whose:    work: arithmetic, in whatever library. TensorFlow, rawstep, JAX: what these add to it.
    role:     part: the step is made of these. whole: the step. beside: neither, to compare with.
    """

    what: str
    seconds: float
    interval: tuple[float, float]
    whose: Literal["work", "TensorFlow", "rawstep", "JAX"]
    role: Literal["part", "whole", "beside"]


def overhead(
    rounds: int,
    seed: int,
    heard: Callable[[str], None] = lambda doing: None,
    noted: Callable[[str], None] = lambda sentence: None,
) -> list[Part]:
    """Takes a step of "xla-step" on the notebook's network apart, in this process, which must see no GPU.

    Each round takes one sample of everything, in an order shuffled anew, and parts that no sample shows alone are
    differences within rounds. Where JAX or Optax is not installed, JAX's rows are left out.

    rounds: at least 2. seed: of the first weights, the batches and the order. heard: is called with what goes on;
    noted: with a sentence of what is left out.
    """
    work = TrainingWork(seed=seed)
    heard("compiling")
    samples = tensorflow_samples(work) | (jax_samples(work) if has_jax(noted) else {})
    for sample in samples.values():
        for _ in range(2):  # compiles, and settles what is allocated once
            sample()
    random, names = generator(seed, "rounds"), list(samples)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        heard(f"round {number + 1} of {rounds}")
        for place in random.permutation(len(names)):
            begin = time.perf_counter()
            samples[names[place]]()
            seconds[names[place]].append((time.perf_counter() - begin) / CALLS)
    return taken_apart({name: np.array(values) for name, values in seconds.items()})


def has_jax(noted: Callable[[str], None]) -> bool:
    """Whether JAX and Optax are installed; calls `noted` with a sentence if not."""
    absent = [package for package in ENGINES["jax-step"].packages if find_spec(package) is None]
    if absent:
        noted(f"{' and '.join(absent)} not installed: JAX's rows are left out.")
    return not absent


def taken_apart(seconds: Mapping[str, np.ndarray]) -> list[Part]:
    """Rows from the seconds a call of each sample in each round.

    A function with more arguments does all that one with fewer does; their difference is the arguments' part. The last
    part is what is left of the step, so that parts add up within a round. Where rawstep prepares a call while the one
    before it runs, the time that this hides makes it less than nothing.
    """
    empty, data, read, assigned, rows, loop, step = (
        seconds[name] for name in ("empty", "data", "read", "assigned", "rows", "loop", "step")
    )
    parts = [
        _part("launch of an empty jitted function", empty, "TensorFlow"),
        _part("images, labels and a batch as its arguments", data - empty, "TensorFlow"),
        _part("every variable read", read - data, "TensorFlow"),
        _part("every variable assigned", assigned - read, "TensorFlow"),
        _part("batches cut apart, costs stacked", rows, "rawstep"),
        _part("products and all other arithmetic: a step of the loop", loop, "work"),
        _part("the rest: XLA outside a loop, less what overlaps", step - assigned - rows - loop, "TensorFlow"),
        _part("a step of xla-step", step, "rawstep", "whole"),
        _part("binding by a concrete function, avoided", seconds["concrete"] - data, "TensorFlow", "beside"),
        _part("dispatch by a tf.function, avoided", seconds["dispatch"] - data, "TensorFlow", "beside"),
    ]
    if "jax step" in seconds:
        parts += [
            _part("JAX: a call of an empty jitted function", seconds["jax empty"], "JAX", "beside"),
            _part("JAX: as many arrays donated, and a batch", seconds["jax donated"], "JAX", "beside"),
            _part("JAX: a jitted step", seconds["jax step"], "JAX", "beside"),
        ]
    return parts


def tensorflow_samples(work: TrainingWork) -> dict[str, Sample]:
    """By the names that `taken_apart` has for them.

    The variables of "read" and "assigned" are as many as the step's, but scalars: a launch looks up, locks and wraps
    each, whatever its size, and more would be arithmetic.
    """
    images, labels = (tf.constant(array) for array in work.examples())
    batches = work.sampler().take(CALLS)
    batch = tf.constant(batches[0])
    variables = [tf.Variable(tf.zeros([])) for _ in range(count_variables(work))]

    def data(data, batch):
        return tf.cast(batch[0], tf.float32)

    def read(data, batch):
        return tf.add_n([tf.convert_to_tensor(variable) for variable in variables])

    def assigned(data, batch):
        total = read(data, batch)
        for variable in variables:
            variable.assign_add(1.0)
        return total

    def jitted(body):
        return tf.function(body, autograph=False, jit_compile=True)

    samples = {"empty": _repeated(launcher(jitted(lambda: tf.constant(0.0))))}
    for body in (data, read, assigned):
        samples[body.__name__] = _repeated(launcher(jitted(body), (images, labels), batch), images, labels, batch)
    dispatched = jitted(data)
    samples["dispatch"] = _repeated(dispatched, (images, labels), batch)
    samples["concrete"] = _repeated(dispatched.get_concrete_function((images, labels), batch), (images, labels), batch)
    costs = [tf.constant(0.0, tf.float64)] * CALLS
    samples["rows"] = lambda: (tf.unstack(tf.constant(batches)), tf.stack(costs))
    samples["loop"] = partial(RawstepProgram(work, "xla-loop").train, [batches])
    samples["step"] = partial(RawstepProgram(work, "xla-step").train, [batches])
    return samples


def jax_samples(work: TrainingWork) -> dict[str, Sample]:
    """JAX launches a call while the one before it runs, so a sample waits once, at its end, as rawstep's steps do."""
    import jax
    import jax.numpy as jnp

    from .engines.jax_optax import JaxStep

    empty = jax.jit(lambda: jnp.float32(0))
    donated = jax.jit(lambda state, batch: ([array + 1 for array in state], batch[0]), donate_argnums=0)
    engine = JaxStep(work)
    batches = engine.prepare(work.sampler().take(CALLS))
    state = [jnp.zeros([]) for _ in range(count_variables(work))]

    def empty_calls():
        jax.block_until_ready([empty() for _ in range(CALLS)])

    def donated_calls():
        nonlocal state
        for _ in range(CALLS):
            state, _ = donated(state, batches[0])
        jax.block_until_ready(state)

    return {"jax empty": empty_calls, "jax donated": donated_calls, "jax step": partial(engine.train, batches)}


def count_variables(work: TrainingWork) -> int:
    """Of a step: the weights, Adam's two slots of each, and the step counter."""
    return 3 * len(work.first_weights()) + 1


def _repeated(call: Callable[..., object], *arguments: object) -> Sample:
    def sample():
        for _ in range(CALLS):
            call(*arguments)

    return sample


def _part(
    what: str,
    seconds: np.ndarray,
    whose: Literal["work", "TensorFlow", "rawstep", "JAX"],
    role: Literal["part", "whole", "beside"] = "part",
) -> Part:
    interval = bootstrap((seconds,), np.median, method="percentile", rng=0).confidence_interval
    return Part(what, float(np.median(seconds)), (float(interval.low), float(interval.high)), whose, role)
