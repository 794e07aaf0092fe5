"""Small files for tests: what a real session saves of a network of the notebook's kind, altered copies, and images."""

from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saver_pb2 import SaverDef

from ...striped import striped_images
from ...workloads.data.idx_bytes import idx

v1 = tf.compat.v1
ADAM = partial(v1.train.AdamOptimizer, 0.001)
ADAGRAD = partial(v1.train.AdagradOptimizer, 0.001)
ADADELTA = partial(v1.train.AdadeltaOptimizer, 0.001)


def session_saves(
    path, *make_optimizers, layers=(16, 8, 3), named=False, resource=True, version=SaverDef.V2, steps=3, meta=False
):
    """Takes this many steps by the first optimizer and saves; returns, by optimizer, what TensorFlow calls its slots.

    That is {variable: {slot: name}} for each, by TensorFlow's own names of slots: m, v, accumulator, accum, ….
    """
    random = np.random.default_rng(0)
    with tf.Graph().as_default():
        shapes = [*pairwise(layers), *((units,) for units in layers[1:])]
        labels = [*range(1, len(layers) - 1), "o"]
        names = [f"{letter}{label}" for letter in "hb" for label in labels] if named else [None] * len(shapes)
        variables = [
            v1.Variable(random.standard_normal(shape).astype(np.float32), name=name, use_resource=resource)
            for name, shape in zip(names, shapes, strict=True)
        ]
        half, layer = len(layers) - 1, tf.constant(random.random((5, layers[0])), tf.float32)
        for matrix, bias in zip(variables[:half], variables[half:], strict=True):
            layer = tf.tanh(layer @ matrix + bias)
        optimizers = [make() for make in make_optimizers]
        train = [optimizer.minimize(tf.reduce_mean(layer**2)) for optimizer in optimizers]
        saver = v1.train.Saver(write_version=version)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(steps if train else 0):
                session.run(train[0])
            saver.save(session, str(path), write_meta_graph=meta, write_state=False)
        return [
            {v.op.name: {slot: o.get_slot(v, slot).op.name for slot in o.get_slot_names()} for v in variables}
            for o in optimizers
        ]


def tensors(path) -> dict[str, np.ndarray]:
    """All that a file holds, by TensorFlow's own reader."""
    reader = tf.train.load_checkpoint(str(path))
    return {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}


def write(path: Path, named_tensors) -> None:
    """A file with these tensors, as Saver's own operation writes it."""
    tf.raw_ops.SaveV2(
        prefix=str(path),
        tensor_names=list(named_tensors),
        shape_and_slices=[""] * len(named_tensors),
        tensors=[tf.constant(tensor) for tensor in named_tensors.values()],
    )


def write_images(folder: Path) -> Path:
    """Four IDX files of 4 × 4 images in three classes, which session_saves' network fits."""
    folder.mkdir()
    for seed, (part, size) in enumerate({"train": 252, "t10k": 50}.items()):
        images, labels = striped_images(size, seed)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images.reshape(size, 4, 4)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder
