"""Real gradients of MNIST, and files of gradients."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from core import Adam, InputError, Optimizer
from core.engine.feeds import Sampler
from core.seeds import generator
from core.verification import joined, synthetic
from training.runs.small import small
from training.views.certificate.gradients import COORDINATES, load_streams, recorded, save_streams, streams
from training.workloads.mlp import MLP
from training.workloads.perceptron import new_weights
from training.workloads.workload import Data, Workload


def test_recorded_gradients_are_those_of_training():
    """Three steps by tape and optimizer alone. Would catch gradients of other parameters, batches or steps."""
    found, (pixels, labels) = recorded(small("mlp", {}, 5), 3), MLP().data(5).train
    weights = new_weights([784, 32, 10], "he", 5)
    optimizer, sampler = Optimizer(Adam(), weights), Sampler(len(pixels), 100, 5)
    sizes = [int(tf.size(weight)) for weight in weights.values()]
    chosen = generator(5, "coordinates").choice(sum(sizes), COORDINATES - 1, replace=False)
    for row, batch in zip(found, sampler.take(3), strict=True):
        with tf.GradientTape() as tape:
            cost = MLP().cost(weights, pixels[batch], labels[batch])
        gradients = tape.gradient(cost, weights)
        flat = np.concatenate([gradient.numpy().ravel() for gradient in gradients.values()])
        np.testing.assert_allclose(row, flat[[0, *chosen]], rtol=1e-4, atol=1e-8)
        optimizer.apply(gradients)
    assert np.any(found[:, 1:] != 0)
    assert not np.any(found[:, 0]), "the corner pixel is always 0"


@dataclass(frozen=True, kw_only=True)
class Line(Workload):
    """Fewer parameters than coordinates, fewer examples than a batch has."""

    slope: float = 2.0

    def data(self, seed):
        x = np.arange(6, dtype=np.float32)
        return Data(*[(x, np.float32(self.slope) * x)] * 3)

    def variables(self, data, seed):
        return {"slope": np.zeros((), np.float32), "shift": np.zeros((), np.float32)}

    def cost(self, variables, *batch):
        x, y = batch
        return tf.reduce_mean(tf.square(variables["slope"] * x + variables["shift"] - y))


def test_gradients_of_a_problem_of_one_s_own_are_recorded_with_its_options():
    """All of its parameters, by all of its examples: −2·mean(x·y) and −2·mean(y) of y = 3·x. Would catch gradients of
    the perceptron, and options that are dropped."""
    run = small(f"{__name__}:Line", {"slope": ["3"]})
    x = np.arange(6)
    np.testing.assert_allclose(sorted(recorded(run, 2)[0]), [-6 * np.mean(x * x), -6 * np.mean(x)], rtol=1e-6)


def test_the_streams_hold_drawn_and_real_gradients_in_both_dtypes():
    both = streams(small("mlp", {}, 1), 20)
    assert set(both) == {"float32", "float64"}
    for dtype, one in both.items():
        assert one.gradients.dtype == dtype
        assert one.gradients.shape == (20, synthetic(dtype, 1).gradients.shape[1] + COORDINATES)
        assert "mlp" in one.kinds


def test_gradients_come_back_from_their_file_as_they_were(tmp_path):
    saved = synthetic("float32", 7, seed=3)
    save_streams(tmp_path / "gradients.npz", saved)
    found = {dtype: load_streams(tmp_path / "gradients.npz", dtype) for dtype in ("float32", "float64")}
    np.testing.assert_array_equal(found["float32"].gradients, saved.gradients)
    np.testing.assert_array_equal(found["float64"].gradients, saved.gradients.astype(np.float64))
    assert (found["float32"].kinds, found["float32"].seed) == (saved.kinds, 3)


@pytest.mark.parametrize("damage", ["absent", "empty", "text", "other arrays", "cut", "objects", "nan"])
def test_a_file_of_something_else_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "gradients.npz"
    save_streams(path, synthetic("float32", 7))
    whole = path.read_bytes()
    if damage == "absent":
        path.unlink()
    elif damage == "other arrays":
        np.savez(path, weights=np.ones(3))
    elif damage == "objects":
        np.savez(path, gradients=np.array([{"a": 1}], dtype=object), kinds=["a"], seed=0)
    elif damage == "nan":
        np.savez(path, gradients=np.full((2, 1), np.nan, np.float32), kinds=["a"], seed=0)
    else:
        path.write_bytes({"empty": b"", "text": b"gradients", "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(InputError) as error:
        load_streams(path, "float32")
    assert str(error.value).startswith(f"{path} holds no gradients as --save-streams writes them: ")


def test_gradients_that_are_too_large_for_the_dtype_are_refused_by_the_file_s_name(tmp_path):
    path = tmp_path / "gradients.npz"
    save_streams(path, joined({"large": np.full((3, 2), 1e200)}, 0))
    assert load_streams(path, "float64").gradients[0, 0] == 1e200
    with pytest.raises(InputError, match=r"gradients.npz holds gradients that are too large for float32"):
        load_streams(path, "float32")
