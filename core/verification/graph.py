"""A formula as a graph of NumPy functions, found by running it once on nodes; changed by replacing nodes."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .formulas import Formula, asked


class Node(NDArrayOperatorsMixin):
    """A value in a formula: a leaf with a name, or a function of NumPy's and its arguments, nodes and numbers."""

    def __init__(self, function: Callable[..., Any] | None, args: tuple[Any, ...] = (), name: str = ""):
        self.function, self.args, self.name = function, args, name

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType] - of the node itself: == is an operation

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> "Node":
        if method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__}.{method} has no place in a formula")
        return Node(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> "Node":
        if options:
            raise TypeError(f"{function.__name__} takes no options in a formula")
        return Node(function, arguments)

    def is_(self, function: Any) -> bool:
        return self.function is function

    @property
    def is_constant(self) -> bool:
        """Whether settings and numbers alone decide it."""
        return all(leaf.name.startswith("setting ") for leaf in nodes([self]) if leaf.function is None)


Values = Mapping[str, Any]
"""A formula's values by name, in the order of their computation: nodes, or what comes of them."""


class Graph(NamedTuple):
    """A formula's graph.

    values: of leaves "g", "x", "t", "slot m", "setting epsilon", "correction_1".
    old:    what a step begins with, by name: g, x, t and the slots.
    given:  settings and corrections. A setting that is 0, or no number, has no leaf: it stands there as it is.
    """

    values: dict[str, Any]
    old: SimpleNamespace
    given: SimpleNamespace


def traced(formula: Formula) -> Graph:
    """The graph of a formula."""
    takes = asked(formula.compute)
    numbers = {name: formula.settings[name] for name in takes & formula.settings.keys()}
    given = {
        name: Node(None, name=f"setting {name}") if callable(value) or (isinstance(value, float) and value) else value
        for name, value in numbers.items()
    }
    given |= {name: Node(None, name=name) for name in takes if name.startswith("correction")}
    place = {name: Node(None, name=name) for name in takes & {"t", "x"}}
    slots, g = {name: Node(None, name=f"slot {name}") for name in formula.slots}, Node(None, name="g")
    values = formula.compute(g, slots, **given, **place)
    return Graph(values, SimpleNamespace(g=g, **slots, **place), SimpleNamespace(**given))


def nodes(values: Any) -> Iterator[Node]:
    """All nodes of values, each once, none before those that it is a function of."""
    seen: set[int] = set()

    def walk(one: Any) -> Iterator[Node]:
        if isinstance(one, Node) and id(one) not in seen:
            seen.add(id(one))
            for argument in one.args:
                yield from walk(argument)
            yield one

    for value in values:
        yield from walk(value)


def replaced(values: Values, changes: Mapping[Any, Any]) -> dict[str, Any]:
    """The same values with some nodes exchanged, also where others are functions of them; a name stands for the value
    of that name alone."""
    done: dict[int, Any] = {id(node): new for node, new in changes.items() if isinstance(node, Node)}

    def walk(one: Any) -> Any:
        if not isinstance(one, Node):
            return one
        if id(one) not in done:
            args = tuple(map(walk, one.args))
            same = all(new is old for new, old in zip(args, one.args, strict=True))
            done[id(one)] = one if same else Node(one.function, args, one.name)
        return done[id(one)]

    return {name: changes[name] if name in changes else walk(value) for name, value in values.items()}


def evaluated(values: Values, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """What comes of the values. Numbers among themselves stay Python's, to take the dtype of the arrays they meet."""
    done: dict[int, Any] = {}

    def walk(one: Any) -> Any:
        if not isinstance(one, Node):
            return one
        if id(one) not in done:
            if one.function is None:
                found = leaves[one.name]
            else:
                args = [walk(argument) for argument in one.args]
                found = one.function(*args)
                if all(isinstance(argument, int | float) and not isinstance(argument, np.generic) for argument in args):
                    found = found.item()
            done[id(one)] = found
        return done[id(one)]

    return {name: walk(value) for name, value in values.items()}
