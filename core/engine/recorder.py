"""The flight recorder: what a rule did, recorded inside the compiled loop, at every step or every n-th."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from ..errors import InputError
from ..rules import Step
from .figures import FIGURES, Count, Figure, Histogram, Layer, Scalar, Total, norm, relative
from .masters import slot_dtype
from .optimizer import Gradients, Optimizer, unchanged
from .private import barrier
from .reductions import HALF_OCTAVES, column_sums
from .sparse import summed

Coordinates = Mapping[str, Sequence[tuple[int, ...]]]
"""Elements of variables, by the variables' names: {"h1": [(300, 5)], "b1": [(0,)]}."""
F = TypeVar("F", bound=Figure)


class Recording(NamedTuple):
    """What a recorder holds, one row for each recorded step.

    steps:   int64 [records], counted from 1 over the whole life of the optimizer, those included that it dropped.
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

    Recording leaves training alone, to the bit: the rule is applied once more to the same gradients and slots, so that
    figures are the training's own except for rounding. A layer is a variable, by the optimizer's name for it;
    x is its value after the step, g its gradient, Δ what the step subtracts, and all slots are those after the step.
    Columns are "cost" (before the step) and, by the groups in `figures`, LAYER/FIGURE:

    norms:      norm_g, norm_delta, norm_x, norm_SLOT: ‖·‖ over the layer's elements; norm_root_SLOT: ‖√v‖ = √(Σv), of
                slots that hold squares; relative_delta: ‖Δ‖/‖x‖; norm_served, where the rule serves another parameter
                than x; the stages that are scalars, such as Adam's correction_1 and a clip's factor; and the settings
                that are schedules. Of pieces around a rule, norm_STAGE; relative_decoupled_decay.decayed: the share of
                ‖Δ‖ that is decay; relative_average.distance: between x and its average, of ‖x‖.
    shares:     share_zero_g, of elements with a gradient of 0; share_CONDITION, of those where a stage that is a
                condition holds: share_epsilon_outweighs, where ε is greater than what it is added to (Adam's √v̂, say);
                nonfinite_g, nonfinite_x: how many are ∞ or NaN.
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
        self._groups, self._values = tuple(figures), tuple(values)
        self._layers = tuple(optimizer.slots) if layers is None else tuple(layers)
        self._coordinates = {
            name: [_element(optimizer, name, e) for e in of] for name, of in (coordinates or {}).items()
        }
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        gradients = {name: tf.zeros_like(optimizer.assigned(name)[0]) for name in optimizer.slots}
        known = {value for step in optimizer.updates(gradients).values() for value in step.values}
        _check_names("slot or stage", values, known)
        kinds = self._figures_of(tf.zeros([], tf.float64), gradients, compiled=False)
        self._names = [*kinds]
        self._finish = {name: of.finish for name, of in kinds.items() if isinstance(of, Total)}
        self._numbers = [name for kind in (Total, Count, Scalar) for name, of in kinds.items() if isinstance(of, kind)]
        self._histograms = [name for name, of in kinds.items() if isinstance(of, Histogram)]

    def first(self) -> int:
        """How many of the optimizer's next steps come before the first that is recorded."""
        return -self.optimizer.begun % self.every

    def due(self, steps: int) -> dict[int, int]:
        """Which of the optimizer's next steps are recorded: their places, from 0, and their numbers t."""
        return {place: self.optimizer.begun + 1 + place for place in range(self.first(), steps, self.every)}

    def row(self, cost: tf.Tensor, gradients: Gradients, compiled: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """The numbers of the optimizer's next step, float64 [numbers], and its histograms, int32 [histograms, bins].

        It has to be called before the step is taken, and changes nothing.

        compiled: whether XLA compiles it.
        """
        figures = self._figures_of(cost, gradients, compiled)
        totals = _totals([total.x for total in _of(Total, figures)], compiled)
        counts = _nonfinite([count.x for count in _of(Count, figures)], compiled)
        scalars = [tf.cast(scalar.value, tf.float64) for scalar in _of(Scalar, figures)]
        histograms = [
            tf.zeros([0, HALF_OCTAVES], tf.int32),
            *(one.counts[tf.newaxis] for one in _of(Histogram, figures)),
        ]
        return tf.concat([totals, counts, scalars], axis=0), tf.concat(histograms, axis=0)

    def keep(self, steps: Collection[int], rows: Sequence[tf.Tensor]) -> None:
        """Adds what `row` returned of these steps t, stacked; there may be rows beyond, which say nothing."""
        numbers, histograms = (np.asarray(row)[: len(steps)] for row in rows)
        self._rows.append((np.array([*steps], np.int64), numbers, histograms))

    def recording(self) -> Recording:
        """All that was recorded so far."""
        empty = (
            np.zeros(0, np.int64),
            np.zeros([0, len(self._numbers)]),
            np.zeros([0, len(self._histograms), HALF_OCTAVES], np.int32),
        )
        steps, numbers, histograms = (np.concatenate(parts) for parts in zip(empty, *self._rows, strict=True))
        columns = dict(zip(self._numbers, numbers.T, strict=True))
        columns |= dict(zip(self._histograms, np.moveaxis(histograms, 1, 0), strict=True))
        columns = {name: self._finish.get(name, np.asarray)(columns[name]) for name in self._names}
        for name in self._layers if "norms" in self._groups else ():
            own = [column.rpartition("/")[2] for column in columns if column.startswith(f"{name}/")]
            for ratio, of, by in relative(own):
                with np.errstate(divide="ignore", invalid="ignore"):  # of a parameter that is 0 throughout
                    columns[f"{name}/{ratio}"] = columns[f"{name}/{of}"] / columns[f"{name}/{by}"]
        return Recording(steps, columns)

    def _figures_of(self, cost: tf.Tensor, gradients: Gradients, compiled: bool) -> dict[str, Figure]:
        """All figures by their columns' names."""
        figures: dict[str, Figure] = {"cost": Scalar(cost)}
        # Computed once more from hidden gradients and slots: what an update is read by decides which loops XLA makes of
        # it, and so how it rounds.
        updates = self.optimizer.updates(gradients, cost, barrier if compiled else unchanged)
        t = tf.cast(self.optimizer.step + 1, tf.float64)
        for name, step in updates.items():
            layer = self._layer(t, name, gradients[name], step)
            if name in self._layers:
                figures |= {f"{name}/{figure}": of for figure, of in self._of_layer(layer)}
            for element in self._coordinates.get(name, ()):
                figures |= {
                    f"{name}[{','.join(map(str, element))}]/{value}": Scalar(of[element] if of.shape.rank else of)
                    for value, of in self._in_full(name, layer)
                }
        return figures

    def _layer(self, t: tf.Tensor, name: str, gradient: Any, step: Step) -> Layer:
        variable, rule = self.optimizer.assigned(name)
        dtype = slot_dtype(variable)
        g = tf.cast(summed(gradient, variable), dtype)
        return Layer(t, rule, g, tf.cast(tf.cast(step.x, variable.dtype), dtype), step)

    def _of_layer(self, layer: Layer) -> Iterator[tuple[str, Figure]]:
        for group in self._groups:
            yield from FIGURES[group](layer)
        values = layer.step.values
        for name in (name for name in self._values if name in values):
            value = values[name]
            yield (f"norm_{name}", norm(value)) if value.shape.rank else (name, Scalar(value))

    def _in_full(self, name: str, layer: Layer) -> Iterator[tuple[str, tf.Tensor]]:
        """What one element of a variable goes through in a step."""
        before = {"x": self.optimizer.assigned(name)[0]} | self.optimizer.slots[name]
        yield from ((f"{value}_before", tf.convert_to_tensor(of)) for value, of in before.items())
        # A stage of a user's rule may have one of these names too.
        yield from (layer.step.values | {"g": layer.g, "x": layer.x, "delta": layer.step.delta}).items()


def _of(kind: type[F], figures: Mapping[str, Figure]) -> list[F]:
    return [figure for figure in figures.values() if isinstance(figure, kind)]


def _totals(tensors: Sequence[tf.Tensor], compiled: bool) -> tf.Tensor:
    """The sum of each tensor's elements, float64 [tensors]."""
    sums = [tf.cast(column_sums(x, compiled), tf.float64) for x in tensors]
    return tf.reduce_sum(tf.stack(sums), axis=1) if sums else tf.zeros([0], tf.float64)


def _nonfinite(tensors: Sequence[tf.Tensor], compiled: bool) -> tf.Tensor:
    """How many of each tensor's elements are not finite, float64 [tensors].

    They are counted only where a sum of squares is not finite: as long as all are, none is.
    """
    squares = _totals([x * x for x in tensors], compiled)
    return tf.cond(
        tf.reduce_all(tf.math.is_finite(squares)),
        lambda: tf.zeros_like(squares),
        lambda: _totals([tf.logical_not(tf.math.is_finite(x)) for x in tensors], compiled),
    )


def _check_names(what: str, asked: Sequence[str] | Mapping[str, Any], known: Any) -> None:
    for name in asked:
        if name not in known:
            raise InputError(
                f"There is no {what} {name!r} to record; there are: {', '.join(sorted(known))}.", name, known
            )


def _element(optimizer: Optimizer, name: str, element: Any) -> tuple[int, ...]:
    shape = tuple(optimizer.assigned(name)[0].shape)
    place = tuple(element) if isinstance(element, Sequence) else ()
    if len(place) != len(shape) or not all(
        isinstance(i, int | np.integer) and 0 <= i < size for i, size in zip(place, shape, strict=True)
    ):
        raise InputError(f"There is no element {element!r} of {name!r} to record: its shape is {list(shape)}.")
    return tuple(map(int, place))
