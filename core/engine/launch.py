"""Calls of a traced function, one after another, with as little of Python between them as TensorFlow allows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.eager import context, executor


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
    """
    # Private: tf.config.experimental.set_synchronous_execution does so too, but TensorFlow then raises an error again
    # at every operation, and tf.experimental.async_clear_error, which should end that, crashes the process.
    queue = executor.new_executor(enable_async=True)
    try:
        with context.executor_scope(queue):
            yield
    finally:
        try:
            queue.wait()
        finally:
            queue.clear_error()
