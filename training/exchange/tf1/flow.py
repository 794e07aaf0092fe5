"""Which layer of a graph each matrix and each bias belongs to, by the operations that they enter."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

ADDS = ("Add", "AddV2", "BiasAdd")
ACTIVATIONS = {"Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf"}


class Flow:
    """The matrix products of a graph, as data reaches them, and the additions of biases that follow.

    A product with a variable as its second factor, not transposed, is a layer; a gradient takes it transposed.

    nodes:  those of the graph, by name.
    source: returns the node from which an input comes, past those that pass it on.
    """

    def __init__(self, nodes: Mapping[str, Any], source: Callable[[str], str]):
        self._nodes, self._source = nodes, source
        self._layers = {
            name: source(node.input[1])
            for name, node in nodes.items()
            if node.op == "MatMul" and not node.attr["transpose_b"].b and self._is_variable(source(node.input[1]))
        }

    def places(self) -> dict[str, int]:
        """How many matrices data passes before each matrix and each bias; without what has several places."""
        found: dict[str, set[int]] = {}
        before = {name: len(self._matrices_before(name)) for name in self._layers}
        for name, matrix in self._layers.items():
            found.setdefault(matrix, set()).add(before[name])
        for node in self._nodes.values():
            if node.op not in ADDS:
                continue
            one, other = node.input[0], node.input[1]
            for bias, sum_of in ((self._source(other), one), (self._source(one), other)):
                if self._is_variable(bias) and (products := self._products_before(sum_of)):
                    found.setdefault(bias, set()).update(before[name] for name in products)
        return {name: places.pop() for name, places in found.items() if len(places) == 1}

    def activations(self, matrices: Collection[str]) -> set[str]:
        """The operations of `ACTIVATIONS` that data passes between two layers, the second of them of these matrices."""
        found = set()
        for name, matrix in self._layers.items():
            passed = {*self._before(self._nodes[name].input[0])}
            if matrix in matrices and passed & self._layers.keys():
                found |= {self._nodes[one].op for one in passed} & ACTIVATIONS
        return found

    def _matrices_before(self, product: str) -> set[str]:
        """All that data passes on its way to a product."""
        seen, ahead, found = {product}, [product], set()
        while ahead:
            for name in self._products_before(self._nodes[ahead.pop()].input[0]):
                if name not in seen:
                    seen.add(name)
                    ahead.append(name)
                    found.add(self._layers[name])
        return found

    def _products_before(self, start: str) -> set[str]:
        """The last products that data passed before this input."""
        return self._layers.keys() & self._before(start)

    def _before(self, start: str) -> set[str]:
        """The operations before this input, as far as the last products."""
        seen, ahead = set(), [start]
        while ahead:
            name = ahead.pop().partition(":")[0]
            if name in seen or name.startswith("^") or name not in self._nodes:
                continue
            seen.add(name)
            if name not in self._layers:
                ahead.extend(self._nodes[name].input)
        return seen

    def _is_variable(self, name: str) -> bool:
        return name in self._nodes and self._nodes[name].op in ("VarHandleOp", "VariableV2", "Variable")
