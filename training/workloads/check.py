"""What a workload of the user's own returns, checked before anything is trained: a mistake is one sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from core import InputError
from core.mistakes import described, mistakes_in, written

from .workload import Data, Examples, Variables, Workload

TRIED = 8
"""Examples of which the cost and the metrics are computed."""


def checked_data(workload: Workload, seed: int) -> Data:
    """The workload's data.

    Raises InputError, with the file and the line where they are known, where `data` fails, where a split is empty, or
    its arrays are not of as many examples, and where the splits differ in the dtypes or the shapes of an example.
    """
    with mistakes_in(workload, method="data"):
        data = workload.data(seed)
    where = written(workload, "data")
    if not isinstance(data, Data):
        raise InputError(f"{where}: The data must be Data(train, validation, test), found {described(data)}.")
    for name, examples in data.splits.items():
        _check_split(where, name, examples)
        kinds = [_kind(split) for split in (data.train, examples)]
        if kinds[0] != kinds[1]:
            raise InputError(
                f"{where}: The splits must have examples of one kind, found {kinds[0]} in train, {kinds[1]} in {name}."
            )
    return data


def checked_variables(workload: Workload, data: Data, seed: int) -> dict[str, Any]:
    """The first values of the workload's variables.

    Raises InputError, with the file and the line where they are known, where `variables`, `cost` or `metrics` fails,
    for values that are no arrays of a floating dtype, for a cost that is no scalar of such a dtype, for metrics that
    are no scalars, and for settings of the class that name a metric or a split that is not there. The cost and the
    metrics are computed of a few examples for that.
    """
    with mistakes_in(workload, method="variables"):
        values = workload.variables(data, seed)
    _check_values(written(workload, "variables"), values)
    variables = {name: tf.constant(value) for name, value in values.items()}
    batch = tuple(tf.constant(array[:TRIED]) for array in data.train)
    _check_cost(workload, variables, batch)
    _check_metrics(workload, variables, batch)
    return values


def _check_split(where: str, name: str, examples: Examples) -> None:
    if not isinstance(examples, tuple | list) or not examples:
        raise InputError(f"{where}: The split {name} must be a tuple of arrays, found {described(examples)}.")
    for array in examples:
        if not isinstance(array, np.ndarray) or array.ndim == 0 or array.dtype == object:
            raise InputError(f"{where}: The split {name} must hold arrays of numbers, found {described(array)}.")
    sizes = [len(array) for array in examples]
    if len({*sizes}) > 1:
        raise InputError(f"{where}: The arrays of the split {name} must have as many examples, found {sizes}.")
    if sizes[0] == 0:
        raise InputError(f"{where}: The split {name} must have at least one example, found none.")


def _kind(examples: Examples) -> str:
    return Data(examples, examples, examples).kind


def _check_values(where: str, values: Any) -> None:
    if not isinstance(values, Mapping) or not values:
        raise InputError(f"{where}: The variables must be arrays by name, found {described(values)}.")
    for name, value in values.items():
        if not isinstance(value, np.ndarray) or not _is_floating(value.dtype):
            raise InputError(
                f"{where}: The variable {name} must be a NumPy array of a floating dtype, found {described(value)}."
            )


def _is_floating(dtype: Any) -> bool:
    """bfloat16 is one too, though not to NumPy."""
    try:
        return tf.as_dtype(dtype).is_floating
    except TypeError:
        return False


def _check_cost(workload: Workload, variables: Variables, batch: tuple[tf.Tensor, ...]) -> None:
    with mistakes_in(workload, method="cost"):
        cost = workload.cost(variables, *batch)
    dtypes = list(dict.fromkeys(variable.dtype.name for variable in variables.values()))
    if not tf.is_tensor(cost) or cost.shape.rank != 0 or cost.dtype.name not in dtypes:
        raise InputError(
            f"{written(workload, 'cost')}: The cost must be a scalar tensor of the variables' dtype, "
            f"{' or '.join(dtypes)}, found {described(cost)}."
        )


def _check_metrics(workload: Workload, variables: Variables, batch: tuple[tf.Tensor, ...]) -> None:
    with mistakes_in(workload, method="metrics"):
        metrics = workload.metrics(variables, *batch)
    where = written(workload, "metrics")
    if not isinstance(metrics, Mapping):
        raise InputError(f"{where}: The metrics must be scalar tensors by name, found {described(metrics)}.")
    for name, value in metrics.items():
        if not tf.is_tensor(value) or value.shape.rank != 0 or not (value.dtype.is_floating or value.dtype.is_integer):
            raise InputError(f"{where}: The metric {name} must be a scalar tensor, found {described(value)}.")
    if "cost" in metrics:
        raise InputError(f"{where}: The cost is a figure of its own and must not be a metric.")
    kind = type(workload)
    if kind.judged_by not in ("cost", *metrics):
        raise InputError(
            f"{kind.__name__}.judged_by must be one of {', '.join(('cost', *metrics))}, found {kind.judged_by!r}."
        )
    if others := [split for split in kind.watched if split not in Data._fields[:3]]:
        raise InputError(f"{kind.__name__}.watched must name train, validation or test, found {others[0]!r}.")
