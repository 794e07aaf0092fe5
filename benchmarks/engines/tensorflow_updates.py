"""An optimizer's update alone on TensorFlow: rawstep's rules, Keras's optimizers, TensorFlow 1's kernels."""

import keras
import numpy as np
import tensorflow as tf

from core import Optimizer, Program

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
        optimizer = getattr(keras.optimizers, updates.rule.capitalize())(updates.learning_rate)
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
        rule = updates.own_rule()
        self._variables = [tf.Variable(tf.zeros(size)) for size in updates.shapes()]
        gradients = [tf.constant(gradient) for gradient in updates.gradients]
        slots = [[tf.Variable(value) for value in rule.slots(tf.zeros_like(x))] for x in self._variables]
        settings = {name: tf.constant(getattr(rule, name), tf.float32) for name in ("learning_rate", "epsilon")}
        lr, epsilon = settings.values()
        powers = [tf.Variable(1.0), tf.Variable(1.0)]

        def adam(x, g, slots):
            tf.raw_ops.ResourceApplyAdam(
                var=x, m=slots[0], v=slots[1], beta1_power=powers[0], beta2_power=powers[1], lr=lr, beta1=rule.beta_1,
                beta2=rule.beta_2, epsilon=epsilon, grad=g,
            )  # fmt: skip

        def adagrad(x, g, slots):
            tf.raw_ops.ResourceApplyAdagradV2(var=x, accum=slots[0], lr=lr, epsilon=epsilon, grad=g)

        def adadelta(x, g, slots):
            tf.raw_ops.ResourceApplyAdadelta(
                var=x, accum=slots[0], accum_update=slots[1], lr=lr, rho=rule.rho, epsilon=epsilon, grad=g
            )

        apply = dict(adam=adam, adagrad=adagrad, adadelta=adadelta)[updates.rule]

        @tf.function(autograph=False)
        def update(gradients):
            if updates.rule == "adam":
                powers[0].assign(powers[0] * rule.beta_1)
                powers[1].assign(powers[1] * rule.beta_2)
            for x, g, own in zip(self._variables, gradients, slots, strict=True):
                apply(x.handle, g, [slot.handle for slot in own])

        self.update = lambda: update(gradients)

    def first_parameters(self):
        return self._variables[0][:SEEN].numpy()
