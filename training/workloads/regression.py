"""Regression on a table, one of patients or the user's own: least squares, or a perceptron."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from core import InputError, at_least_float32
from core.seeds import generator

from .data.columns import check_deviation
from .data.scaling import Scaling
from .data.table import Table, read_table
from .data.table_shards import load_tables
from .initial import Init
from .options import FilePath, HiddenLayers, Whole, check_stream
from .perceptron import first_values, logits, products
from .work import Product
from .workload import Data, Examples, Variables, Workload

TABLE = Path(__file__).parent / "data" / "diabetes" / "diabetes.csv"
FEWEST_ROWS = 10
"""Of a table: eight to train on, one for validation, one for the test."""


@dataclass(frozen=True, kw_only=True)
class Regression(Workload):
    """One column of a table from the others; least squares unless there are hidden layers.

    Unless another table is given: how far a disease has come after a year, from ten measurements of 442 patients, the
    table of Efron, Hastie, Johnstone & Tibshirani, "Least Angle Regression", Annals of Statistics
    32 (2004). A tenth of the rows is drawn for validation, a tenth for the test. All columns are standardised by the
    training rows: mean 0, variance 1. So a cost of 1 is that of the mean of the training rows, and 1 − cost is their
    R²: 0.518 for least squares on the whole table of patients. Without hidden layers the least cost is known in closed
    form: the training comes to within 0.001 of it.

    Parameters
    ----------
    table
        A CSV file, whose first row names the columns, or a Parquet file; all of numbers. Unless given, the patients.
    target
        The column that is estimated from all others. Unless given, the last one.
    hidden
        Units of each hidden layer, with ReLU; none is least squares.
    init
        First weights.
    stream
        A folder of shards of another table, as `rawstep shard` makes them, which are read as they are needed:
        train-….npz with arrays x and y, or train-….tfrecord; validation-… and test-… beside them.
    window
        Rows of the stream among which a batch is drawn. Unless given, as many as fill 67 MB.
    """

    table: FilePath | None = None
    target: str | None = None
    hidden: HiddenLayers = ()
    init: Init = "glorot"
    stream: FilePath | None = None
    window: Whole | None = None

    defaults: ClassVar[Mapping[str, Any]] = {
        "batch_size": 44,
        "epochs": 200,
        "rule": "nesterov",
        "learning_rate": 5e-3,
        "momentum": 0.9,
    }
    input_name: ClassVar[str] = "rows"
    input_dtype: ClassVar[str | None] = "float64"
    places: ClassVar[Sequence[str]] = ("table", "target", "stream")
    slice_examples: ClassVar[int] = 256
    groups: ClassVar[Mapping[str, Sequence[str]]] = {"last-layer": ("ho", "bo")}

    scaling: ClassVar[Scaling | None] = None
    """Of the run whose data these are; see `with_schema`."""

    @classmethod
    def small(cls) -> Self:
        return cls(hidden=(4,))

    def __post_init__(self) -> None:
        """A run may be resumed from another working directory."""
        for name in ("table", "stream"):
            if (place := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(place).absolute())
        check_stream(self.stream, self.window, {"--table": self.table, "--target": self.target})

    def with_schema(self, schema: Mapping[str, Any]) -> Self:
        """Of a run: other tables are standardised as its own was, their columns matched by their names; a served model
        takes rows and returns estimates in the table's own units."""
        other = replace(self)
        object.__setattr__(other, "scaling", Scaling.of(schema))
        return other

    def data(self, seed: int) -> Data:
        """Rows, float32 [rows, columns], and what is to be estimated, float32 [rows]; splits drawn from the seed.

        Raises InputError for a table that cannot be read, see `data.table.read_table`, has too few rows or columns, or
        a column that does not vary; and for shards of such, see `data.table_shards`.
        """
        if self.stream is not None:
            found = load_tables(self.stream, self.window, None, seed, self.scaling)
            return Data(
                found.train,
                found.validation,
                found.test,
                chosen=found.chosen,
                notes=found.notes,
                what=f"rows of {found.train[0].shape[1]} columns",
                details="all standardised",
                schema=found.scaling.schema,
                stream=found.stream,
            )
        table = read_table(self.table or TABLE)
        if self.scaling is not None:
            table = _as_in(self.scaling, table, self.target)
        place = len(table.names) - 1 if self.target is None else table.place(self.target)
        target, (rows, columns) = table.names[place], table.numbers.shape
        if rows < FEWEST_ROWS or columns < 2:
            raise InputError(
                f"{table.path} must have {FEWEST_ROWS} or more rows of two or more columns, found {rows} of {columns}."
            )
        held = -(-rows // 10)
        parts = np.split(generator(seed, "rows").permutation(table.numbers), [rows - 2 * held, rows - held])
        scaling = self.scaling or _scaling(table, place, parts[0])
        least, most = table.numbers[:, place].min(), table.numbers[:, place].max()
        return Data(
            *(scaling.standardised(np.delete(part, place, axis=1), part[:, place]) for part in parts),
            chosen=f"{held} drawn from seed {seed}",
            what=f"rows of {columns - 1} columns",
            details=f"{target} from {least:.6g} to {most:.6g}, all standardised",
            schema=scaling.schema,
        )

    def layers(self, data: Data) -> list[int]:
        """Units from the columns to the estimate."""
        return [data.train[0].shape[1], *self.hidden, 1]

    def variables(self, data: Data, seed: int) -> dict[str, np.ndarray]:
        """See `perceptron.first_values`."""
        return first_values(self.layers(data), self.init, seed)

    def estimates(self, variables: Variables, rows: tf.Tensor) -> tf.Tensor:
        """[rows, 1], in standard deviations of the training rows."""
        return logits(variables, tf.cast(rows, variables["bo"].dtype))

    def cost(self, variables: Variables, *batch: tf.Tensor) -> tf.Tensor:
        """The mean squared error."""
        return tf.reduce_mean(tf.square(self._errors(variables, *batch)))

    def metrics(self, variables: Variables, *batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """absolute_error: its mean, in standard deviations."""
        return {"absolute_error": tf.reduce_mean(tf.abs(tf.cast(self._errors(variables, *batch), tf.float64)))}

    def outputs(self, variables: Variables, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """estimates [rows, 1]; of a trained run, float64 in the target's units, of rows as the table has them."""
        if self.scaling is None:
            return {"estimates": self.estimates(variables, inputs)}
        of = self.scaling
        rows = tf.cast((tf.cast(inputs, tf.float64) - of.mean) / of.deviation, tf.float32)  # as in training
        found = tf.cast(self.estimates(variables, rows), tf.float64)
        return {"estimates": found * of.target_deviation + of.target_mean}

    def check_fit(self, variables: Variables, examples: Examples) -> None:
        columns, found = variables["h1" if "h1" in variables else "ho"].shape[0], examples[0].shape[1]
        if columns != found:
            raise InputError(f"The regression takes rows of {columns} columns, found {found}.")

    def keras(self, variables: Variables, inputs: tf.TensorSpec) -> Any:
        """Dense layers, named after the matrices."""
        from .keras_models import Layers

        layers = Layers(variables)
        rows = x = layers.inputs(inputs)
        if self.scaling is not None:
            x = layers.standardised(x, self.scaling.mean, self.scaling.deviation)
        for layer in range(1, len(variables) // 2):
            x = layers.dense(x, f"h{layer}", f"b{layer}", "relu")
        x = layers.dense(x, "ho", "bo")
        if self.scaling is not None:
            x = layers.scaled(x, self.scaling.target_deviation, self.scaling.target_mean, "estimates")
        return layers.model(rows, x, "regression")

    def products(self, data: Data) -> Sequence[Product]:
        return products(self.layers(data))

    def title(self, data: Data) -> str:
        return "-".join(map(str, self.layers(data)))

    def _errors(self, variables: Variables, rows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        estimates = at_least_float32(self.estimates(variables, rows)[:, 0])
        return estimates - tf.cast(targets, estimates.dtype)


def _scaling(table: Table, place: int, trained: np.ndarray) -> Scaling:
    """Of each column in the rows that are trained on, one of which is the target. Raises InputError for one that cannot
    be standardised."""
    with np.errstate(all="ignore"):
        mean, deviation = trained.mean(axis=0), trained.std(axis=0)
    for name, column, by in zip(table.names, trained.T, deviation, strict=True):
        check_deviation(f"{table.path}: column {name}", column.min(), column.max(), by, len(column))
    columns = [name for name in table.names if name != table.names[place]]
    return Scaling(
        columns,
        table.names[place],
        np.delete(mean, place),
        np.delete(deviation, place),
        float(mean[place]),
        float(deviation[place]),
    )


def _as_in(scaling: Scaling, table: Table, target: str | None) -> Table:
    """A table with the columns of a run's, in their order and then the target."""
    if target is not None and target != scaling.target:
        raise InputError(f"The run estimates {scaling.target}: --target must be that, found {target}.")
    scaling.check_columns(table.path, table.names)
    names = [*scaling.columns, scaling.target]
    return table._replace(names=names, numbers=table.numbers[:, [table.place(name) for name in names]])
