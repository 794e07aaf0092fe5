"""Wrong formulas, each an error that has been made or could be; every one must be caught.

Errors that any formula may have are planted by the machine, in the formula's graph: an ε dropped, moved or enlarged,
two decays swapped, the old slot for the new one, t ± 1, a lost root, square, factor, term or correction, a setting
ignored. A card adds those that are its rule's own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np

from .formulas import AVERAGED, Formula
from .graph import Node, OfFormula, nodes, replaced, traced
from .implementations import Implementation
from .words import symbol


@dataclass(frozen=True)
class Mutant:
    """One planted error.

    name:     what is wrong, in words.
    wrong:    the formula with the error in it.
    rounding: it is another rounding, no other formula.
    """

    name: str
    wrong: Implementation
    rounding: bool = False


Errors = Mapping[str, Callable[[Any, Any, Any], Mapping[Any, Any]]]
"""A rule's own errors by their names: of a formula's new values, old ones and settings, each by name, to what stands in
the place of which node."""


def planted(formula: Formula, usual: Formula, own: Errors, dtype: Any) -> list[Mutant]:
    """All errors that can be planted in a formula for a dtype, under names no two alike.

    usual: the formula with its source's own settings. own: the rule's own errors.
    """
    whole, found = traced(formula), {}
    graph, new = whole.values, SimpleNamespace(**whole.values)
    candidates = [(name, replaced(graph, error(new, whole.old, whole.given))) for name, error in own.items()]
    candidates += [*_in_settings(formula, usual), *_in_time(formula), *_in_slots(formula, graph)]
    candidates += _in_graph(formula, graph)
    for name, wrong in candidates:
        if not isinstance(wrong, OfFormula):
            wrong = OfFormula(name, formula, _consistent(graph, wrong))
        name = _unlike(name, found)
        found[name] = Mutant(name, wrong)
    for words, rounded in formula.otherwise_rounded(dtype):
        if len(words) == 1 and not words[0].startswith("β^t"):
            found[words[0]] = Mutant(words[0], OfFormula(words[0], rounded), rounding=True)
    return [*found.values()]


def _consistent(graph: Mapping[str, Any], wrong: dict[str, Any]) -> dict[str, Any]:
    """Without a parameter that is still the right one where Δ is wrong: it is x − Δ then."""
    stale = "x" in graph and wrong["x"] is graph["x"] and wrong["delta"] is not graph["delta"]
    return {name: value for name, value in wrong.items() if not (stale and name == "x")}


def _unlike(name: str, taken: Mapping[str, Any]) -> str:
    others = sum(other.rpartition(" (")[0] == name or other == name for other in taken)
    return f"{name} ({others + 1})" if others else name


Wrong = Iterator[tuple[str, Any]]
"""Errors by name: another graph, or another formula."""


def _in_settings(formula: Formula, usual: Formula) -> Wrong:
    numbers = {name: value for name, value in formula.decided.items() if isinstance(value, float)}
    averaged = [name for name in AVERAGED if name in numbers]

    def with_(settings: dict[str, float]) -> OfFormula:
        return OfFormula("", replace(formula.given(settings), kept=formula.slots))

    for one, other in combinations(averaged, 2):
        yield f"{symbol(one)} and {symbol(other)} swapped", with_({one: numbers[other], other: numbers[one]})
    for name in averaged:
        yield f"{symbol(name)} and 1 − {symbol(name)} swapped", with_({name: 1 - numbers[name]})
    for name in numbers:
        if name.startswith("epsilon") and numbers[name]:
            yield f"{symbol(name)} ten times as large", with_({name: 10 * numbers[name]})
        if numbers[name] != usual.settings[name] and isinstance(usual.settings[name], float):
            yield f"{symbol(name)} ignored", with_({name: usual.settings[name]})


def _in_time(formula: Formula) -> Wrong:
    if formula.counts:
        yield "t counted from 0", OfFormula("", formula, late=-1)
        yield "t counted from 2", OfFormula("", formula, late=1)
    if any(map(callable, formula.settings.values())):
        yield "a schedule read at t, not at t − 1", OfFormula("", formula, ahead=1)


def _in_slots(formula: Formula, graph: Mapping[str, Any]) -> Wrong:
    first = formula.first(np.zeros(1))
    for slot in formula.slots:
        old, new = next((n for n in nodes(graph.values()) if n.name == f"slot {slot}"), None), graph[slot]
        begins = 0.0 if first[slot][0] else 0.1
        yield f"{slot} starts at {begins:g}", OfFormula("", formula, first={slot: begins})
        if old is None:
            continue
        yield f"{slot} not updated", {**graph, slot: old}
        before = replaced({name: value for name, value in graph.items() if name != slot}, {new: old})
        if any(before[name] is not graph[name] for name in before):
            yield f"{slot} before the step for {slot} after it", {**before, slot: new}


def _in_graph(formula: Formula, graph: Mapping[str, Any]) -> Wrong:
    where = {id(node): name for name, value in reversed([*graph.items()]) for node in nodes([value])}
    parents: dict[int, list[Node]] = {}
    every = [*nodes(graph.values())]
    for node in every:
        for argument in node.args:
            parents.setdefault(id(argument), []).append(node)
    epsilons = {leaf for leaf in every if leaf.name.startswith("setting epsilon")}
    found = [(node, one) for node in every for one in _of_node(node, epsilons, parents.get(id(node), []))]
    counts = Counter(name for _, (name, _) in found)
    for node, (name, wrong) in found:
        yield name if counts[name] == 1 else f"{name} in {where[id(node)]}", replaced(graph, wrong)
    corrections = [leaf for leaf in every if leaf.name.startswith("correction")]
    for one in corrections:
        yield f"no {one.name}", replaced(graph, {one: 1.0})
    if len(corrections) > 1:
        yield "no bias correction at all", replaced(graph, dict.fromkeys(corrections, 1.0))
    for one, other in combinations(corrections, 2):
        yield f"{one.name} and {other.name} swapped", replaced(graph, {one: other, other: one})
    if not epsilons:
        for node in every:
            if node.is_(np.divide) and isinstance(node.args[1], Node) and not node.args[1].is_constant:
                wrong = Node(np.divide, (node.args[0], node.args[1] + 1e-7))
                yield "an ε where there is none", replaced(graph, {node: wrong})
    if isinstance(delta := graph.get("delta"), Node):
        epsilon = next(iter(epsilons), None)
        if epsilon is not None:
            yield "ε added to Δ", {**graph, "delta": delta + epsilon}


def _of_node(node: Node, epsilons: set[Node], parents: Iterable[Node]) -> Iterator[tuple[str, dict[Node, Any]]]:
    """Errors at one node: what is wrong, and what stands there instead."""
    if node.is_(np.add) and any(argument in epsilons for argument in node.args if isinstance(argument, Node)):
        other, epsilon = sorted(node.args, key=lambda one: isinstance(one, Node) and one in epsilons)
        yield "no ε", {node: other}
        if isinstance(other, Node) and other.is_(np.sqrt):
            yield "ε inside the root", {node: np.sqrt(other.args[0] + epsilon)}
        for root in parents:
            if root.is_(np.sqrt):
                yield "ε outside the root", {root: np.sqrt(other) + epsilon}
        return
    if node.is_(np.sqrt):
        of = node.args[0]
        yield "no root", {node: of}
        if isinstance(of, Node) and of.is_(np.divide) and _is_correction(of.args[1]):
            yield f"no root over {of.args[1].name}", {node: np.sqrt(of.args[0]) / of.args[1]}
    if _is_square(node) and not node.args[0].is_(np.sign):  # a sign's square is its magnitude
        of = node.args[0]
        yield f"|{of.name or '…'}| for its square", {node: np.absolute(of)}
        for epsilon in epsilons:
            yield "ε added to a square", {node: node + epsilon}
    if node.is_(np.multiply) and not node.is_constant:
        for factor, rest in (node.args, node.args[::-1]):
            if isinstance(factor, Node) and factor.is_constant:
                yield f"no factor {_said(factor)}", {node: rest}
    if node.is_(np.add) and not node.is_constant:
        yield "the first term left out", {node: node.args[1]}
        yield "the second term left out", {node: node.args[0]}
    if node.is_(np.subtract) and not node.is_constant:
        yield "what is subtracted left out", {node: node.args[0]}
    if node.is_(np.divide) and not node.is_constant and not _is_correction(node.args[1]):
        yield f"not divided by {_said(node.args[1])}", {node: node.args[0]}
    if node.is_(np.maximum) or node.is_(np.minimum):
        which = "maximum" if node.is_(np.maximum) else "minimum"
        yield f"the first for the {which}", {node: node.args[0]}
        yield f"the second for the {which}", {node: node.args[1]}
    if node.is_(np.where):
        yield "a case left out", {node: node.args[1]}
        yield "the other case left out", {node: node.args[2]}


def _is_square(node: Node) -> bool:
    if node.is_(np.power) and isinstance(node.args[1], int) and node.args[1] == 2:
        return True
    return node.is_(np.multiply) and node.args[0] is node.args[1]


def _is_correction(node: Any) -> bool:
    return isinstance(node, Node) and node.name.startswith("correction")


def _said(node: Any) -> str:
    """A node in few words."""
    if not isinstance(node, Node):
        return f"{node:g}"
    if node.function is None:
        kind, _, name = node.name.rpartition(" ")
        return symbol(name) if kind == "setting" else name
    if node.is_(np.subtract) and not isinstance(node.args[0], Node):
        return f"{node.args[0]:g} − {_said(node.args[1])}"
    return "a root" if node.is_(np.sqrt) else "…"
