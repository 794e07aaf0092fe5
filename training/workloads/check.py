"""What a workload of the user's own returns, checked before anything is trained: a mistake is one sentence."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from core import InputError
from core.mistakes import described, mistakes_in, written

from .declared import are_texts, check_declared, checked_defaults, of_rawstep
from .workload import Data, Examples, Variables, Workload

TRIED = 8
"""Of the first training examples the cost and the metrics are computed."""


def checked_data(workload: Workload, seed: int) -> Data:
    """The workload's data.

    Raises InputError, with the file and the line where they are known, where `data` fails, where a split is empty, its
    arrays are not of as many examples, or hold numbers that are not finite, and where the splits differ in the dtypes
    or the shapes of an example.
    """
    with mistakes_in(workload, method="data"):
        data = workload.data(seed)
    where = written(workload, "data")
    if not isinstance(data, Data):
        raise InputError(f"{where}: The data must be Data(train, validation, test), found {described(data)}.")
    if not are_texts(data.notes):
        raise InputError(f"{where}: The notes must be a list of sentences, found {described(data.notes)}.")
    for name, examples in data.splits.items():
        _check_split(where, name, examples)
        kinds = [_kind(split) for split in (data.train, examples)]
        if kinds[0] != kinds[1]:
            raise InputError(
                f"{where}: The splits must have examples of one kind, found {kinds[0]} in train, {kinds[1]} in {name}."
            )
    return data


def checked_values(workload: Workload, data: Data, seed: int) -> dict[str, Any]:
    """The first values of the workload's variables; TensorFlow computes nothing for it.

    Raises InputError, with the file and the line where they are known, where `variables` fails, and for values that are
    no arrays of a floating dtype.
    """
    with mistakes_in(workload, method="variables"):
        values = workload.variables(data, seed)
    _check_values(written(workload, "variables"), values)
    return values


def checked_variables(workload: Workload, data: Data, seed: int, batch_size: int | None = None) -> dict[str, Any]:
    """The same, where all else that trains and evaluates them works too.

    batch_size: of the examples whose cost is computed at a time in training; the workload's own, unless given.

    Raises InputError, with the file and the line where they are known, where `cost`, `metrics` or another method fails,
    for a cost that is no scalar of the variables' dtype or is NaN, for metrics that are no scalars, and for attributes
    of the class that cannot be. The cost and the metrics are computed of a few examples for that, and those of a
    user's own workload traced for as many as a run takes.
    """
    values = checked_values(workload, data, seed)
    variables = {name: tf.constant(value) for name, value in values.items()}
    batch = tuple(tf.constant(array) for array in _tried(data))
    _check_cost(workload, variables, batch)
    _check_metrics(workload, variables, batch)
    if not of_rawstep(workload):
        check_declared(workload, data, variables)
        _check_traces(workload, variables, data, batch_size or checked_defaults(workload)["batch_size"])
    return values


def check_in(workload: Workload, data: Data, values: Mapping[str, Any], dtype: tf.DType) -> None:
    """Raises InputError, as `checked_variables` does, where a user's cost or metrics fail in this dtype."""
    if of_rawstep(workload):
        return
    variables = {name: tf.cast(value, dtype) for name, value in values.items()}
    batch = tuple(tf.constant(array) for array in _tried(data))
    _check_cost(workload, variables, batch)
    _check_metrics(workload, variables, batch)


def _check_split(where: str, name: str, examples: Examples) -> None:
    if not isinstance(examples, tuple | list) or not examples:
        raise InputError(f"{where}: The split {name} must be a tuple of arrays, found {described(examples)}.")
    for array in examples:
        if not isinstance(array, np.ndarray) or array.ndim == 0 or not _is_number(array.dtype):
            raise InputError(f"{where}: The split {name} must hold arrays of numbers, found {described(array)}.")
    sizes = [len(array) for array in examples]
    if len({*sizes}) > 1:
        raise InputError(f"{where}: The arrays of the split {name} must have as many examples, found {sizes}.")
    if sizes[0] == 0:
        raise InputError(f"{where}: The split {name} must have at least one example, found none.")
    for number, array in enumerate(examples, start=1):
        if array.dtype.kind not in "biu" and (others := array.size - np.count_nonzero(np.isfinite(array))):
            raise InputError(
                f"{where}: Array {number} of the split {name} must hold finite numbers, found {others:,} of "
                f"{array.size:,} that are NaN or infinite."
            )


def _kind(examples: Examples) -> str:
    return Data(examples, examples, examples).kind


def _check_values(where: str, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise InputError(f"{where}: The variables must be arrays by name, found {described(values)}.")
    if not values:
        raise InputError(f"{where}: There must be at least one variable, found none.")
    for name, value in values.items():
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}: The name of a variable must be a text, found {described(name)}.")
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


def _is_number(dtype: Any) -> bool:
    return dtype.kind in "biufc" or _is_floating(dtype)


def _tried(data: Data) -> Examples:
    """The first training examples, and those of every split with the smallest and the largest integer of an array:
    a class number that is none fails on a CPU outside XLA alone."""
    parts = [tuple(array[:TRIED] for array in data.train)]
    for examples in data.splits.values():
        for array in examples:
            if array.dtype.kind in "iu" and array.size:
                rows = [int(extreme(array)) // array[0].size for extreme in (np.argmin, np.argmax)]
                parts.append(tuple(each[rows] for each in examples))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def _check_cost(workload: Workload, variables: Variables, batch: tuple[tf.Tensor, ...]) -> None:
    with mistakes_in(workload, method="cost"):
        cost = workload.cost(variables, *batch)
    dtypes = list(dict.fromkeys(variable.dtype.name for variable in variables.values()))
    if any(variable.dtype.size < tf.float32.size for variable in variables.values()):
        dtypes.append("float32")
    if not tf.is_tensor(cost) or cost.shape.rank != 0 or cost.dtype.name not in dtypes:
        raise InputError(
            f"{written(workload, 'cost')}: The cost must be a scalar tensor of the variables' dtype, "
            f"{' or '.join(dtypes)}, found {described(cost)}."
        )
    if tf.math.is_nan(cost) and not of_rawstep(workload):
        raise InputError(
            f"{written(workload, 'cost')}: The cost before any step must be a number, found NaN: the variables' first "
            "values may be too large, or class numbers beyond those that the network has."
        )


def _check_metrics(workload: Workload, variables: Variables, batch: tuple[tf.Tensor, ...]) -> None:
    with mistakes_in(workload, method="metrics"):
        metrics = workload.metrics(variables, *batch)
    where = written(workload, "metrics")
    if not isinstance(metrics, Mapping):
        raise InputError(f"{where}: The metrics must be scalar tensors by name, found {described(metrics)}.")
    for name, value in metrics.items():
        if not isinstance(name, str):
            raise InputError(f"{where}: The name of a metric must be a text, found {described(name)}.")
        if not tf.is_tensor(value) or value.shape.rank != 0 or not (value.dtype.is_floating or value.dtype.is_integer):
            raise InputError(f"{where}: The metric {name} must be a scalar tensor, found {described(value)}.")
    if "cost" in metrics:
        raise InputError(f"{where}: The cost is a figure of its own and must not be a metric.")
    kind = type(workload)
    if kind.judged_by not in ("cost", *metrics):
        raise InputError(
            f"{kind.__name__}.judged_by must be one of {', '.join(('cost', *metrics))}, found {kind.judged_by!r}."
        )


def _check_traces(workload: Workload, variables: Variables, data: Data, batch_size: int) -> None:
    """A metric that cannot be traced would else fail after the first epoch."""
    sizes = [len(examples[0]) for examples in data.splits.values()]
    at_once = workload.evaluated_at_once
    evaluated = {min(at_once, size - start) for size in sizes for start in range(0, size, at_once)}
    tried = {"cost": {min(batch_size, sizes[0]), *evaluated}, "metrics": evaluated}
    for method, counts in tried.items():
        for count in sorted(counts):
            with mistakes_in(workload, method=method):
                _trace(getattr(workload, method), variables, data, count)


def _trace(method: Callable[..., Any], variables: Variables, data: Data, count: int) -> None:
    specs = [tf.TensorSpec([count, *array.shape[1:]], array.dtype) for array in data.train]
    tf.function(lambda *batch: method(variables, *batch), autograph=False).get_concrete_function(*specs)
