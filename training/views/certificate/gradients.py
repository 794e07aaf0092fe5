"""Gradients to judge with: drawn ones beside real ones of a workload, kept in a file and replayed from it."""

from collections.abc import Collection
from io import BytesIO
from pathlib import Path

import numpy as np
import tensorflow as tf

from core import Adam, InputError, Optimizer, Program
from core.engine.feeds import Sampler
from core.seeds import generator
from core.verification import DTYPES, STEPS, Streams, joined, synthetic

from ...output.files import write_whole
from ...runs.settings import Settings
from ...workloads.check import checked_variables
from ...workloads.data.npy import NUMBERS, reason
from ...workloads.data.npz import npz_arrays

COORDINATES = 20
CALL = 500
"""Steps of one call of the training program."""


def by_dtype(path: Path | None, steps: int, run: Settings, dtypes: Collection[str]) -> dict[str, Streams]:
    """Gradients in these dtypes, of a file; without one, `streams`."""
    if path is None:
        return streams(run, steps, dtypes)
    return {dtype: load_streams(path, dtype).first(steps) for dtype in sorted(dtypes)}


def streams(run: Settings, steps: int = STEPS, dtypes: Collection[str] = DTYPES) -> dict[str, Streams]:
    """By dtype: the drawn gradients of `core.verification.synthetic`, and beside them `recorded` ones, whose kind is
    called as the workload."""
    real = joined({run.workload: recorded(run, steps)}, run.seed)
    return {dtype: synthetic(dtype, steps, run.seed).beside(real.cast(dtype)) for dtype in dtypes}


def recorded(run: Settings, steps: int) -> np.ndarray:
    """Gradients [steps, coordinates] of single parameters of a run's workload, as Adam trains it; float32.

    Batches are of the workload's own size, or of all examples where there are fewer. The very first parameter is among
    the coordinates, which is that of a border pixel, always 0, in mlp; 19 others, or as many as there are, are drawn
    from the generator "coordinates" of the run's seed.
    """
    run, data = run.settled(), run.data()
    assert run.batch_size is not None, "it is settled"
    workload, count = run.make_workload(), len(data.train[0])
    sampler = Sampler(count, min(run.batch_size, count), run.seed)
    first = checked_variables(workload, data, run.seed, sampler.batch_size)
    variables = {name: tf.Variable(tf.constant(value), name=name) for name, value in first.items()}
    size = sum(int(tf.size(variable)) for variable in variables.values())
    others = generator(run.seed, "coordinates").choice(size, min(COORDINATES, size) - 1, replace=False)
    chosen = np.concatenate([[0], others])

    def observe(_cost, gradients, _updates):
        flat = tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients.values()], axis=0)
        return tf.gather(flat, chosen)

    optimizer = Optimizer(Adam(), variables)
    program = Program(workload.cost, variables, optimizer, run.execution or "xla-loop", observe=observe)
    examples = tuple(tf.constant(array) for array in data.train)
    calls = [program.run(examples, sampler.take(min(CALL, steps - start))).numpy() for start in range(0, steps, CALL)]
    return np.concatenate(calls)


def save_streams(path: Path, streams: Streams) -> None:
    """Writes gradients as a NumPy .npz file, whole or not at all. Raises InputError where it cannot be written."""
    content = BytesIO()
    np.savez_compressed(content, gradients=streams.gradients, kinds=np.array(streams.kinds), seed=streams.seed)
    write_whole(path, content.getvalue())


def load_streams(path: Path, dtype: str) -> Streams:
    """What `save_streams` wrote, rounded to a dtype where it has another.

    Raises InputError for a file that is not there or is none of these, and for gradients that the dtype cannot hold.
    """
    try:
        arrays = npz_arrays(path, f"{NUMBERS}U")
        found = Streams(arrays["gradients"], tuple(map(str, arrays["kinds"])), int(arrays["seed"]))
    except InputError as error:
        raise InputError(f"{path} holds no gradients as --save-streams writes them: {error}") from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{path} holds no gradients as --save-streams writes them: {reason(error)}.") from error
    try:
        return found.cast(dtype)
    except InputError as error:
        raise InputError(f"{path} holds gradients that are too large for {dtype}.") from error
