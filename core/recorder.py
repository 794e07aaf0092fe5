"""The flight recorder: what a rule did, recorded inside the compiled loop, at every step or every n-th."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

from .errors import InputError
from .figures import FIGURES, Layer
from .optimizer import Gradients, Optimizer, slot_dtype, unchanged
from .reductions import HALF_OCTAVES
from .rules import Step

Coordinates = Mapping[str, Sequence[tuple[int, ...]]]
"""Elements of variables, by the variables' names: {"h1": [(300, 5)], "b1": [(0,)]}."""
Columns = dict[str, Any]


class Recording(NamedTuple):
    """What a recorder holds, one row for each recorded step.

    steps:   int64 [records], counted from 1 over the whole life of the optimizer.
    columns: by name, float64 [records], histograms int32 [records, HALF_OCTAVES].
    """

    steps: np.ndarray
    columns: dict[str, np.ndarray]


class Recorder:
    """Records figures of every layer in each step t with (t − 1) divisible by `every`, the first one among them.

        recorder = Recorder(optimizer, every=10)
        program = Program(cost, variables, optimizer, recorder=recorder)
        program.run(data, batches)
        recorder.recording().columns["h1/norm_delta"]

    Recording leaves training alone, to the bit. A layer is a variable, by the name that the optimizer knows it by; x is
    its value after the step, g its gradient, Δ what the step subtracted, and all slots are those after the step.
    Columns are "cost" (before the step) and, by the groups in `figures`, LAYER/FIGURE:

    norms:      norm_g, norm_delta, norm_x, norm_SLOT: ‖·‖ over the layer's elements; norm_root_SLOT: ‖√v‖ = √(Σv), of
                slots that hold squares; relative_delta: ‖Δ‖/‖x‖; and what is telling of the rule: Adam's correction_1
                and correction_2, Adadelta's rms_ratio, the mean of RMS[Δx]/RMS[g].
    shares:     share_zero_g, of elements with a gradient of 0; share_epsilon_outweighs, of those where ε is greater
                than what it is added to (Adam's √v̂, say); nonfinite_g, nonfinite_x: how many are ∞ or NaN.
    rates:      rate_min, rate_quartile_1, rate_median, rate_quartile_3, rate_max: order statistics of the effective
                learning rate |Δ|/|g|, over elements whose gradient is not 0; see `reductions.order_statistics`.
    histograms: histogram_g, histogram_delta, histogram_x: of magnitudes, see `reductions.half_octaves`.

    Squares are computed in the slots' dtype and summed in part there: in float32 elements beyond 1e19 make a norm ∞,
    and those below 1e-22 do not count in it.

    layers:      those to record; all where none are given.
    values:      slots and stages of any rule by name, each as norm_NAME, or NAME where it is a scalar.
    coordinates: elements to record in full, as LAYER[I,J]/NAME: g, delta, x, every slot and stage, and, as NAME_before,
                 parameter and slots as they were before the step.

    Raises InputError for an interval that is no whole number of at least 1, and for a figure, layer, slot, stage or
    element that is not there.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        every: int = 1,
        figures: Sequence[str] = ("norms", "shares", "rates"),
        layers: Sequence[str] | None = None,
        values: Sequence[str] = (),
        coordinates: Coordinates | None = None,
    ):
        if not isinstance(every, int | np.integer) or isinstance(every, bool) or every < 1:
            raise InputError(f"The recorder's interval must be a whole number of steps, at least 1, found {every!r}.")
        _check_names("group of figures", figures, FIGURES)
        _check_names("layer", layers or (), optimizer.slots)
        _check_names("layer", coordinates or {}, optimizer.slots)
        self.optimizer, self.every = optimizer, int(every)
        self._figures, self._values = tuple(figures), tuple(values)
        self._layers = tuple(optimizer.slots) if layers is None else tuple(layers)
        self._coordinates = {
            name: [_element(optimizer, name, e) for e in of] for name, of in (coordinates or {}).items()
        }
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        gradients = {name: tf.zeros_like(optimizer.assigned(name)[0]) for name in optimizer.slots}
        known = {value for step in optimizer.updates(gradients).values() for value in _values_of(step)}
        _check_names("slot or stage", values, known)
        columns = self._columns(tf.zeros([], tf.float64), gradients, compiled=False)
        self._names = [name for name, value in columns.items() if not value.shape.rank]
        self._histograms = [name for name, value in columns.items() if value.shape.rank]

    def first(self) -> int:
        """How many of the optimizer's next steps come before the first that is recorded."""
        return -int(self.optimizer.step) % self.every

    def due(self, steps: int) -> dict[int, int]:
        """Which of the optimizer's next steps are recorded: their places, from 0, and their numbers t."""
        return {place: int(self.optimizer.step) + 1 + place for place in range(self.first(), steps, self.every)}

    def row(self, cost: tf.Tensor, gradients: Gradients, compiled: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """The figures of the optimizer's next step, float64 [figures], and its histograms, int32 [histograms, bins].

        It has to be called before the step is taken, and changes nothing.

        compiled: whether XLA compiles it.
        """
        columns = self._columns(cost, gradients, compiled)
        figures = tf.stack([tf.cast(columns[name], tf.float64) for name in self._names])
        histograms = [columns[name] for name in self._histograms]
        return figures, tf.stack(histograms) if histograms else tf.zeros([0, HALF_OCTAVES], tf.int32)

    def keep(self, steps: Collection[int], rows: Sequence[tf.Tensor]) -> None:
        """Adds what `row` gave of these steps t, stacked; there may be rows beyond, which say nothing."""
        figures, histograms = (np.asarray(row)[: len(steps)] for row in rows)
        self._rows.append((np.array([*steps], np.int64), figures, histograms))

    def recording(self) -> Recording:
        """All that was recorded so far."""
        empty = (
            np.zeros(0, np.int64),
            np.zeros([0, len(self._names)]),
            np.zeros([0, len(self._histograms), HALF_OCTAVES], np.int32),
        )
        steps, figures, histograms = (np.concatenate(parts) for parts in zip(empty, *self._rows, strict=True))
        columns = dict(zip(self._names, figures.T, strict=True))
        columns |= dict(zip(self._histograms, np.moveaxis(histograms, 1, 0), strict=True))
        for name in self._layers if "norms" in self._figures else ():
            with np.errstate(divide="ignore", invalid="ignore"):  # of a parameter that is 0 throughout
                columns[f"{name}/relative_delta"] = columns[f"{name}/norm_delta"] / columns[f"{name}/norm_x"]
        return Recording(steps, columns)

    def _columns(self, cost: tf.Tensor, gradients: Gradients, compiled: bool) -> Columns:
        columns: Columns = {"cost": cost}
        # Computed once more from hidden gradients and slots: what an update is read by decides which loops XLA makes of
        # it, and so how it rounds.
        updates = self.optimizer.updates(gradients, _hidden if compiled else unchanged)
        for name in (name for name in updates if name in self._layers or name in self._coordinates):
            layer = self._layer(name, gradients[name], updates[name], compiled)
            values = _values_of(layer.step)
            if name in self._layers:
                taken = [figure for group in self._figures for figure in FIGURES[group](layer)]
                taken += [
                    (f"norm_{value}", layer.norm(values[value])) if values[value].shape.rank else (value, values[value])
                    for value in self._values
                    if value in values
                ]
                columns |= {f"{name}/{figure}": value for figure, value in taken}
            before = {"x": self.optimizer.assigned(name)[0]} | self.optimizer.slots[name]
            after = {"g": layer.g, "x": layer.x, "delta": layer.step.delta} | values
            for element in self._coordinates.get(name, ()):
                columns |= _picked(name, element, {f"{value}_before": of for value, of in before.items()} | after)
        return columns

    def _layer(self, name: str, gradient: Any, step: Step, compiled: bool) -> Layer:
        variable, rule = self.optimizer.assigned(name)
        dtype = slot_dtype(variable)
        x = self.optimizer.moved(name, step.delta)
        read = tf.cast(gradient, dtype), tf.cast(x, dtype), step
        g, x, step = tf.nest.map_structure(lambda value: _hidden(value)[0], read) if compiled else read
        return Layer(rule, g, x, step, compiled)


def _hidden(*read: tf.Tensor) -> Any:
    """The tensors, behind a barrier to XLA's optimizations."""
    return optimization_barrier(*read)


def _values_of(step: Step) -> dict[str, tf.Tensor]:
    """Slots and stages of a step, by name."""
    return step.slots._asdict() | step.stages


def _picked(name: str, element: tuple[int, ...], values: Mapping[str, Any]) -> Columns:
    """One element of each of these, which are of the variable's shape, or scalars."""
    where = f"{name}[{','.join(map(str, element))}]"
    return {
        f"{where}/{value}": of[element] if of.shape.rank == len(element) else tf.convert_to_tensor(of)
        for value, of in values.items()
    }


def _check_names(what: str, asked: Sequence[str] | Mapping[str, Any], known: Any) -> None:
    for name in asked:
        if name not in known:
            raise InputError(f"There is no {what} {name!r} to record; there are: {', '.join(sorted(known))}.")


def _element(optimizer: Optimizer, name: str, element: Any) -> tuple[int, ...]:
    shape = tuple(optimizer.assigned(name)[0].shape)
    place = tuple(element) if isinstance(element, Sequence) else ()
    if len(place) != len(shape) or not all(
        isinstance(i, int | np.integer) and 0 <= i < size for i, size in zip(place, shape, strict=True)
    ):
        raise InputError(f"There is no element {element!r} of {name!r} to record: its shape is {list(shape)}.")
    return tuple(map(int, place))
