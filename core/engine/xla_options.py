"""Options of XLA that a small dense network trains faster with on a processor, decided by its sizes alone."""

import os
from typing import NamedTuple

MERGED_LOOPS = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
"""Lets XLA's CPU compiler merge loops that read the same, which `Optimizer(…, one_pass=True)` needs."""
IN_ORDER = "--xla_cpu_enable_concurrency_optimized_scheduler=false"
"""Kernels in an order that saves memory, not in one for many threads."""

MOST_PARAMETERS, MOST_PRODUCTS = 270_000, 80_000_000
"""Where a gain was measured."""


class Options(NamedTuple):
    """flags: of XLA. one_pass: as `Optimizer` takes it. Printed, they are one line."""

    flags: tuple[str, ...] = ()
    one_pass: bool = False

    def __str__(self) -> str:
        return ", ".join([*self.flags, *(["one pass over each tensor"] if self.one_pass else [])]) or "none"


def options(parameters: int, products: int) -> Options:
    """What "xla-loop" trains a dense network faster with on a CPU; none where no gain is known.

    parameters: of all variables. products: FLOP of the matrix products of a step, forward and backward.

    Time with these options in that without, medians of paired rounds on two AVX-512 cores, TensorFlow 2.21:

    network        batch  parameters  MFLOP
    784-32-32-10   32     26,506      3.5    0.88 [0.85–0.92]
    784-64-64-10   32     55,050      7.3    0.84 [0.81–0.91]
    784-128-128-10 32     118,282     16.2   0.80 [0.73–0.88]
    784-64-64-10   100    55,050      22.9   0.82 [0.77–0.84]
    784-256-256-10 32     269,322     38.8   0.81 [0.75–0.96]
    784-128-128-10 100    118,282     50.7   0.85 [0.83–0.91]
    784-256-256-10 64     269,322     77.5   0.83 [0.78–0.91]
    784-256-256-10 100    269,322     121.1  0.98 [0.90–1.27], no gain

    Larger networks were not measured. XLA compiles a second or two longer with them. Results differ in the last bit
    from those without; so sizes alone decide, not the machine or the length of a run.
    """
    small = parameters <= MOST_PARAMETERS and products <= MOST_PRODUCTS
    return Options((MERGED_LOOPS, IN_ORDER), one_pass=True) if small else Options()


def apply(options: Options) -> bool:
    """Adds the flags to this process's XLA_FLAGS, except for options that are set there already, which stay.

    Returns whether XLA compiles by them from now on. It reads its flags once, as it first compiles: where it has done
    so, or where the user's own flags forbid merged loops, False is returned, the environment is as it was, and an
    optimizer had better not be made with `one_pass`.
    """
    if not options.flags:
        return True
    before = os.environ.get("XLA_FLAGS")
    own = (before or "").split()
    taken = {flag.partition("=")[0] for flag in own}
    os.environ["XLA_FLAGS"] = " ".join([*own, *(flag for flag in options.flags if flag.partition("=")[0] not in taken)])
    if not options.one_pass or _merges_loops():
        return True
    if before is None:
        del os.environ["XLA_FLAGS"]
    else:
        os.environ["XLA_FLAGS"] = before
    return False


def _merges_loops() -> bool:
    """Whether XLA makes one loop of two that read the same: a small program shows what it has read of its flags."""
    import tensorflow as tf

    with tf.device("CPU"):
        both = tf.function(lambda x: (tf.exp(x) * 2, tf.exp(x) + x), autograph=False, jit_compile=True)
        compiled = both.experimental_get_compiler_ir(tf.zeros([1000]))(stage="optimized_hlo")
    return "get-tuple-element" in compiled
