"""Signals that come while XLA computes, in a process of their own, which they may abort."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INTERRUPTED = """
import os, signal, time
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # so that the main thread computes all products
import core, numpy as np, tensorflow as tf
BEFORE
from training.workloads.perceptron import logits, new_weights
weights = new_weights([784, 32, 10])
data = tf.zeros([1000, 784]), tf.zeros([1000], tf.int32)
cost = lambda w, x, y: core.softmax_cross_entropy(logits(w, x), y)
program = core.Program(cost, weights, core.Optimizer(core.Adam(), weights))
batches = np.random.default_rng(0).integers(0, 1000, (100, 500))
program.run(data, batches)
noted = []
signal.signal(signal.SIGALRM, lambda number, _: noted.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
end = time.monotonic() + 2
while time.monotonic() < end:
    program.run(data, batches).numpy()
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(noted) > 10
"""
WITHOUT_A_STACK = """
import ctypes
class Stack(ctypes.Structure):
    _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]
assert ctypes.CDLL(None).sigaltstack(ctypes.byref(Stack(None, 2, 0)), None) == 0  # SS_DISABLE
"""


def interrupted(before: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", INTERRUPTED.replace("BEFORE", before)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to one processor")
def test_signals_while_xla_computes_corrupt_nothing():
    """Without a stack of their own they abort the process, nearly always; `-m whole` shows it."""
    done = interrupted()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.whole
def test_the_test_itself_sees_an_aborted_process():
    """Planted: the stack taken away again. TensorFlow may come to bear it: then `core/signals.py` can go."""
    assert any(interrupted(WITHOUT_A_STACK).returncode != 0 for _ in range(5))


def test_python_s_own_fault_handler_stays_as_it_was():
    """Would catch tracebacks of crashes that nobody asked for, and a handler of the user's that is taken away."""
    program = "import faulthandler; {}; import core; print(faulthandler.is_enabled())"
    for before, enabled in (("0", "False"), ("faulthandler.enable()", "True")):
        command = [sys.executable, "-c", program.format(before)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        assert done.stdout.split() == [enabled]
