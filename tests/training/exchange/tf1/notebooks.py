"""Notebooks of TensorFlow 1 as people wrote them: other names, orders, optimizers and dtypes than the one's.

Each is a session of its own graph on rawstep's table for regression, 10-8-8-1 with ReLU, by the mean squared error.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from training.workloads.perceptron import first_values
from training.workloads.regression import Regression

v1 = tf.compat.v1
LAYERS = [10, 8, 8, 1]
DATA = Regression().data(0)


@dataclass(frozen=True)
class Several:
    """Optimizers of one graph, of which the first trains."""

    makers: list[Callable]

    def minimize(self, cost, global_step=None):
        first, *_ = [make().minimize(cost, global_step) for make in self.makers]
        return first


class NadamOptimizer(v1.train.AdamOptimizer):
    """tf.contrib.opt's, as far as a dense gradient of a resource variable needs it."""

    def _resource_apply_dense(self, grad, var):
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        powers = self._get_beta_accumulators()
        numbers = (*powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)
        return tf.raw_ops.ResourceApplyAdam(
            var=var.handle, m=m.handle, v=v.handle, grad=grad, use_nesterov=True,
            **dict(zip(("beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon"), numbers, strict=True)),
        )  # fmt: skip


def scoped(name, value, dtype, layer):
    """As tf.layers.dense calls them, in a scope of the user's."""
    called = "bias" if value.ndim == 1 else "kernel"
    scope = f"net/dense_{layer}" if layer else "net/dense"
    with v1.variable_scope(scope):
        return v1.get_variable(called, initializer=value.astype(dtype))


def lettered(name, value, dtype, layer):
    """W1, b1, W2, b2, …"""
    return v1.Variable(value.astype(dtype), name=f"{'b' if value.ndim == 1 else 'W'}{layer + 1}", use_resource=True)


def unnamed(name, value, dtype, layer):
    return v1.Variable(value.astype(dtype), use_resource=False)


def worded(name, value, dtype, layer):
    """Names that nothing but their meaning orders."""
    return v1.Variable(value.astype(dtype), name=f"{('first', 'middle', 'out')[layer]}_{name[0]}", use_resource=True)


@dataclass(frozen=True)
class Notebook:
    """What a person's cells say.

    make:     returns the optimizer.
    variable: creates one, of rawstep's name, a value, a dtype and the number of its layer.
    scope:    in which it minimizes; "" is none.
    ema:      the decay of averages, which follows the steps with num_updates.
    activation: between the layers.
    meta:     whether the graph is saved too.
    """

    make: Callable[[], object]
    variable: Callable = unnamed
    dtype: str = "float32"
    scope: str = ""
    ema: float | None = None
    num_updates: bool = False
    activation: Callable = tf.nn.relu
    counts: bool = False
    meta: bool = False
    layers: list[int] = field(default_factory=lambda: LAYERS)

    def session(self):
        return Session(self)


class Session:
    """A notebook that runs."""

    def __init__(self, notebook: Notebook):
        self.notebook, dtype = notebook, notebook.dtype
        values, layers = first_values(notebook.layers, "glorot", 3), len(notebook.layers) - 1
        with tf.Graph().as_default():
            self._x, self._y = v1.placeholder(dtype, [None, 10]), v1.placeholder(dtype, [None])
            layer, self.names, trained = self._x, {}, []
            for number in range(layers):
                label = "o" if number == layers - 1 else number + 1
                pair = [notebook.variable(n, values[n], dtype, number) for n in (f"h{label}", f"b{label}")]
                self.names |= {f"{letter}{label}": v.op.name for letter, v in zip("hb", pair, strict=True)}
                trained += pair
                layer = tf.matmul(layer, pair[0]) + pair[1]
                layer = layer if label == "o" else notebook.activation(layer)
            self._cost = tf.reduce_mean(tf.square(layer[:, 0] - self._y))
            step = v1.train.get_or_create_global_step() if notebook.counts else None
            with v1.variable_scope(notebook.scope) if notebook.scope else nullcontext():
                self._train = notebook.make().minimize(self._cost, global_step=step)
            self._averages = []
            if notebook.ema is not None:
                ema = v1.train.ExponentialMovingAverage(notebook.ema, step if notebook.num_updates else None)
                with tf.control_dependencies([self._train]):
                    self._train = ema.apply(trained)
                self._averages = [ema.average(v) for v in trained]
            self._saver, self._session = v1.train.Saver(), v1.Session()
            self._session.run(v1.global_variables_initializer())

    def costs(self, batches):
        rows, targets = DATA.train
        return np.array(
            [self._session.run([self._cost, self._train], {self._x: rows[b], self._y: targets[b]})[0] for b in batches]
        )

    def averages(self):
        """By rawstep's names."""
        return dict(zip(self.names, self._session.run(self._averages), strict=True)) if self._averages else {}

    def save(self, path):
        with self._session.graph.as_default():
            self._saver.save(self._session, str(path), write_meta_graph=self.notebook.meta, write_state=False)

    def restore(self, path):
        with self._session.graph.as_default():
            self._saver.restore(self._session, str(path))
