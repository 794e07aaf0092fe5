"""What makes files of tensors a tf.train.Checkpoint: their keys, and the tree of objects that hold them.

tf.train.Checkpoint finds both anew at each write, and copies each variable, which takes longer than to write the files.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

Names = tuple[str, ...]
"""Of a variable, and of what holds it: ("optimizer", "slots", "h1", "m")."""
GRAPH, TEXT, VALUE = "_CHECKPOINTABLE_OBJECT_GRAPH", "run/.ATTRIBUTES/py_state", "/.ATTRIBUTES/VARIABLE_VALUE"
"""The key of the tree, that of the text `run`, and what follows the names of a variable in its own."""


def key(names: Names) -> str:
    """That of a variable. TensorFlow writes a point in a name, such as a slot's inside another, as two, and a slash as
    .S."""
    return "/".join(name.replace(".", "..").replace("/", ".S") for name in names) + VALUE


def name_of(key: str) -> str:
    """The names of a variable with slashes between them, from its key."""
    return re.sub(r"\.([.S])", lambda found: "." if found[1] == "." else "/", key.removesuffix(VALUE))


@lru_cache(1)
def object_graph(variables: tuple[Names, ...]) -> bytes:
    """The tree whose leaves are these variables and the text `run`, as tf.train.Checkpoint keeps it."""
    graph = TrackableObjectGraph()
    numbers: dict[Names, int] = {(): 0}
    graph.nodes.add().has_checkpoint_values.value = True
    for names in _holders_first(variables):
        numbers[names] = len(graph.nodes)
        graph.nodes.add().has_checkpoint_values.value = True
        graph.nodes[numbers[names[:-1]]].children.add(node_id=numbers[names], local_name=names[-1])
    for names in variables:
        graph.nodes[numbers[names]].attributes.add(
            name="VARIABLE_VALUE", full_name="/".join(names), checkpoint_key=key(names)
        )
    graph.nodes[numbers["run",]].attributes.add(name="py_state", checkpoint_key=TEXT)
    return graph.SerializeToString()


def _holders_first(variables: Iterable[Names]) -> Iterator[Names]:
    """All that stands in the tree, each after what holds it."""
    yield from dict.fromkeys(names[:depth] for names in (*variables, ("run",)) for depth in range(1, len(names) + 1))
