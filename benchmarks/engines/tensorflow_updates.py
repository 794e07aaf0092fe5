"""An optimizer's update alone on TensorFlow: rawstep's rules, Keras's optimizers, TensorFlow 1's kernels."""

import inspect

import keras
import numpy as np
import tensorflow as tf

from core import Optimizer, Program
from core.rules import named
from core.verification.libraries import Keras, TF1Kernel

from ..updates import Updates
from .update_calls import SEEN, UpdateCalls


class RawstepUpdate(UpdateCalls):
    """`Program`, a compiled call a step, of a cost whose gradients are those given; itself it is never computed.

    one_pass: as `Optimizer` takes it; it needs XLA's option.
    """

    def __init__(self, updates: Updates, one_pass: bool = False):
        self._variables = {f"x{number}": tf.Variable(tf.zeros(size)) for number, size in enumerate(updates.shapes())}
        gradients = dict(zip(self._variables, map(tf.constant, updates.gradients), strict=True))
        optimizer = Optimizer(updates.own_rule(), self._variables, one_pass=one_pass)

        def cost(variables):
            return tf.add_n([tf.tensordot(gradients[name], x, 1) for name, x in variables.items()])

        self._program = Program(cost, self._variables, optimizer, "xla-step", observe=lambda *_: ())

    def prepare(self, batches: np.ndarray) -> np.ndarray:
        return batches

    def train(self, prepared: np.ndarray) -> float:
        self._program.run((), prepared)
        return self.mean_size()

    def first_parameters(self):
        return self._variables["x0"][:SEEN].numpy()


class KerasUpdate(UpdateCalls):
    """`keras.optimizers`' own `apply` in one jitted function."""

    def __init__(self, updates: Updates):
        self._variables = [keras.Variable(np.zeros(size, np.float32)) for size in updates.shapes()]
        gradients = [tf.constant(gradient) for gradient in updates.gradients]
        optimizer = Keras.named(Keras.spelled(updates.rule).name)(**updates.settings(Keras))
        optimizer.build(self._variables)

        @tf.function(jit_compile=True, autograph=False)
        def update(gradients):
            optimizer.apply(gradients, self._variables)

        self.update = lambda: update(gradients)

    def first_parameters(self):
        return self._variables[0].value[:SEEN].numpy()


class TF1Update(UpdateCalls):
    """The C++ kernels of TensorFlow 1's optimizers, in a traced graph."""

    def __init__(self, updates: Updates):
        rule, spelling = updates.own_rule(), TF1Kernel.spelled(updates.rule)
        kernel = getattr(tf.raw_ops, f"Resource{spelling.name}")
        takes = inspect.signature(kernel).parameters
        self._variables = [tf.Variable(tf.zeros(size)) for size in updates.shapes()]
        gradients = [tf.constant(gradient) for gradient in updates.gradients]
        slots = [
            {name: tf.Variable(tf.zeros_like(x)) for name in spelling.unused}
            | {spelling.slots[name]: tf.Variable(value) for name, value in named(rule.first(tf.zeros_like(x))).items()}
            for x in self._variables
        ]
        settings = updates.settings(TF1Kernel)
        numbers = {name: value if isinstance(value, bool) else tf.constant(value) for name, value in settings.items()}
        powers = {name: tf.Variable(1.0) for name in ("beta1_power", "beta2_power") if name in takes}

        @tf.function(autograph=False)
        def update(gradients):
            for name, power in powers.items():
                power.assign(power * numbers[name.removesuffix("_power")])
            for x, g, own in zip(self._variables, gradients, slots, strict=True):
                handles = {name: variable.handle for name, variable in {"var": x, **own}.items()}
                call = {**numbers, **powers, **handles, spelling.settings.get("g", "grad"): g}
                kernel(**{name: value for name, value in call.items() if name in takes})

        self.update = lambda: update(gradients)

    def first_parameters(self):
        return self._variables[0][:SEEN].numpy()
