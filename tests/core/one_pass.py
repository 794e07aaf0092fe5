"""Optimizers with `one_pass` beside those without it; as a module, in a process that has XLA's option for it."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from core import SGD, Adadelta, Adagrad, Adam, Optimizer

ROOT = Path(__file__).parents[2]
OPTION = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
RULES = [Adam(), Adam.dialect("keras"), Adagrad(0.1), Adadelta(), Adadelta.dialect("keras"), SGD(0.1)]
STEPS = 20


def ends(rule, one_pass):
    """Steps taken, two variables and their slots after `STEPS` compiled steps on given gradients."""
    random = np.random.default_rng(0)
    variables = {
        "w": tf.Variable(random.standard_normal([64, 33]).astype("f")),
        "b": tf.Variable(tf.zeros(33)),
    }
    optimizer = Optimizer(rule, variables, one_pass=one_pass)
    apply = compiled(optimizer)
    for _ in range(STEPS):
        apply({name: tf.constant(random.standard_normal(v.shape).astype("f")) for name, v in variables.items()})
    return int(optimizer.step), [v.numpy() for v in (*variables.values(), *tf.nest.flatten(optimizer.slots))]


def loops(rule, one_pass):
    """The loops over a large variable in the program that XLA makes of an update."""
    variables = {"x": tf.Variable(tf.ones(100_000))}
    apply = compiled(Optimizer(rule, variables, one_pass=one_pass))
    hlo = apply.experimental_get_compiler_ir({"x": tf.ones(100_000)})(stage="optimized_hlo")
    return sum(" fusion(" in line and "f32[100000]" in line for line in hlo.splitlines())


def compiled(optimizer):
    return tf.function(lambda gradients: optimizer.apply(gradients) and None, jit_compile=True, autograph=False)


def compared():
    """By rule, `ends` without `one_pass` and with it; and as many `loops` of Adadelta."""
    pairs = {repr(rule): [ends(rule, one_pass) for one_pass in (False, True)] for rule in RULES}
    return pairs, [loops(Adadelta(), one_pass) for one_pass in (False, True)]


def compared_with_the_option():
    """`compared` in a process of its own: XLA reads its options once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.one_pass"],
        cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": OPTION},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(compared()))
