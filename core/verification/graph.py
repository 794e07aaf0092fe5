"""A formula as a graph of NumPy functions, found by running it once on nodes; changed by replacing nodes, and run."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .formulas import Formula, asked
from .implementations import Implementation, run_along
from .layout import Layout
from .streams import Streams
from .trajectory import Trajectory, Values

PLACES = {"t", "x", "after", "rate", "norm", "own_norm"}
"""What a formula may take by name beside settings and corrections."""


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
    place = {name: Node(None, name=name) for name in sorted(takes & PLACES)}
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


def replaced(values: Mapping[str, Any], changes: Mapping[Any, Any]) -> dict[str, Any]:
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


def evaluated(values: Mapping[str, Any], leaves: Mapping[str, Any]) -> dict[str, Any]:
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


class OfFormula(Implementation):
    """A formula computed in the dtype of what it is given, as its source rounds; with an error in it if there is one.

    graph: of the formula, changed. late: how many steps the counter is off; ahead: the same, of schedules alone.
    first: the first values of slots that start otherwise.
    """

    def __init__(
        self,
        name: str,
        formula: Formula,
        graph: Mapping[str, Any] | None = None,
        late: int = 0,
        ahead: int = 0,
        first: Mapping[str, float] | None = None,
    ):
        self.name, self.formula = name, formula
        self._graph = traced(formula).values if graph is None else graph
        self._late, self._ahead, self._first = late, ahead, first or {}

    @property
    def settings(self) -> dict[str, float]:
        return {name: value for name, value in self.formula.settings.items() if isinstance(value, float)}

    def first(self, like: np.ndarray) -> Values:
        changed = {name: np.full_like(like, value) for name, value in self._first.items()}
        return self.formula.first(like) | changed

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
            rows = {name: slot[np.newaxis] for name, slot in slots.items()}
            found = self.follow(Trajectory(np.array([t]), g[np.newaxis], x[np.newaxis], rows, {}))
            shown = {name: np.broadcast_to(value, (1, *g.shape))[0] for name, value in found.items()}
            return {name: np.asarray(value, g.dtype) for name, value in shown.items()}

        layout = Layout.of(streams.kinds)
        return run_along(self.name, step, streams, start or self.first(streams.start), streams.start, layout=layout)

    def follow(self, trajectory: Trajectory, beside: Mapping[str, Any] | None = None) -> Values:
        """beside: what else the formula takes by name, of a chain."""
        dtype, t = trajectory.g.dtype, trajectory.t if trajectory.t.ndim == 2 else trajectory.t[:, np.newaxis]
        with np.errstate(all="ignore"):
            corrections = self.formula.narrow_corrections(t + self._late, dtype)
            settings = self.formula.at(t + self._ahead, dtype)
            leaves = {"g": trajectory.g, "x": trajectory.x, "t": (t + self._late).astype(dtype), **corrections}
            leaves |= beside or {}
            leaves |= {f"setting {name}": value for name, value in settings.items()}
            leaves |= {f"slot {name}": slot for name, slot in trajectory.before.items()}
            found = evaluated(self._graph, leaves)
        like = (np.shape(t)[0], 1)
        arrays = {name: np.asarray(value, dtype) for name, value in found.items()}
        return {name: value if value.ndim else np.full(like, value) for name, value in arrays.items()} | corrections
