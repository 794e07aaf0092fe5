"""A formula as its source states it, with settings and roundings: what should come out of a step, and how far off.

The functions themselves stand in the cards, one a rule, written out from papers and libraries and not from core's
rules, so that an error there is not repeated here. Each is written for NumPy arrays, `compute(g, slots, *, …)`: by name
it takes settings, bias corrections (correction_1 for beta_1), the step t and the parameter x, as far as it reads them,
and returns all its values by name in the order in which they are computed. Slots and stages have the rules' names, Δ is
"delta", and "x" is the parameter after the step where that is not x − Δ. On arrays of a wide dtype it computes what
should come out, on `Rounded` numbers how far a narrower dtype may be off as well, on magnitudes Σ|terms|, the scale of
rounding errors, and on nodes its own graph.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np

from ..errors import InputError
from .rounded import Precision, Rounded, either

AVERAGED = ("beta_1", "beta_2", "rho", "decay")
"""Settings that are the share of a running average: β + (1 − β) is not 1 where the two are rounded apart."""


def average(old: Any, new: Any, beta: Any) -> Any:
    """β·old + (1 − β)·new; TF1, Keras and (for m) PyTorch compute it in increments."""
    weight = 1 - beta
    return either((old, new), lambda a, b: beta * a + weight * b, lambda a, b: a + (b - a) * weight)


class Magnitudes(np.ndarray):
    """Numbers without signs: a difference is the sum of both."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        ufunc = {np.subtract: np.add, np.negative: np.positive}.get(ufunc, ufunc)
        plain = (np.asarray(one) if isinstance(one, Magnitudes) else one for one in inputs)
        return np.asarray(getattr(ufunc, method)(*plain, **options)).view(Magnitudes)


def magnitudes(values: Any) -> Magnitudes:
    return np.asarray(np.abs(values)).view(Magnitudes)


@functools.cache
def asked(compute: Callable[..., Any]) -> frozenset[str]:
    """What a formula takes by name."""
    return frozenset(inspect.signature(compute).parameters) - {"g", "slots"}


@dataclass(frozen=True)
class Formula:
    """One source's formula with its settings.

    compute:   the function, see above.
    settings:  by the names of the rules' fields; for a library that asks for a learning rate, one is chosen here.
    kept:      the names of the slots with these settings, or a function of settings to them.
    starts:    the first value of a slot that is not 0, or the setting that decides it, or "x": the parameter.
    complement_in, power_in: the dtype in which the source subtracts 1 − β, and raises β to the power t: "variable",
               "float64" (Python's numbers, too) or, for powers, "float32".
    running:   the powers β^t are running products, which err by half a unit a step.
    absent:    settings that the source lacks, though the formula has a place for them: TF1's Adagrad has no ε.

    Every number of the settings may be a schedule, a function of the number of steps taken before.
    """

    estimated: ClassVar = False
    """Its bounds are derived."""

    compute: Callable[..., dict[str, Any]]
    settings: Mapping[str, Any]
    kept: tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]]
    starts: Mapping[str, str | float] = field(default_factory=dict)
    complement_in: str = "float64"
    power_in: str = "float64"
    running: bool = False
    absent: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        return self.kept(self.settings) if callable(self.kept) else self.kept

    @property
    def takes(self) -> frozenset[str]:
        """What it takes by name."""
        return asked(self.compute)

    @property
    def reads_x(self) -> bool:
        """Whether the parameter has a part in the step."""
        return "x" in asked(self.compute)

    @property
    def begins(self) -> bool:
        """Whether the first step is another than those after it, by whatever a library takes for the first."""
        return "t" in asked(self.compute)

    @property
    def counts(self) -> bool:
        """Whether the number of the step has a part in it."""
        return any(name == "t" or name.startswith("correction") for name in asked(self.compute))

    @property
    def decided(self) -> dict[str, Any]:
        """The settings that the source has."""
        return {name: value for name, value in self.settings.items() if name not in self.absent}

    def given(self, settings: Mapping[str, Any]) -> Self:
        """The formula with other settings. Raises InputError for a setting that it lacks."""
        for name, value in settings.items():
            if name in self.absent and value != 0:
                raise InputError(f"This formula has no {name}, found {value:g}.")
            if name not in self.settings:
                raise InputError(
                    f"The formula has no setting {name!r}; it has: {', '.join(self.settings)}.", name, self.settings
                )
        return replace(self, settings={**self.settings, **settings})

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        """The slots before the first step, in the shape and dtype of `like`."""
        starts = {name: self.starts.get(name, 0.0) for name in self.slots}
        numbers = {
            name: self.settings[start] if isinstance(start, str) and start != "x" else start
            for name, start in starts.items()
        }
        return {
            name: np.array(like) if one == "x" else np.full_like(like, one(0) if callable(one) else one)
            for name, one in numbers.items()
        }

    def corrections(self, t: Any, precision: Precision) -> dict[str, Rounded]:
        """1 − β^t for steps t, and how far it may be off.

        A power is exp(t·ln β) or a product of powers: its error grows with |t·ln β|, or by half a unit a step where
        it is a running product. What is subtracted from 1 errs by half a unit more.
        """
        wide, found = precision.wide, {}
        power_dtype = {"variable": precision.dtype, "float64": np.float64, "float32": np.float32}[self.power_in]
        unit = float(np.finfo(power_dtype).eps)
        for name, beta in self.corrected.items():
            value = beta(wide(t) - 1) if callable(beta) else beta
            base = wide(np.asarray(value).astype(power_dtype))
            power = base ** wide(t)
            roundings = 2 + 2 * np.abs(t * np.log(np.maximum(base, precision.tiny))) + (t if self.running else 0)
            error = unit / 2 * (roundings * power + 1 + power) + precision.unit / 2 * (1 - power) + precision.tiny
            found[name] = Rounded(1 - power, error, precision)
        return found

    def narrow_corrections(self, t: np.ndarray, dtype: Any) -> dict[str, np.ndarray]:
        """The same as a computation in the dtype has them."""
        found = {}
        for name, beta in self.corrected.items():
            value = beta(t - 1) if callable(beta) else beta
            power_dtype = np.dtype(dtype if self.power_in == "variable" else self.power_in)
            wide = np.result_type(power_dtype, np.float64 if self.power_in == "float64" else power_dtype)
            power = np.asarray(value).astype(wide) ** t.astype(wide)
            found[name] = (1 - power).astype(dtype)
        return found

    @property
    def corrected(self) -> dict[str, Any]:
        """β by the name of its correction 1 − β^t, of those that the formula takes."""
        names = sorted(name for name in asked(self.compute) if name.startswith("correction"))
        return {name: self.settings[name.replace("correction", "beta")] for name in names}

    def otherwise_rounded(self, dtype: Any) -> list[tuple[tuple[str, ...], Self]]:
        """The same formula as others may round what its source does not prescribe, each with what is rounded so.

        In float32: β^t, by a power, a running product or exp(t·ln β); 1 − β. In float64: those in float32, and all
        settings. One of them first, then several.
        """
        narrow = np.dtype(dtype) == np.float32
        place = "variable" if narrow else "float32"
        changes: dict[str, dict[str, Any]] = {}
        if self.corrected:
            changes["β^t computed in float32"] = dict(power_in=place, running=True)
        if narrow and set(AVERAGED) & self.settings.keys():
            other = "float64" if self.complement_in == "variable" else "variable"
            changes[f"1 − β subtracted in {'float32' if other == 'variable' else other}"] = dict(complement_in=other)
        if not narrow:
            rounded = {n: float(np.float32(v)) if isinstance(v, float) else v for n, v in self.settings.items()}
            changes["constants rounded to float32"] = dict(settings=rounded)
        return [
            (words, replace(self, **{name: value for one in words for name, value in changes[one].items()}))
            for count in range(1, len(changes) + 1)
            for words in combinations(changes, count)
        ]

    def values(
        self,
        t: Any,
        g: Any,
        slots: Mapping[str, Any],
        precision: Precision,
        found: Mapping[str, Any] | None = None,
        x: Any = None,
        beside: Mapping[str, Any] | None = None,
    ) -> dict[str, Rounded]:
        """All values of step t from these slots, in the order of their computation, and what each may be off.

        g, slots: arrays of the narrow dtype, or `Rounded`. A gradient below the smallest normal number may be taken
                  for 0.
        found:    what an implementation shows. Its bias corrections are judged by themselves, and what is computed
                  from them given them, because 1 − β^t loses digits for small t in every implementation; so is what a
                  formula takes by the name of one of its own values, such as Adadelta's dx, because a square doubles
                  every error.
        x:        parameters.
        beside:   what else it takes by name, of a chain.
        """
        takes, corrections = asked(self.compute), self.corrections(t, precision)
        shown = (takes & (found or {}).keys()) - {"t", "x", *(beside or {})}
        given = {name: precision.exact(found[name]) for name in shown} if found else {}
        if not isinstance(g, Rounded):
            lost = np.where(np.abs(g) < precision.tiny, np.abs(precision.wide(g)), 0)
            g = Rounded(precision.wide(g), lost, precision)
        slots = {name: slot if isinstance(slot, Rounded) else precision.exact(slot) for name, slot in slots.items()}
        place = {"t": precision.wide(t), "x": x if isinstance(x, Rounded) or x is None else precision.exact(x)}
        place = {name: value for name, value in {**place, **(beside or {})}.items() if name in takes}
        return self.compute(g, slots, **self._numbers(precision, t), **place, **{**corrections, **given}) | corrections

    def terms(
        self,
        t: Any,
        g: np.ndarray,
        slots: Mapping[str, np.ndarray],
        precision: Precision,
        values: Any = None,
        x: Any = None,
    ) -> dict[str, np.ndarray]:
        """Σ|terms| of all values of step t."""
        wide, takes = precision.wide, asked(self.compute)
        corrections = {name: bound.value for name, bound in self.corrections(t, precision).items()}
        place = {"t": wide(t), "x": None if x is None else magnitudes(wide(x))}
        place = {name: value for name, value in place.items() if name in takes}
        of = {name: magnitudes(wide(slot)) for name, slot in slots.items()}
        terms = self.compute(magnitudes(wide(g)), of, **self._numbers(precision, t), **place, **corrections)
        return {name: np.asarray(value) for name, value in terms.items()} | {n: 2 - c for n, c in corrections.items()}

    def at(self, t: np.ndarray, dtype: Any) -> dict[str, Any]:
        """The settings that the formula takes, at steps t, as a computation in the dtype has them."""
        precision = Precision.of(dtype)
        narrow = {
            name: value if isinstance(value, float | bool) else np.asarray(value).astype(dtype)
            for name, value in self._numbers(precision, t, widely=float).items()
        }
        if self.complement_in == "variable":
            narrow |= {name: np.dtype(dtype).type(narrow[name]) for name in AVERAGED if name in narrow}
        return narrow

    def _numbers(self, precision: Precision, t: Any, widely: Callable[[Any], Any] | None = None) -> dict[str, Any]:
        """The settings that the formula takes, at step t, wide.

        β and ρ take the narrow dtype first where 1 − β is subtracted there, and so does the value of a schedule.
        """
        narrow = AVERAGED if self.complement_in == "variable" else ()
        found = {}
        for name in asked(self.compute) & self.settings.keys():
            value = self.settings[name]
            if callable(value):
                value = np.asarray(value(precision.wide(t) - 1)).astype(precision.dtype)
                found[name] = precision.wide(value)
            elif isinstance(value, bool):
                found[name] = value
            else:
                number = precision.dtype(value) if name in narrow else value
                found[name] = (widely or precision.wide)(number)
        return found
