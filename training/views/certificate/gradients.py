"""Gradients to judge with: drawn ones beside real ones of MNIST, kept in a file and replayed from it."""

import zlib
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np
import tensorflow as tf

from core import Adam, InputError, Optimizer, Program, new_weights
from core.seeds import generator
from core.verification import STEPS, Streams, joined, synthetic

from ...output.files import write_whole
from ...workloads.data import Sampler, load_dataset
from ...workloads.images import image_cost

LAYERS = (784, 32, 10)
COORDINATES = 20
BATCH_SIZE = 100
CALL = 500
"""Steps of one call of the training program."""


def streams(steps: int = STEPS, seed: int = 0) -> dict[str, Streams]:
    """By dtype: the drawn gradients of `core.verification.synthetic`, and beside them `mnist_gradients`."""
    real = mnist_gradients(steps, seed)
    drawn = {dtype: synthetic(dtype, steps, seed) for dtype in ("float32", "float64")}
    return {dtype: one.beside(joined({"mnist": real.astype(dtype)}, seed)) for dtype, one in drawn.items()}


def mnist_gradients(steps: int, seed: int = 0) -> np.ndarray:
    """Gradients [steps, 20] of single parameters of a small perceptron, as Adam trains it on MNIST; float32.

    A border pixel, which is always 0, is among them; the others are drawn from the generator "coordinates" of `seed`.
    """
    dataset = load_dataset()
    sampler = Sampler(len(dataset.train.images), BATCH_SIZE, seed)
    weights = new_weights(LAYERS, "he", seed)
    sizes = [int(tf.size(weight)) for weight in weights.values()]
    chosen = np.concatenate([[0], generator(seed, "coordinates").choice(sum(sizes), COORDINATES - 1, replace=False)])

    def observe(_cost, gradients, _updates):
        flat = tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients.values()], axis=0)
        return tf.gather(flat, chosen)

    program = Program(image_cost, weights, Optimizer(Adam(), weights), observe=observe)
    data = tuple(tf.constant(array) for array in dataset.train)
    calls = [program.run(data, sampler.take(min(CALL, steps - start))).numpy() for start in range(0, steps, CALL)]
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
        content = BytesIO(path.read_bytes())
        if not is_zipfile(content):
            raise InputError("it is no .npz file")
        with np.load(content, allow_pickle=False) as file:
            found = Streams(file["gradients"], tuple(map(str, file["kinds"])), int(file["seed"]))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path} holds no gradients as --save-streams writes them: {reason.rstrip('.')}.") from error
    try:
        return found.cast(dtype)
    except InputError as error:
        raise InputError(f"{path} holds gradients that are too large for {dtype}.") from error
