"""Operations that an execution is slow at on its device: found in a graph as it is traced, and said in a line."""

import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..errors import SlowExecutionWarning

BADLY_COMPILED = ("Conv2D", "Conv2DBackpropInput", "Conv3D", "DepthwiseConv2dNative", "MaxPool", "MaxPool3D")
"""Which XLA's CPU compiler writes as plain loops, them or their gradients; TensorFlow has kernels of oneDNN and Eigen.

XLA has Eigen's too, but puts a convolution into the form that they need only where it stands in a program's outermost
computation, not in a loop's body. Conv2DBackpropInput in a cost is a transposed convolution.
"""


def operations_since(graph: Any, before: int) -> Counter[str]:
    """How many operations of each type a graph has got since it had `before`, those of functions that they call
    included, once for each call: a branch and the body of a loop are such functions."""
    found: Any = graph.get_operations()[before:]
    nodes = [operation.node_def for operation in found]
    if not any(_called(node) for node in nodes):
        return Counter(node.op for node in nodes)
    library = {function.signature.name: function.node_def for function in graph.as_graph_def().library.function}

    def count(nodes: Iterable[Any]) -> Counter[str]:
        counts = Counter[str]()
        for node in nodes:
            counts[node.op] += 1
            for name in _called(node):
                counts += count(library.get(name, ()))
        return counts

    return count(nodes)


def warn_of_slow(operations: Counter[str], devices: Iterable[str]) -> None:
    """Warns of the operations among these that XLA compiles badly for processors, where the devices are none else."""
    if not all("CPU" in device for device in devices):
        return
    slow = [f"{operations[name]} {name}" for name in BADLY_COMPILED if operations[name]]
    if slow:
        warnings.warn(
            f"The cost holds {' and '.join(slow)}, which XLA compiles badly for processors: where this was measured, "
            "execution 'graph' took a sixth of the time of 'xla-step' and a sixtieth of that of 'xla-loop'.",
            SlowExecutionWarning,
            stacklevel=2,
        )


def _called(node: Any) -> list[str]:
    """The functions that a node calls, by name."""
    values = node.attr.values()
    return [name for value in values for name in (value.func.name, *(one.name for one in value.list.func)) if name]
