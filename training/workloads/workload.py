"""What is trained: the contract between a problem and all that trains, saves, traces, races, inspects and times it."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
import tensorflow as tf

from core.engine.feeds import Source

from .data.pixels import ranged
from .work import Product

Variables = Mapping[str, Any]
"""tf.Variables, tensors or arrays, by name."""
Examples = tuple[np.ndarray, ...]
"""Arrays whose first axis is examples, such as (images, labels): what `Workload.cost` takes of a batch."""


class Stream(Source, Protocol):
    """Training examples that are read piece by piece.

    digest: a hash that identifies them. window: about how many a batch is drawn from; see `core.engine.feeds.Streamed`.
    """

    @property
    def digest(self) -> str: ...
    @property
    def window(self) -> int: ...


@dataclass(frozen=True)
class Mapped:
    """A stream, of whose pieces something is made as they are read: others of as many examples."""

    stream: Stream
    made: Callable[[Examples], Examples]

    @property
    def sizes(self) -> Sequence[int]:
        return self.stream.sizes

    @property
    def digest(self) -> str:
        return self.stream.digest

    @property
    def window(self) -> int:
        return self.stream.window

    def read(self, piece: int) -> Examples:
        """What is made of a piece."""
        return self.made(self.stream.read(piece))


class Data(NamedTuple):
    """A problem's examples in three splits.

    chosen: how the validation examples were chosen, in words; notes: what a person should know of the data, a sentence
    each. what: what the examples are, "images of 28×28"; details: what else was found, "10 classes", unless given the
    dtypes and ranges of their arrays. meaning: what the numbers of floats were said to be, where a cost asks.
    schema: what else than dtypes and shapes says what an example's numbers are, such as the units of columns, as JSON
    can hold it; a run keeps it, see `Workload.with_schema`.
    stream: training examples that are not held in memory. `train` then has a few that stand for all: their dtypes and
    shapes, and the least and the greatest class number.
    """

    train: Examples
    validation: Examples
    test: Examples
    chosen: str = "as they come"
    notes: Sequence[str] = ()
    what: str = "examples"
    details: str = ""
    meaning: str = ""
    schema: Mapping[str, Any] | None = None
    stream: Stream | None = None

    @property
    def size(self) -> int:
        """How many examples are trained on."""
        return len(self.train[0]) if self.stream is None else sum(self.stream.sizes)

    @property
    def splits(self) -> dict[str, Examples]:
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def mapped(self, made: Callable[[Examples], Examples]) -> Self:
        """The same with what is made of each split's examples, and of the stream's."""
        splits = {name: made(examples) for name, examples in self.splits.items()}
        return self._replace(**splits, stream=None if self.stream is None else Mapped(self.stream, made))

    @property
    def kind(self) -> str:
        """The dtype and shape of one example, such as "uint8 [784], uint8 []", and what else decides a cost."""
        kinds = ", ".join(f"{array.dtype.name} {[*array.shape[1:]]}" for array in self.train)
        return f"{kinds} ({self.meaning})" if self.meaning else kinds

    @property
    def summary(self) -> str:
        """What was read, in one line."""
        train, validation, test = (f"{count:,}" for count in (self.size, len(self.validation[0]), len(self.test[0])))
        details = self.details or ", ".join(ranged(array, f" {[*array.shape[1:]]}") for array in self.train)
        return f"{train} {self.what} for training, {details}; {validation} for validation, {test} for the test"


@dataclass(frozen=True, kw_only=True)
class Workload(ABC):
    """A problem to train: data, variables, a cost, and what else a command needs of it.

        @dataclass(frozen=True, kw_only=True)
        class MyTask(Workload):
            width: int = 64             # an option of every command: --width 128
            def data(self, seed): …
            def variables(self, data, seed): …
            def cost(self, variables, *batch): …

    Its fields are its settings. Those that name files or folders stand in `places`: they may differ between two runs
    on the same data. A class is frozen: what depends on the data is computed from them.

    defaults:         of a run, by the names of options: batch_size and epochs, which are these where a class lacks
                      them; and, for runs that name no rule, one with its options, such as
                      {"rule": "adamw", "learning_rate": 1e-3, "weight_decay": 1.0}.
    judged_by:        what decides which epoch is the best: "cost" or one of `metrics`; higher_is_better.
    watched:          the splits that are evaluated after each epoch.
    evaluated_at_once: the examples of a split whose cost is computed at a time.
    slice_examples:   the examples of a slice of its cost; see `along`.
    groups:           names for variables in --group and --decay-only beside matrices and vectors, each with patterns of
                      their names: {"last-layer": ("ho", "bo")}.
    described_by:     for some of `places`, the settings that say how what is there is to be read: whoever names another
                      place for a run's data says these anew.
    input_name:       what a served model calls the first array of a batch, of which it returns `outputs`.
    input_dtype:      of that array, where it is another than in the data.
    """

    defaults: ClassVar[Mapping[str, Any]] = {"batch_size": 100, "epochs": 30}
    judged_by: ClassVar[str] = "cost"
    higher_is_better: ClassVar[bool] = False
    watched: ClassVar[Sequence[str]] = ("validation",)
    evaluated_at_once: ClassVar[int] = 5_000
    slice_examples: ClassVar[int] = 8
    groups: ClassVar[Mapping[str, Sequence[str]]] = {}
    places: ClassVar[Sequence[str]] = ()
    described_by: ClassVar[Mapping[str, Sequence[str]]] = {}
    input_name: ClassVar[str] = "inputs"
    input_dtype: ClassVar[str | None] = None

    @classmethod
    def small(cls) -> Self:
        """A smaller one of its kind, whose gradients and slices of the cost are quick to compute."""
        return cls()

    @abstractmethod
    def data(self, seed: int) -> Data:
        """The examples, of finite numbers. Raises InputError for files that are missing, damaged or do not fit each
        other."""

    def with_schema(self, schema: Mapping[str, Any]) -> Self:
        """The same for a trained run: `data` returns examples as the run's own are, whose `Data.schema` this is, or
        raises InputError for others; `outputs` and `keras` take them as files have them."""
        return self

    @abstractmethod
    def variables(self, data: Data, seed: int) -> dict[str, Any]:
        """The first value of each variable, by name, of a floating dtype; drawn from `core.seeds.generator(seed, …)`.

        Raises InputError for settings that cannot be.
        """

    @abstractmethod
    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The mean cost of a batch's examples, a scalar of the variables' dtype.

        It is traced, as metrics are: Python's `if` and NumPy cannot see the numbers of a tensor in it.
        """

    def metrics(self, variables: Variables, *batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """Further means over a batch's examples by which a person judges, float64 scalars; the cost is not one."""
        return {}

    def outputs(self, variables: Variables, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """What a served model returns for the first array of a batch, by name; for `rawstep export --saved-model`."""
        raise NotImplementedError

    def keras(self, variables: Variables, inputs: tf.TensorSpec) -> Any:
        """A Keras model with copies of these values, of Keras's own layers alone, that takes the first array of a batch
        and returns the first of `outputs`; for `rawstep export --keras`. Keras is imported here alone.

        inputs: the dtype of that array, and its shape, whose first size is None.
        """
        raise NotImplementedError

    def check_fit(self, variables: Variables, examples: Examples) -> None:  # noqa: B027 - some accept all
        """Raises InputError for examples of another kind than those that the variables were made for."""

    def execution(self, device: str) -> Any:
        """The execution that suits the problem on a device, "cpu" or "gpu"."""
        return "xla-loop"

    def products(self, data: Data) -> Sequence[Product]:
        """The matrix products of one example, in their order; none where they are not counted."""
        return ()

    def title(self, data: Data) -> str:
        """What it is, in a few words with its sizes: "784-256-256-10"."""
        return type(self).__name__

    def followed(self, data: Data, variables: Variables) -> list[str]:
        """Single parameters that show much, such as "h1[300,5]": a trace follows them unless it is asked for others."""
        return [
            f"{name}[{','.join('0' * np.ndim(variables[name]))}]" for name in (*variables,)[:: len(variables) - 1 or 1]
        ]

    def along(self, examples: Examples, origin: Variables, directions: Sequence[Variables]) -> Any:
        """The cost of examples on the plane origin + x·(first direction) + y·(second), as a function of points.

        Returns cost(points): float64 [..., 2] → [...], differentiable. All is computed in float64.
        """
        batch = in_dtype([tf.constant(array) for array in examples], tf.float64)
        values = {name: tf.constant(np.asarray(value), tf.float64) for name, value in origin.items()}
        ways = [{name: tf.constant(np.asarray(way[name]), tf.float64) for name in values} for way in directions]

        def at(point: tf.Tensor) -> tf.Tensor:
            moved = {
                name: value + sum(point[n] * way[name] for n, way in enumerate(ways)) for name, value in values.items()
            }
            return self.cost(moved, *batch)

        def cost(points: tf.Tensor) -> tf.Tensor:
            flat = tf.reshape(points, [-1, 2])
            return tf.reshape(tf.map_fn(at, flat, parallel_iterations=1), points.shape[:-1])

        return cost


def in_dtype(batch: Sequence[tf.Tensor], dtype: tf.DType) -> list[tf.Tensor]:
    """A batch for a copy of the variables in another dtype: what is floating in it has that dtype too."""
    return [tf.cast(array, dtype) if array.dtype.is_floating else array for array in batch]


def fingerprint(data: Data) -> dict[str, int | str]:
    """What identifies data: how many examples are trained on, their kind, how they were split, a hash of them all."""
    digest = hashlib.sha256()
    for examples in data.splits.values():
        for array in examples:
            digest.update(np.ascontiguousarray(array).data)
    if data.stream is not None:
        digest.update(data.stream.digest.encode())
    sizes = {"examples": data.size, "kind": data.kind, "validation": data.chosen}
    return {**sizes, "sha256": digest.hexdigest()}
