"""A plane through the real loss of a workload that was trained, as a landscape of two numbers.

Li, Xu, Taylor, Studer & Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS (2018), section 4: the
loss at θ + x·δ + y·η, where δ and η are drawn from N(0, 1) and then scaled, filter by filter, to the norm of the
trained values. The filters of a tensor are its slices along the last axis: the weights into each unit of a layer, the
kernel of each channel. Vectors, which are biases and the like, stay as they are beside them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from core import Adam, Guard, Optimizer, Program
from core.seeds import generator

from ...runs.settings import Settings
from ...workloads.check import checked_variables
from ...workloads.workload import Data, Examples
from .landscapes import SLICE, Landscape, Point

STEPS, RATE = 300, 0.01
"""Of Adam, each on all examples at once."""
BOUNDS: tuple[Point, Point] = ((-1.0, 1.0), (-1.0, 1.0))
START: Point = (-0.8, 0.7)
GRID = 61
"""Points to a side, on which the lowest point is looked for before it is made exact."""

Values = Mapping[str, np.ndarray]
Cost = Callable[[tf.Tensor], tf.Tensor]


def loss_slice(run: Settings) -> Landscape:
    """The landscape around what a run's workload is after some training, its two directions drawn from the seed too.

    Raises InputError for a workload or data that cannot be, and NonFiniteError where the training leaves the numbers.
    """
    run, data = run.settled(), run.data()
    examples = first_examples(run, data)
    origin = trained(run, data, examples)
    random = generator(run.seed, "directions")
    return slice_of(run, data, origin, [filter_normalised(origin, random) for _ in range(2)])


def first_examples(run: Settings, data: Data) -> Examples:
    """As many of the training examples as the workload's slice takes."""
    return tuple(array[: run.make_workload().slice_examples] for array in data.train)


def slice_of(run: Settings, data: Data, origin: Values, directions: Sequence[Values]) -> Landscape:
    """The plane through trained values along two directions."""
    run, workload, examples = run.settled(), run.make_workload(), first_examples(run, data)
    along = workload.along(examples, origin, directions)
    cost = tf.function(along, autograph=False, jit_compile=True)
    (minimum, least), title = lowest(along, cost), workload.title(data)
    source = (
        f"the cost of {title} on {len(examples[0])} of its training examples around the values that Adam found in "
        f"{STEPS} steps, along two random directions, filter-normalised after Li et al., “Visualizing the Loss "
        "Landscape of Neural Nets”, NeurIPS (2018); its lowest point was found on a grid, then by Newton's method"
    )
    formula = "the mean cost of the examples at the values θ + x·δ + y·η, δ and η being the two directions"
    named = f"A slice of the loss of {title}"
    return Landscape(SLICE, named, source, formula, cost, BOUNDS, START, (minimum,), least)


def trained(run: Settings, data: Data, examples: Examples) -> Values:
    """The workload's values after Adam's steps on all examples at once."""
    run, workload = run.settled(), run.make_workload()
    first = checked_variables(workload, data, run.seed, len(examples[0]))
    variables = {name: tf.Variable(tf.constant(value), name=name) for name, value in first.items()}
    optimizer = Optimizer(Adam(RATE), variables)
    guard = Guard(Program(workload.cost, variables, optimizer, run.execution or "xla-loop"))
    guard.run([tf.constant(array) for array in examples], np.tile(np.arange(len(examples[0])), (STEPS, 1)))
    guard.look()
    return {name: variable.numpy() for name, variable in variables.items()}


def filter_normalised(origin: Values, random: np.random.Generator) -> dict[str, np.ndarray]:
    """A direction, of the values' shapes, in float64: each filter has the norm of the origin's. Of vectors
    it is 0, unless there is nothing else; then each is one filter."""
    direction, moved = {}, [name for name, value in origin.items() if value.ndim > 1] or [*origin]
    for name, value in origin.items():
        if name not in moved:
            direction[name] = np.zeros(value.shape)
            continue
        drawn, filters = random.standard_normal(value.shape), value.shape[-1] if value.ndim > 1 else 1
        own, norms = (np.linalg.norm(array.astype(float).reshape(-1, filters), axis=0) for array in (value, drawn))
        direction[name] = drawn * own / norms
    return direction


def lowest(cost: Cost, compiled: Cost) -> tuple[Point, float]:
    """The lowest point within the bounds, and the cost there: the lowest of a grid, and Newton's method in a region of
    trust from there, until the gradient is below 1e-10.

    compiled: the same function, of many points in less time.
    """
    x, y = (np.linspace(*bound, GRID) for bound in BOUNDS)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    costs = np.concatenate([compiled(tf.constant(row)).numpy() for row in points])
    begin = points.reshape(-1, 2)[np.argmin(costs)]

    found = minimize(
        lambda p: derivatives(cost, p)[:2], begin, jac=True, hess=lambda p: derivatives(cost, p)[2],
        method="trust-exact", options={"gtol": 1e-10},
    )  # fmt: skip
    return tuple(found.x.tolist()), float(found.fun)


def derivatives(cost: Cost, point: np.ndarray) -> list[np.ndarray]:
    """The cost at one point [2], its gradient [2] and its Hessian [2, 2]."""
    at = tf.constant(point)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(at)
        with tf.GradientTape() as inner:
            inner.watch(at)
            value = cost(at)
        gradient: Any = inner.gradient(value, at)
        slopes = tf.unstack(gradient)
    hessian: Any = [outer.gradient(slope, at) for slope in slopes]
    return [value.numpy(), gradient.numpy(), tf.stack(hessian).numpy()]
