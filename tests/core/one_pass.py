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


def ends(one_pass):
    """By rule: steps taken, two variables and their slots after `STEPS` compiled steps on given gradients.

    Each rule has its own variables in one optimizer, since a compilation is what costs.
    """
    names = [(number, name) for number in range(len(RULES)) for name in "wb"]
    random = np.random.default_rng(0)
    first = random.standard_normal([64, 33]).astype("f")
    variables = {(n, name): tf.Variable(first if name == "w" else tf.zeros(33)) for n, name in names}
    groups = [(rule, {f"{n}{name}": variables[n, name] for name in "wb"}) for n, rule in enumerate(RULES)]
    optimizer = Optimizer(groups, one_pass=one_pass)
    apply = compiled(optimizer)
    for _ in range(STEPS):
        gradients = {name: tf.constant(random.standard_normal(variables[0, name].shape).astype("f")) for name in "wb"}
        apply({f"{n}{name}": gradients[name] for n, name in names})
    return {
        repr(rule): (
            int(optimizer.step),
            [
                value.numpy()
                for name in "wb"
                for value in (variables[n, name], *tf.nest.flatten(optimizer.slots[f"{n}{name}"]))
            ],
        )
        for n, rule in enumerate(RULES)
    }


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
    plain, merged = (ends(one_pass) for one_pass in (False, True))
    return {rule: (plain[rule], merged[rule]) for rule in plain}, [
        loops(Adadelta(), one_pass) for one_pass in (False, True)
    ]


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
