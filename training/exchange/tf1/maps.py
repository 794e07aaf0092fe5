"""Which variable of a TF1 file each of rawstep's is: as a person says, or where shapes and order leave one choice."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from core import InputError

from .checkpoint_index import CheckpointIndex, Shape
from .names import created_names, weight_names
from .typed_map import Map, pasted

NO_MAP = "no single map of names fits"


def is_usual(names: Map) -> bool:
    """Whether the variables are called as rawstep's, or as the notebook's, which were given no names."""
    return [*names.values()] in ([*names], created_names(len(names) // 2))


def check_certain(names: Map, index: CheckpointIndex) -> None:
    """Raises InputError where variables are of one shape, and only creation or numbers in names order them.

    An import may have been told otherwise by --map.
    """
    by_shape, places = defaultdict(list), index.graph.places if index.graph else {}
    for file_name in names.values():
        by_shape[index.shapes[file_name]].append(file_name)
    for shape, alike in by_shape.items():
        if len({places.get(name, -1) for name in alike}) < len(alike) and not is_usual(names):
            raise InputError(
                f"{index.path}: {', '.join(alike)} are all of the shape {[*shape]}, and only names and order tell "
                f"them apart; if these are right: {pasted(names)}."
            )


def check_pairs(names: Map, index: CheckpointIndex | None = None) -> None:
    """Raises InputError where a map leads two names to one, or to what a file lacks or that is no number."""
    for file_name, count in Counter(names.values()).items():
        if count > 1:
            both = " and ".join(name for name in names if names[name] == file_name)
            raise InputError(f"--map leads {both} to one variable, {file_name}; each must have its own.")
        if index and file_name not in index.shapes:
            raise InputError(
                f"--map: {index.path} has no {file_name}; it has {index.listed}.", file_name, index.candidates
            )
        if index and not index.is_floating(file_name):
            raise InputError(f"--map: {index.path} has {file_name} of {index.dtypes[file_name]}; expected floats.")


def check_names(names: Map, known: Sequence[str], of: str) -> None:
    """Raises InputError where a map has a name that a workload lacks, or lacks one of its own."""
    for name in names:
        if name not in known:
            raise InputError(f"--map: {of} has no variable {name}; it has {', '.join(known)}.", name, known)
    if lacking := [name for name in known if name not in names]:
        raise InputError(f"--map must name every variable of {of}; {', '.join(lacking)} {_is_are(lacking)} missing.")


def check_shapes(names: Map, index: CheckpointIndex, wanted: Mapping[str, Shape], of: str) -> None:
    """Raises InputError where a variable of the file is of another shape than the workload's."""
    for name, shape in wanted.items():
        if (found := index.shapes[names[name]]) != shape:
            raise InputError(
                f"{index.path}: {names[name]} has the shape {[*found]}, but {name} of {of} has {[*shape]}."
            )


def proposed(index: CheckpointIndex, wanted: Mapping[str, Shape]) -> Map:
    """The one map to variables of these shapes: by rawstep's own names, else by shape, and by order where several have
    one; the order is that in which data passes them in the graph, else of their creation, or of numbers in names.

    Raises InputError, with what the file holds, where none fits, or more than one.
    """
    if all(index.shapes.get(name) == shape for name, shape in wanted.items()):
        return {name: name for name in wanted}
    trainable = index.graph.trainable if index.graph else set(index.candidates)
    by_shape, names = defaultdict(list), defaultdict(list)
    for name in index.candidates:
        if name in trainable:
            by_shape[index.shapes[name]].append(name)
    for name, shape in wanted.items():
        names[shape].append(name)
    found: Map = {}
    for shape, ours in names.items():
        theirs = by_shape[shape]
        if len(theirs) != len(ours):
            have = f"only {', '.join(theirs)} {_is_are(theirs)}" if theirs else "none is"
            have = have if len(theirs) < len(ours) else f"{', '.join(theirs)} are"
            raise refusal(index, f"{', '.join(ours)} must be of the shape {[*shape]}, and {have}", wanted)
        in_order = theirs if len(theirs) == 1 else _ordered(theirs, index)
        if in_order is None:
            either = f"{', '.join(theirs)} are all of the shape {[*shape]}, and nothing shows their order"
            raise refusal(index, f"{either}: each could be any of {', '.join(ours)}", wanted)
        found |= dict(zip(ours, in_order, strict=True))
    return {name: found[name] for name in wanted}


def proposed_layers(index: CheckpointIndex) -> Map:
    """The one map to a perceptron of any number of layers, which must have all matrices and vectors of the file.

    Raises InputError, with what the file holds, where none fits, or more than one.
    """
    matrices, vectors = ([name for name in index.candidates if len(index.shapes[name]) == rank] for rank in (2, 1))
    named = weight_names(len(matrices))
    if {*named} == {*matrices, *vectors} and matrices:
        names = {name: name for name in named}
        check_chain(names, index)
        return names
    if index.graph:
        matrices, vectors = ([name for name in of if name in index.graph.trainable] for of in (matrices, vectors))
    places = [index.graph.places.get(name) for name in matrices] if index.graph else [None]
    if None not in places and {*places} != {*range(len(matrices))}:
        raise refusal(index, f"the graph does not lead data through {', '.join(matrices)} one after another")
    if not matrices or len(matrices) != len(vectors):
        why = f"a perceptron has as many matrices as vectors, and there are {len(matrices)} and {len(vectors)}"
        raise refusal(index, why)
    shapes = [index.shapes[name] for name in matrices]
    if Counter(units for _, units in shapes) != Counter(index.shapes[name][0] for name in vectors):
        raise refusal(index, "each matrix of a perceptron needs a vector as long as its rows, its bias")
    chains = [] if any(0 in shape for shape in shapes) else [*islice(_chains(Counter(shapes)), 5)]
    if len(chains) != 1:
        several = f"they chain in several ways: {', '.join('-'.join(map(str, layers)) for layers in chains[:4])}"
        raise refusal(index, several if chains else "the matrices' shapes do not chain into one network")
    return proposed(index, shapes_of_layers(chains[0]))


def shapes_of_layers(layers: Sequence[int]) -> dict[str, Shape]:
    """Of a perceptron's variables, by their names."""
    shapes = [*pairwise(layers), *((units,) for units in layers[1:])]
    return dict(zip(weight_names(len(layers) - 1), shapes, strict=True))


def in_order(names: Map) -> Map:
    """A map of a perceptron, in the order of its variables. Raises InputError for missing and for other names."""
    known = weight_names(max(1, *(sum(name.startswith(letter) for name in names) for letter in "hb")))
    check_names(names, known, "a perceptron with as many layers")
    return {name: names[name] for name in known}


def check_chain(names: Map, index: CheckpointIndex) -> None:
    """Raises InputError unless each matrix takes what the one before returns, and has its bias."""
    shapes = [index.shapes[variable] for variable in names.values()]
    matrices, biases = shapes[: len(shapes) // 2], shapes[len(shapes) // 2 :]
    two = all(len(matrix) == 2 and min(matrix) > 0 for matrix in matrices)
    chained = two and all(one[1] == other[0] for one, other in pairwise(matrices))
    if not chained or biases != [matrix[1:] for matrix in matrices]:
        raise InputError(
            f"{index.path}: the shapes of {', '.join(names)} must chain into one network; "
            f"found {index.described([*names.values()])}."
        )


def refusal(index: CheckpointIndex, why: str, wanted: Mapping[str, Shape] | None = None) -> InputError:
    """Why no map is taken, what the file holds, and how a person names one."""
    ours = [*wanted] if wanted else ["h1", "b1"]
    words = " ".join(f"{name}=…" for name in ours[:2])
    return InputError(f"{index.path}: {NO_MAP}: {why}. The file has {index.listed}. Name them: --map {words} ….")


def _chains(matrices: Counter[Shape]) -> Iterator[list[int]]:
    """The layers of all perceptrons that have just these matrices."""

    def go_on(layers: list[int]) -> Iterator[list[int]]:
        if len(layers) > matrices.total():
            yield layers
            return
        for shape in matrices:
            used = [*pairwise(layers)].count((shape[0], shape[1]))
            if shape[0] == layers[-1] and used < matrices[shape]:
                yield from go_on([*layers, shape[1]])

    for first in dict.fromkeys(inputs for inputs, _ in matrices):
        yield from go_on([first])


def _ordered(names: Sequence[str], index: CheckpointIndex) -> list[str] | None:
    """Variables as data passes them in the graph; else as it created them, or by numbers in their names.

    None where neither is there, and where they differ.
    """
    by_number, graph = _by_number(names), index.graph
    if graph is None:
        return by_number
    places = [graph.places.get(name) for name in names]
    if None not in places and len({*places}) == len(names):
        return sorted(names, key=graph.places.__getitem__)
    if not all(name in graph.created for name in names):
        return by_number
    created = sorted(names, key=graph.created.__getitem__)
    return created if by_number in (None, created) else None


def _by_number(names: Sequence[str]) -> list[str] | None:
    """Variables by the numbers that alone tell their names apart; None where nothing else or more does."""
    numbers = [_numbers(name) for name in names]
    if len({(re.sub(r"_?\d+", "", name), len(of)) for name, of in zip(names, numbers, strict=True)}) > 1:
        return None
    varying = [column for column in zip(*numbers, strict=True) if len({*column}) > 1]
    orders = {tuple(sorted(range(len(names)), key=column.__getitem__)) for column in varying}
    if len(orders) != 1 or any(len({*column}) < len(names) for column in varying):
        return None
    return [names[place] for place in orders.pop()]


def _numbers(name: str) -> list[int]:
    """All numbers in a name; a part of it without one at its end has 0 there, as TensorFlow counts them."""
    parts = [part if part[-1:].isdecimal() else f"{part}_0" for part in name.split("/")]
    return [int(number) for part in parts for number in re.findall(r"\d+", part)]


def _is_are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
