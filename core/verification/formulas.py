"""The formulas of the papers and libraries, written out once more from their sources, and the libraries' defaults.

Nothing here comes from core's rules, so that an error there is not repeated here. A formula is written for NumPy
arrays; on arrays of a wide dtype it computes what should come out, on `Rounded` numbers how far a narrower dtype may be
off as well, and on magnitudes Σ|terms|, the scale of rounding errors, since all its terms have positive coefficients.
It returns all its values by name in the order in which they are computed; slots and stages have the rules' names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np

from ..errors import InputError
from .rounded import Precision, Rounded, either


def _average(old, new, beta):
    """β·old + (1 − β)·new; TF1, Keras and (for m) PyTorch compute it in increments."""
    weight = 1 - beta
    return either((old, new), lambda a, b: beta * a + weight * b, lambda a, b: a + (b - a) * weight)


def adam_algorithm_1(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Kingma & Ba 2015, Algorithm 1; torch/optim/adam.py; Optax's scale_by_adam with eps_root = 0."""
    m = _average(slots["m"], g, beta_1)
    v = _average(slots["v"], g**2, beta_2)
    m_hat = m / correction_1
    v_hat = v / correction_2
    root = either((v, correction_2), lambda v, c: np.sqrt(v / c), lambda v, c: np.sqrt(v) / np.sqrt(c))
    denominator = root + epsilon
    delta = either(
        (m, correction_1, denominator),
        lambda m, c, root: m / c * learning_rate / root,
        lambda m, c, root: m * (learning_rate / c) / root,
    )
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    return dict(m=m, v=v, **corrections, m_hat=m_hat, v_hat=v_hat, denominator=denominator, delta=delta)


def adam_epsilon_hat(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """Kingma & Ba 2015, end of section 2; ApplyAdam in TensorFlow's training_ops.cc; keras/src/optimizers/adam.py."""
    m = _average(slots["m"], g, beta_1)
    v = _average(slots["v"], g**2, beta_2)
    alpha_t = np.sqrt(correction_2) * learning_rate / correction_1
    root = np.sqrt(v) + epsilon
    denominator = root / np.sqrt(correction_2)  # of m̂, as in Algorithm 1
    corrections = dict(correction_1=correction_1, correction_2=correction_2)
    hats = dict(m_hat=m / correction_1, v_hat=v / correction_2)
    return dict(m=m, v=v, **corrections, **hats, denominator=denominator, delta=m * alpha_t / root)


def adagrad_outside_root(g, slots, *, learning_rate, epsilon):
    """Duchi, Hazan & Singer 2011, Figure 1; torch/optim/adagrad.py; ApplyAdagrad in training_ops.cc with ε = 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a) + epsilon
    return dict(a=a, denominator=root, delta=g * learning_rate / root)


def adagrad_inside_root(g, slots, *, learning_rate, epsilon):
    """keras/src/optimizers/adagrad.py; Optax's scale_by_rss wherever the accumulator is not 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a + epsilon)
    delta = either((g, root), lambda g, root: g * learning_rate / root, lambda g, root: g * (1 / root) * learning_rate)
    return dict(a=a, denominator=root, delta=delta)


def adadelta(g, slots, *, learning_rate, rho, epsilon, dx=None):
    """Zeiler 2012, Algorithm 1 (α = 1); ApplyAdadelta in training_ops.cc; Keras, PyTorch and Optax the same."""
    mean_g2 = _average(slots["mean_g2"], g**2, rho)
    rms_dx = np.sqrt(slots["mean_dx2"] + epsilon)
    rms_g = np.sqrt(mean_g2 + epsilon)
    computed = either((rms_dx, rms_g), lambda over, under: over / under * g, lambda over, under: over * (1 / under) * g)
    mean_dx2 = _average(slots["mean_dx2"], (computed if dx is None else dx) ** 2, rho)
    delta = computed * learning_rate
    return dict(mean_g2=mean_g2, rms_dx=rms_dx, rms_g=rms_g, dx=computed, mean_dx2=mean_dx2, delta=delta)


def sgd(g, slots, *, learning_rate):
    """Robbins & Monro 1951; ApplyGradientDescent in training_ops.cc; Keras, PyTorch and Optax without momentum."""
    return dict(delta=g * learning_rate)


@dataclass(frozen=True)
class Formula:
    """One source's formula with its settings.

    compute:   one of the functions above.
    settings:  by the names of the rules' fields; for a library that asks for a learning rate, one is chosen here.
    slots:     the names of the slots.
    complement_in, power_in: the dtype in which the source subtracts 1 − β, and raises β to the power t: "variable",
               "float64" (Python's numbers, too) or, for powers, "float32".
    running:   the powers β^t are running products, which err by half a unit a step.
    absent:    settings that the source lacks, though the formula has a place for them: TF1's Adagrad has no ε.

    The learning rate may be a schedule, a function of the number of steps taken before.
    """

    estimated: ClassVar = False
    """Its bounds are derived."""

    compute: Callable[..., dict[str, Any]]
    settings: Mapping[str, Any]
    slots: tuple[str, ...]
    complement_in: str = "float64"
    power_in: str = "float64"
    running: bool = False
    absent: tuple[str, ...] = ()

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
        return {
            name: np.full_like(like, self.settings["initial_accumulator_value"] if name == "a" else 0.0)
            for name in self.slots
        }

    def corrections(self, t: Any, precision: Precision) -> dict[str, Rounded]:
        """1 − β^t for steps t, and how far it may be off.

        A power is exp(t·ln β) or a product of powers: its error grows with |t·ln β|, or by half a unit a step where
        it is a running product. What is subtracted from 1 errs by half a unit more.
        """
        wide, found = precision.wide, {}
        power_dtype = {"variable": precision.dtype, "float64": np.float64, "float32": np.float32}[self.power_in]
        unit = float(np.finfo(power_dtype).eps)
        for name, beta in zip(("correction_1", "correction_2"), ("beta_1", "beta_2"), strict=True):
            if beta not in self.settings:
                continue
            base = wide(power_dtype(self.settings[beta]))
            power = base ** wide(t)
            roundings = 2 + 2 * np.abs(t * np.log(np.maximum(base, precision.tiny))) + (t if self.running else 0)
            error = unit / 2 * (roundings * power + 1 + power) + precision.unit / 2 * (1 - power) + precision.tiny
            found[name] = Rounded(1 - power, error, precision)
        return found

    def otherwise_rounded(self, dtype: Any) -> list[tuple[tuple[str, ...], Self]]:
        """The same formula as others may round what its source does not prescribe, each with what is rounded so.

        In float32: β^t, by a power, a running product or exp(t·ln β); 1 − β. In float64: those in float32, and all
        settings. One of them first, then several.
        """
        narrow = np.dtype(dtype) == np.float32
        place = "variable" if narrow else "float32"
        changes: dict[str, dict[str, Any]] = {}
        if "beta_1" in self.settings:
            changes["β^t computed in float32"] = dict(power_in=place, running=True)
        if narrow and {"beta_1", "rho"} & self.settings.keys():
            other = "float64" if self.complement_in == "variable" else "variable"
            changes[f"1 − β subtracted in {'float32' if other == 'variable' else other}"] = dict(complement_in=other)
        if not narrow:
            rounded = {n: v if callable(v) else float(np.float32(v)) for n, v in self.settings.items()}
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
    ) -> dict[str, Rounded]:
        """All values of step t from these slots, in the order of their computation, and what each may be off.

        g, slots: arrays of the narrow dtype, or `Rounded`. A gradient below the smallest normal number may be taken
                  for 0.
        found:    what an implementation shows. Its bias corrections are judged by themselves, and what is computed
                  from them given them, because 1 − β^t loses digits for small t in every implementation; so is the
                  average of Δx² given Δx, because a square doubles every error.
        x:        parameters, which no formula here reads.
        """
        corrections = self.corrections(t, precision)
        given = {name: precision.exact(found[name]) for name in (*corrections, "dx") if found and name in found}
        if not isinstance(g, Rounded):
            lost = np.where(np.abs(g) < precision.tiny, np.abs(precision.wide(g)), 0)
            g = Rounded(precision.wide(g), lost, precision)
        slots = {name: slot if isinstance(slot, Rounded) else precision.exact(slot) for name, slot in slots.items()}
        return self.compute(g, slots, **self._settings(precision, t), **{**corrections, **given}) | corrections

    def terms(
        self, t: Any, g: np.ndarray, slots: Mapping[str, np.ndarray], precision: Precision, values: Any = None
    ) -> dict[str, np.ndarray]:
        """Σ|terms| of all values of step t."""
        corrections = {name: bound.value for name, bound in self.corrections(t, precision).items()}
        magnitudes = {name: np.abs(precision.wide(slot)) for name, slot in slots.items()}
        terms = self.compute(np.abs(precision.wide(g)), magnitudes, **self._settings(precision, t), **corrections)
        return terms | {name: 2 - correction for name, correction in corrections.items()}

    def _settings(self, precision: Precision, t: Any) -> dict[str, Any]:
        """The settings at step t, wide; β and ρ take the narrow dtype first where 1 − β is subtracted there."""
        narrow = ("beta_1", "beta_2", "rho") if self.complement_in == "variable" else ()
        found = {}
        for name, value in self.settings.items():
            if name == "initial_accumulator_value":
                continue
            number = value(precision.wide(t) - 1) if callable(value) else value
            found[name] = precision.wide(precision.dtype(number) if name in narrow else number)
        return found


def _adam(compute: Callable, epsilon: float = 1e-8, **precisions: Any) -> Formula:
    settings = dict(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=epsilon)
    return Formula(compute, settings, ("m", "v"), **precisions)


def _adagrad(compute: Callable, learning_rate: float, first: float, epsilon: float | None) -> Formula:
    settings = dict(learning_rate=learning_rate, initial_accumulator_value=first, epsilon=epsilon or 0.0)
    return Formula(compute, settings, ("a",), absent=() if epsilon else ("epsilon",))


def _adadelta(learning_rate: float, rho: float, epsilon: float, complement_in: str = "float64") -> Formula:
    settings = dict(learning_rate=learning_rate, rho=rho, epsilon=epsilon)
    return Formula(adadelta, settings, ("mean_g2", "mean_dx2"), complement_in)


def _sgd(learning_rate: float) -> Formula:
    return Formula(sgd, dict(learning_rate=learning_rate), ())


FORMULAS: Mapping[str, Mapping[str, Formula]] = {
    "adam": {
        "paper": _adam(adam_algorithm_1),
        "tf1": _adam(adam_epsilon_hat, complement_in="variable", power_in="variable", running=True),
        "keras": _adam(adam_epsilon_hat, epsilon=1e-7, power_in="variable"),
        "torch": _adam(adam_algorithm_1),
        "optax": _adam(adam_algorithm_1, power_in="variable"),
    },
    "adagrad": {
        "paper": _adagrad(adagrad_outside_root, learning_rate=0.01, first=0.0, epsilon=1e-10),
        "tf1": _adagrad(adagrad_outside_root, learning_rate=0.01, first=0.1, epsilon=None),
        "keras": _adagrad(adagrad_inside_root, learning_rate=1e-3, first=0.1, epsilon=1e-7),
        "torch": _adagrad(adagrad_outside_root, learning_rate=1e-2, first=0.0, epsilon=1e-10),
        "optax": _adagrad(adagrad_inside_root, learning_rate=0.01, first=0.1, epsilon=1e-7),
    },
    "adadelta": {
        "paper": _adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-6),
        "tf1": _adadelta(learning_rate=1e-3, rho=0.95, epsilon=1e-8, complement_in="variable"),
        "keras": _adadelta(learning_rate=1e-3, rho=0.95, epsilon=1e-7),
        "torch": _adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-6),
        "optax": _adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-6),
    },
    "sgd": {
        "paper": _sgd(learning_rate=0.01),
        "tf1": _sgd(learning_rate=0.01),
        "keras": _sgd(learning_rate=0.01),
        "torch": _sgd(learning_rate=1e-3),
        "optax": _sgd(learning_rate=0.01),
    },
}
"""By rule and dialect. Where the library asks its user for a learning rate, the one here is only a choice."""
