"""The graph that Saver writes beside a checkpoint: the order of variables, and the settings of optimizers.

`saver.save(sess, "rnn2.ckpt")` writes rnn2.ckpt.meta too, a MetaGraphDef, unless it is asked not to.
"""

import inspect
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.variable_pb2 import VariableDef

from core import InputError

from .flow import Flow
from .names import AVERAGES

SETTINGS: Mapping[str, str] = {
    "lr": "learning_rate", "alpha": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon",
    "rho": "rho", "momentum": "momentum", "l1": "l1", "l2": "l2", "lr_power": "learning_rate_power",
    "l2_shrinkage": "shrinkage",
}  # fmt: skip
"""rawstep's names of settings by those of a training operation's inputs."""
FOLDED = {"Add": np.add, "AddV2": np.add, "Maximum": np.maximum, "Mul": np.multiply, "RealDiv": np.divide}
"""What FtrlOptimizer makes its l2 of, in operations of the graph."""
PASSED_ON = ("Cast", "Identity", "ReadVariableOp", "Enter")


@dataclass(frozen=True)
class Graph:
    """A graph, as far as a checkpoint's variables need it.

    path: its file.
    """

    path: Path
    meta: Any

    @cached_property
    def created(self) -> dict[str, int]:
        """The place of each variable among all, in the order of their creation, by its name in the checkpoint."""
        return {name: place for place, name in enumerate(self._variables("variables"))}

    @cached_property
    def places(self) -> dict[str, int]:
        """By variable, how many matrices data passes before it; see `Flow.places`."""
        return self._flow.places()

    @cached_property
    def _flow(self) -> Flow:
        return Flow(self._nodes, self._source)

    @cached_property
    def trainable(self) -> set[str]:
        """The variables that optimizers train unless they are told otherwise."""
        return {*self._variables("trainable_variables")}

    def settings(self, slots: list[str], variable: str) -> dict[str, Any]:
        """What the optimizer with these slots of a variable was built with, as far as they are constants of the graph.

        By rawstep's names of settings, float32 numbers by their shortest decimals, None for what is no constant; and
        use_nesterov, where it has that.
        Without slots, the optimizer is GradientDescent. Of several, what differs is None.
        """
        found: dict[str, Any] = {}
        for node in self.meta.graph_def.node:
            kind = node.op.removeprefix("Resource")
            inputs = [self._source(name) for name in node.input]
            if not kind.startswith("Apply") or variable not in inputs or not {*slots} <= {*inputs}:
                continue
            if not slots and kind != "ApplyGradientDescent":
                continue
            built = self._built(node)
            found = {name: value if found.get(name, value) == value else None for name, value in built.items()}
        return found

    def _built(self, node: Any) -> dict[str, Any]:
        """The settings of one training operation."""
        found: dict[str, Any] = {
            SETTINGS[arg]: self._constant(name)
            for arg, name in zip(_arguments(node.op), node.input, strict=False)
            if arg in SETTINGS
        }
        if "use_nesterov" in node.attr:
            found["use_nesterov"] = node.attr["use_nesterov"].b
        return found

    def powers(self, slots: Collection[str]) -> set[tuple[str, ...]]:
        """The names of β1's and β2's powers by which Adam's operations with any of these slots compute."""
        found = set()
        for node in self.meta.graph_def.node:
            if node.op.removeprefix("Resource") == "ApplyAdam":
                inputs = dict(zip(_arguments(node.op), map(self._source, node.input), strict=False))
                if inputs["m"] in slots:
                    found.add((inputs["beta1_power"], inputs["beta2_power"]))
        return found

    def has(self, operation: str) -> bool:
        """Whether there is an operation of this kind, on reference or on resource variables."""
        return any(node.op.removeprefix("Resource") == operation for node in self.meta.graph_def.node)

    def decays(self) -> list[float]:
        """The decays of ExponentialMovingAverage, as far as they are constants."""
        found = [
            self._constant(name) for name in self._nodes if re.search(rf"(^|/){AVERAGES.name}(_\d+)?/decay$", name)
        ]
        return [*dict.fromkeys(one for one in found if one is not None)]

    def has_counted_decay(self) -> bool:
        """Whether averages have num_updates, by which their decay is no constant."""
        counted = rf"(^|/){AVERAGES.name}(_\d+)?/num_updates$"
        return any(re.search(counted, name) for name in self._nodes)

    def activations(self, variables: Collection[str]) -> set[str]:
        """The functions between the layers of these matrices; see `Flow.activations`."""
        return self._flow.activations(variables)

    def _variables(self, collection: str) -> list[str]:
        values = self.meta.collection_def[collection].bytes_list.value if collection in self.meta.collection_def else []
        return [VariableDef.FromString(value).variable_name.partition(":")[0] for value in values]

    @cached_property
    def _nodes(self) -> dict[str, Any]:
        return {node.name: node for node in self.meta.graph_def.node}

    def _source(self, name: str) -> str:
        """The node from which a value comes, past those that pass it on."""
        name = name.lstrip("^").partition(":")[0]
        while (node := self._nodes.get(name)) is not None and node.op in PASSED_ON and node.input:
            name = node.input[0].partition(":")[0]
        return name

    def _constant(self, name: str) -> float | None:
        value = self._folded(name)
        return None if value is None else float(str(value))

    def _folded(self, name: str) -> Any:
        """A floating scalar in its own dtype; None where it is no constant."""
        node = self._nodes.get(self._source(name))
        if node is None:
            return None
        if node.op in FOLDED:
            values = [self._folded(one) for one in node.input[:2]]
            return None if None in values else FOLDED[node.op](*values)
        value = tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else np.zeros(0)
        return value[()] if value.shape == () and np.issubdtype(value.dtype, np.floating) else None


def graph_beside(path: Path) -> Graph | None:
    """The graph of a checkpoint; None where its file is missing. Raises InputError for a file that is none."""
    file = path.with_name(f"{path.name}.meta")
    if not file.is_file():
        return None
    try:
        return Graph(file, tf.compat.v1.MetaGraphDef.FromString(file.read_bytes()))
    except DecodeError:
        raise InputError(
            f"{file} must be the graph that Saver wrote beside the checkpoint, which can do without it; it is damaged "
            "or something else: remove it."
        ) from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error


def _arguments(operation: str) -> list[str]:
    """The names of an operation's inputs, and then of its attributes."""
    found = getattr(tf.raw_ops, operation, None)
    return [*inspect.signature(found).parameters] if found else []
