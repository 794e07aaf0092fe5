"""The one door to what TensorFlow keeps private: all of it that core uses, and why no public way serves.

A new TensorFlow may move any of it without notice. Nothing else in core imports a private name.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier
from tensorflow.python.eager import context, executor
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext


def barrier(*tensors: tf.Tensor) -> list[tf.Tensor]:
    """The tensors, behind a barrier to XLA's optimizations. Only XLA has a kernel for it.

    tf.raw_ops lacks the operation, and tf.identity, tf.stop_gradient and control dependencies are no barrier to XLA.
    """
    behind: Any = optimization_barrier(*tensors)
    return behind


def in_xla() -> bool:
    """Whether XLA compiles the graph that is being traced, or one around it: a graph itself does not say so."""
    return not tf.executing_eagerly() and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def launcher(function: Any, *arguments: Any) -> Callable[..., Any]:
    """The trace of a tf.function for arguments like these, as a function of their tensors, one after another.

    A call of a tf.function, or of what its `get_concrete_function` returns, binds the arguments to parameters and
    checks their types, which takes Python longer than TensorFlow takes to launch the trace. Here their number alone is
    checked.
    """
    traced = function.get_concrete_function(*arguments)
    # inference_fn is of TensorFlow's API; its call_flat, without an underscore, is of the class behind it alone.
    call, captured, pack = traced.inference_fn.call_flat, traced.captured_inputs, traced.function_type.pack_output
    return lambda *tensors: pack(call(*tensors, *captured))


@contextmanager
def asynchronous() -> Iterator[None]:
    """Lets Python prepare a call while the one before it runs; they run in their order, and are done at the end.

    The first that fails ends the others, and its error is raised at the end.

    tf.config.experimental.set_synchronous_execution does so too, but TensorFlow then raises an error again at every
    operation, and tf.experimental.async_clear_error, which should end that, crashes the process.
    """
    queue = executor.new_executor(enable_async=True)
    try:
        with context.executor_scope(queue):
            yield
    finally:
        try:
            queue.wait()
        finally:
            queue.clear_error()
