"""The one table of cases that drives the tests of the rules, and how an error is measured.

Settings are typed here from the papers and the libraries' signatures, not read from core.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from core import RULES, Rule
from tests import transcriptions

LONG = np.longdouble


class Case(NamedTuple):
    """A rule in a dialect, the formula that it must compute, and that formula's settings.

    rounded:  β or ρ take the variable's dtype before 1 − β is subtracted.
    powers_rounded: β takes the variable's dtype before β^t is computed.
    """

    rule: Rule
    formula: Callable[..., dict[str, Any]]
    settings: Mapping[str, float]
    rounded: bool = False
    powers_rounded: bool = False


def _case(name: str, dialect: str, formula: Callable, learning_rate: float | None = None, **rest: Any) -> Case:
    flags = {key: rest.pop(key) for key in ("rounded", "powers_rounded") if key in rest}
    given = {} if learning_rate is None else {"learning_rate": learning_rate}
    return Case(RULES[name].dialect(dialect, **given), formula, rest, **flags)


_adam = dict(alpha=1e-3, beta_1=0.9, beta_2=0.999)

CASES = {
    (name, dialect): _case(name, dialect, formula, **settings)
    for name, dialect, formula, settings in [
        ("adam", "paper", transcriptions.adam_algorithm_1, dict(_adam, epsilon=1e-8)),
        ("adam", "tf1", transcriptions.adam_epsilon_hat, dict(_adam, epsilon=1e-8, rounded=True, powers_rounded=True)),
        ("adam", "keras", transcriptions.adam_epsilon_hat, dict(_adam, epsilon=1e-7, powers_rounded=True)),
        ("adam", "torch", transcriptions.adam_algorithm_1, dict(_adam, epsilon=1e-8)),
        ("adam", "optax", transcriptions.adam_algorithm_1,
         dict(_adam, learning_rate=1e-3, epsilon=1e-8, powers_rounded=True)),
        ("adagrad", "paper", transcriptions.adagrad_outside_root, dict(learning_rate=0.01, eta=0.01, epsilon=1e-10)),
        ("adagrad", "tf1", transcriptions.adagrad_outside_root, dict(learning_rate=0.01, eta=0.01, epsilon=0.0)),
        ("adagrad", "keras", transcriptions.adagrad_inside_root, dict(eta=1e-3, epsilon=1e-7)),
        ("adagrad", "torch", transcriptions.adagrad_outside_root, dict(eta=1e-2, epsilon=1e-10)),
        ("adagrad", "optax", transcriptions.adagrad_inside_root, dict(learning_rate=0.01, eta=0.01, epsilon=1e-7)),
        ("adadelta", "paper", transcriptions.adadelta, dict(alpha=1.0, rho=0.95, epsilon=1e-6)),
        ("adadelta", "tf1", transcriptions.adadelta, dict(alpha=1e-3, rho=0.95, epsilon=1e-8, rounded=True)),
        ("adadelta", "keras", transcriptions.adadelta, dict(alpha=1e-3, rho=0.95, epsilon=1e-7)),
        ("adadelta", "torch", transcriptions.adadelta, dict(alpha=1.0, rho=0.9, epsilon=1e-6)),
        ("adadelta", "optax", transcriptions.adadelta, dict(learning_rate=1.0, alpha=1.0, rho=0.9, epsilon=1e-6)),
    ]
}  # fmt: skip

FIRST_ACCUMULATORS = {"paper": 0.0, "tf1": 0.1, "keras": 0.1, "torch": 0.0, "optax": 0.1}
"""Adagrad's, by dialect; every other slot starts at 0."""

BOUND = 4.0
"""Units of ε_machine·Σ|terms| that one step may err by, from the same state.

Half a unit for every rounded operation and every rounded constant: that makes at most 2.5 for a running average of
g or g² and for a denominator (a root halves the error of what it is given), and up to 7 for an update or an average
of squared updates, were all roundings to fall to one side. They do not: the largest error seen over all cases,
dtypes and executions here is 3.7.
"""


def gradient_stream(steps: int, dtype: Any = np.float64, seed: int = 0) -> np.ndarray:
    """Gradients [steps, 48] that show a wrong formula: 1e-8 to 10 in size, exact zeros, constants, flipping signs.

    Small ones show where ε stands, constants and flips show the moments and their corrections, zeros a division.
    """
    random = np.random.default_rng(seed)
    sizes = np.logspace(-8, 1, 16)
    steady = sizes * random.standard_normal((steps, 16))
    mixed = 10 ** random.uniform(-8, 1, (steps, 16)) * random.choice([-1, 1], (steps, 16))
    constant = np.tile(sizes[::2], (steps, 1))
    flipping = constant * np.where(np.arange(steps) % 2, -1, 1)[:, np.newaxis]
    stream = np.concatenate([steady, mixed, constant, flipping], axis=1)
    stream[:, 16:32][random.random((steps, 16)) < 0.1] = 0.0
    stream[:, 0] = 0.0
    return stream.astype(dtype)


def errors_in_units(
    case: Case, dtype: Any, g: np.ndarray, slots: Mapping[str, np.ndarray], t: int, found: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """How far each value of one step is from the formula in long double, in units of ε_machine·Σ|terms|.

    slots: those before the step. found: the update ("delta"), the slots after it, and the stages.

    A bias correction 1 − β^t is judged by its own terms, 1 and β^t; everything after it is judged given the
    correction that was found, because 1 − β^t loses digits for small t in every implementation. Below the smallest
    normal number the unit is that number, since TensorFlow flushes denormals to 0.
    """

    def rounded(name: str, value: float, wanted: bool) -> Any:
        return LONG(dtype(value)) if wanted and name in ("beta_1", "beta_2", "rho") else LONG(value)

    settings = {name: rounded(name, value, case.rounded) for name, value in case.settings.items()}
    corrections = [name for name in ("correction_1", "correction_2") if name in found]
    if corrections:
        settings["corrections"] = tuple(LONG(found[name]) for name in corrections)
    expected = case.formula(LONG(g), {name: LONG(slot) for name, slot in slots.items()}, LONG(t), **settings)
    terms = case.formula(np.abs(LONG(g)), {name: np.abs(LONG(s)) for name, s in slots.items()}, LONG(t), **settings)
    for name, beta in zip(corrections, ("beta_1", "beta_2"), strict=False):
        power = rounded(beta, case.settings[beta], case.powers_rounded) ** LONG(t)
        expected[name], terms[name] = 1 - power, 1 + power
    limits = np.finfo(dtype)
    assert found.keys() == expected.keys(), "a rule's slots and stages are the formula's"
    return {
        name: np.abs(LONG(found[name]) - expected[name]) / np.maximum(LONG(limits.eps) * terms[name], limits.tiny)
        for name in expected
    }


def worst_errors(case: Case, dtype: Any, stream: np.ndarray, trajectory: list[Mapping[str, Any]]) -> dict[str, float]:
    """The largest error of each value over a trajectory of steps on a stream; NaN where anything is not a number.

    trajectory: first the slots before any step, then for each step what `errors_in_units` takes as found. Each step
    is judged from the slots that were found before it.
    """
    names = trajectory[0].keys()
    errors = [
        errors_in_units(case, dtype, g, {name: before[name] for name in names}, t, found)
        for t, (g, before, found) in enumerate(zip(stream, trajectory, trajectory[1:], strict=False), start=1)
    ]
    return {name: float(np.max([np.max(error[name]) for error in errors])) for name in errors[0]}


def numpy_trajectory(rule: Rule, dtype: Any, stream: np.ndarray) -> list[dict[str, Any]]:
    """The rule itself on NumPy arrays of `dtype` along a stream, as `worst_errors` reads it."""
    x = np.zeros(stream.shape[1], dtype)
    slots = rule.slots(x)
    trajectory = [slots._asdict()]
    wide = np.result_type(dtype, np.float64).type
    for t, g in enumerate(stream.astype(dtype), start=1):
        step = rule.update(g, slots, wide(t), x)
        slots = step.slots
        trajectory.append({"delta": step.delta, **slots._asdict(), **step.stages})
    return trajectory
