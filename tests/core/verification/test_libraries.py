"""The libraries themselves: what they default to, what they show, and that the comparison with them can fail.

That every dialect agrees with its libraries is the certificate's business: see test_certificate.py.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import optax
import pytest
import tensorflow as tf
import torch

from core import RULES, InputError
from core.verification import CARDS, REFERENCES, OfLibrary, synthetic
from core.verification.judge import judge
from core.verification.known import known
from core.verification.layout import Layout
from core.verification.trajectory import numpy_trajectory
from tests.cases import CASES

OF_EACH = [(library, name) for library, kind in REFERENCES.items() for name in filter(kind.has, RULES)]
LONG = np.longdouble


def follow(library, name, settings, trajectory):
    return OfLibrary(library, REFERENCES[library], name, settings).follow(trajectory)


@pytest.mark.parametrize(("library", "name"), OF_EACH)
def test_a_step_from_a_given_state_is_a_step_of_the_library_s_own_run(library, name):
    """Would catch state that is not set: a step counter, a slot, θ; slots read under another's name or not moved."""
    streams = synthetic("float32", 10)
    own = OfLibrary(library, REFERENCES[library], name, {})
    run = own.run(streams)
    assert set(run.after) - {"delta", "x"} == set(own.known.formula.slots)
    assert all(np.any(value[-1] != value[0]) for value in run.after.values())
    picked = np.array([7, 0, 9, 3])
    again = own.follow(run.steps(picked))
    for value, array in again.items():
        np.testing.assert_array_equal(array, run.after[value][picked])


@pytest.mark.parametrize(("name", "dialect"), [
    ("adam", "paper"), ("adam", "tf1"), ("adam", "torch"), ("adagrad", "torch"), ("adagrad", "paper"),
    ("adadelta", "tf1"), ("adadelta", "paper"),
])  # fmt: skip
def test_another_dialect_does_not_agree_with_keras(name, dialect):
    """The comparison itself can fail: every other form or ε, at Keras's rate, is seen."""
    trajectory = numpy_trajectory(known(name, dialect, {"learning_rate": 1e-3}).rule, synthetic("float32", 20))
    settings = {"initial_accumulator_value": 0.0} if name == "adagrad" else {}
    theirs = follow("keras", name, settings, trajectory)
    assert not judge(known(name, "keras", settings).formula, trajectory, theirs).agrees


def test_a_complement_in_float64_does_not_agree_with_tensorflow_s_kernel():
    """float32's 1 − 0.999 is 13 parts in a million off, and Keras's is not: v parts by 100 units."""
    trajectory = numpy_trajectory(CASES["adam", "keras"].rule, synthetic("float32", 5))
    theirs = follow("tf1-kernel", "adam", {"epsilon": 1e-7}, trajectory)
    assert judge(known("adam", "tf1", {"epsilon": 1e-7}).formula, trajectory, theirs).units["v"] > 100


@pytest.mark.parametrize(("dialect", "library"), [("keras", "keras"), ("tf1", "tf1-kernel")])
def test_averages_in_increments_are_nearer_to_the_library_than_weighted_ones(dialect, library):
    """Roundings alone tell the two forms apart here; how near either comes depends on the processor."""
    case, streams, units = CASES["adam", dialect], synthetic("float32", 100), {}
    for incremental in ("both", "neither"):
        trajectory = numpy_trajectory(replace(case.rule, incremental=incremental), streams)
        units[incremental] = judge(case.formula, trajectory, follow(library, "adam", {}, trajectory)).units
    assert case.rule.incremental == "both"
    assert units["both"]["m"] < units["neither"]["m"]
    assert units["both"]["v"] < units["neither"]["v"]


def test_tf1_s_running_product_stays_by_our_power():
    """TF1 multiplies β^t up in float32, half a unit a step; our power starts from the same rounded β.

    So β^t differs by at most t/2 units, and by the few that pow itself errs by: 4 are allowed.
    """
    for beta in (np.float32(0.9), np.float32(0.999)):
        product = np.float32(1)
        for t in range(1, 801):
            product = np.float32(product * beta)
            power = (tf.constant(beta) ** tf.constant(t, tf.float32)).numpy()
            assert abs(LONG(power) - LONG(product)) <= (t / 2 + 4) * np.finfo(np.float32).eps * LONG(power)


def defaults(function: Callable, names: Mapping[str, str]) -> dict[str, Any]:
    """What a library's own function has if nothing is given, by our names."""
    found = {name: one.default for name, one in inspect.signature(function).parameters.items()}
    if "betas" in found:
        found |= dict(zip(("beta_1", "beta_2"), found["betas"], strict=True))
    return {**found, **{ours: found[theirs] for ours, theirs in names.items() if theirs in found}}


LIBRARIES = {
    "keras": lambda name: getattr(keras.optimizers, name).__init__,
    "tf1-session": lambda name: getattr(tf.compat.v1.train, f"{name}Optimizer").__init__,
    "torch": lambda name: getattr(torch.optim, name).__init__,
    "optax": lambda name: getattr(optax, name),
}
"""Those whose optimizers have defaults; a kernel has none."""
WITH_DEFAULTS = [(library, name) for library, name in OF_EACH if library in LIBRARIES]


@pytest.mark.parametrize(("library", "name"), WITH_DEFAULTS)
def test_dialects_and_formulas_have_the_defaults_of_the_installed_libraries(library, name):
    """Would catch a library that changes a default, and a default typed wrongly in either place.

    A setting without which it is another rule has to differ from the library's own, which is that other rule's.
    """
    kind, spelling = REFERENCES[library], CARDS[name].libraries[library]
    case = CASES[name, kind.dialect]
    found = defaults(LIBRARIES[library](spelling.name), {**kind.settings, **spelling.settings})
    for setting in case.formula.settings.keys() & found.keys() - set(spelling.needs):
        if found[setting] not in (None, inspect.Parameter.empty):
            assert getattr(case.rule, setting) == found[setting], setting
            assert case.formula.settings[setting] == found[setting], setting
    own_rate = found["learning_rate"] not in (None, inspect.Parameter.empty)
    assert own_rate == kind.has_rate(name)


@pytest.mark.parametrize(("library", "name"), WITH_DEFAULTS)
def test_the_call_that_is_printed_makes_the_optimizer_with_these_settings(library, name):
    """The text is run, and what it makes asked what it was made with; would catch a setting under another's name."""
    kind = REFERENCES[library]
    revealing = reversed(CARDS[name].revealed(kind.dialect))
    settings = {n: value for one in revealing for n, value in one.items() if type(value) is float}
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    made = eval(kind.call(name, settings), dict(keras=keras, tf=tf, torch=torch, optax=optax, parameters=parameters))
    if library in ("keras", "torch"):  # the others' optimizers do not say
        assert kind.rule_of(made) == name
        assert {n: kind.settings_of(made)[n] for n in settings} == pytest.approx(settings, rel=1e-7)


def test_a_library_s_refusal_ends_in_its_own_words():
    with pytest.raises(InputError, match=r"Torch for adam cannot be built: Invalid epsilon value: -1"):
        REFERENCES["torch"]("adam", {"epsilon": -1}, "float32", Layout.flat(3))
