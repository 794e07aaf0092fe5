"""The first divergence: the pairs of libraries that are known to part, ours and their own, and why."""

from dataclasses import dataclass

import numpy as np
import pytest

from core import RULES, Adam, InputError
from core.verification import REFERENCES, OfFunction, OfRule, Streams, diverge, named, synthetic

STREAMS = {dtype: synthetic(dtype, 60) for dtype in ("float32", "float64")}
INSIDE = "ε inside the root instead of outside"
HAT, NO_HAT = "ε̂ for ε: added to √v, before the bias correction", "ε for ε̂: added to √v̂, after the bias correction"

PAIRS = [
    ("adam:keras", "adam:torch", {"epsilon": 1e-7}, 1, "denominator", [HAT]),
    ("adam:torch", "adam:keras", {"epsilon": 1e-7}, 1, "denominator", [NO_HAT]),
    ("adam:keras", "adam:torch", {}, 1, "denominator", ["ε = 1e-07 instead of 1e-08", HAT]),
    ("adagrad:keras", "adagrad:tf1", {"learning_rate": 0.001}, 1, "denominator",
     ["ε = 1e-07 where there is none", INSIDE]),
    ("adagrad:torch", "adagrad:optax", {}, 0, "a", ["slot a starting at 0 instead of 0.1"]),
    ("adagrad:optax", "adagrad:torch", {"initial_accumulator_value": 0.1, "epsilon": 1e-7}, 1, "denominator",
     [INSIDE, "rest at zero: True instead of False"]),
    ("adam:tf1", "adam:keras", {}, 1, "denominator", ["ε = 1e-08 instead of 1e-07"]),
    ("adadelta:keras", "adadelta:paper", {}, 1, "rms_dx",
     ["ε = 1e-07 instead of 1e-06", "learning rate = 0.001 instead of 1"]),
    ("adadelta:torch", "adadelta:paper", {}, 1, "mean_g2", ["ρ = 0.9 instead of 0.95"]),
    ("adadelta:keras", "adadelta:paper", {"epsilon": 1e-6}, 1, "delta", ["learning rate = 0.001 instead of 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "settings", "step", "stage", "causes"), PAIRS)
def test_two_dialects_part_where_and_why_they_are_known_to(a, b, settings, step, stage, causes):
    found = diverge(named(a, settings), named(b, settings), STREAMS["float64"])
    assert (found.step, found.stage, list(found.cause)) == (step, stage, causes)
    assert found.whose == a
    assert found.units > found.bound


def test_one_minus_beta_in_float32_parts_tf1_from_keras():
    found = diverge(*(named(name, {"epsilon": 1e-8}) for name in ("adam:tf1", "adam:keras")), STREAMS["float32"])
    assert (found.step, found.stage) == (1, "m")
    assert found.cause == ("1 − β subtracted in the variable's dtype instead of float64",)


@pytest.mark.parametrize(("a", "b", "dtype", "step", "stage", "cause"), [
    ("keras:adam", "torch:adam", "float32", 1, "denominator", HAT),
    ("torch:adagrad", "optax:adagrad", "float64", 0, "a", "slot a starting at 0 instead of 0.1"),
    ("keras:adagrad", "tf1-session:adagrad", "float32", 1, "denominator", "ε = 1e-07 where there is none"),
    ("torch:adadelta", "tf1-kernel:adadelta", "float32", 1, "mean_g2", "ρ = 0.9 instead of 0.95"),
    ("optax:adam", "torch:adam", "float32", 24, "correction_1",
     "β^t computed in the variable's dtype instead of float64"),
])  # fmt: skip
def test_the_libraries_themselves_part_where_the_dialects_do(a, b, dtype, step, stage, cause):
    """Keras's Adagrad starts at 2⁻²⁰ here: from 0.1 on, float32 does not see where ε stands."""
    settings = {"initial_accumulator_value": 2.0**-20} if "tf1-session" in b else {}
    settings |= {"learning_rate": 0.001} if "adagrad" in a else {}
    found = diverge(*(named(name, settings if step else {}) for name in (a, b)), STREAMS[dtype])
    assert (found.step, found.stage) == (step, stage)
    assert cause in found.cause


@pytest.mark.parametrize(("a", "b", "settings"), [
    ("adam:keras", "keras:adam", {}), ("torch:adadelta", "adadelta:torch", {}), ("adam:torch", "adam:paper", {}),
    ("tf1-kernel:adagrad", "tf1-session:adagrad", {}), ("tf1-session:adam", "tf1-kernel:adam", {}),
    ("adagrad:keras", "tf1-session:adagrad", {"learning_rate": 0.001}),
    ("adagrad:optax", "adagrad:keras", {"learning_rate": 0.001, "initial_accumulator_value": 0.0}),
])  # fmt: skip
def test_what_computes_the_same_does_not_part(a, b, settings):
    """In float32, the last pair among them: 0.1 in the accumulator hides an ε of 1e-7 there."""
    streams = STREAMS["float32"] if settings == {} else Streams(np.full((20, 2), 1.0, np.float32), ("one", "one"), 0)
    assert diverge(*(named(name, settings) for name in (a, b)), streams) is None


@dataclass(frozen=True)
class Tenfold(Adam):
    """An error that no list knows."""

    def update(self, g, slots, x, at):
        step = super().update(g, slots, x, at)
        return step._replace(delta=step.delta * np.where(g > 1, 1.5, 1.0).astype(g.dtype))


def test_an_error_that_nobody_foresaw_is_located_and_no_cause_is_made_up():
    for pair in (
        (OfRule("mine", Tenfold()), named("adam:paper", {})),
        (named("adam:paper", {}), OfRule("mine", Tenfold())),
    ):
        found = diverge(*pair, STREAMS["float64"])
        assert (found.step, found.stage, found.cause, found.whose) == (1, "delta", (), "mine")
        assert abs(found.gradient) > 1
        ratio = found.found / found.expected
        assert ratio == pytest.approx(1.5 if pair[0].name == "mine" else 1 / 1.5)


def test_the_error_of_a_function_is_named():
    """1 − β1^t left out, in four lines of NumPy that show no stage."""

    def update(g, slots, t, x):
        m = 0.9 * slots["m"] + 0.1 * g
        v = 0.999 * slots["v"] + (1 - 0.999) * g * g
        return (1e-3 * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)).astype(g.dtype), {"m": m, "v": v}

    found = diverge(OfFunction(update, {"m": 0.0, "v": 0.0}), named("torch:adam", {}), STREAMS["float64"])
    assert (found.value, found.stage, found.cause) == ("delta", "m_hat", ("no correction_1",))


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        (
            "nosuch:keras",
            {},
            f"There is no 'nosuch:keras'; give rule:dialect or library:rule, from {', '.join(RULES)}",
        ),
        ("adam:caffe", {}, "adam has no dialect 'caffe'; it has: paper, tf1, keras, torch, optax."),
        (
            "keras:nosuch",
            {},
            f"'keras:nosuch' must name a rule of keras: {', '.join(filter(REFERENCES['keras'].has, RULES))}.",
        ),
        ("adam:keras", {"rho": 0.9}, "has no setting 'rho'"),
        ("adam:keras", {"epsilon": -1.0}, "Adam: epsilon must lie in (0, ∞), found -1."),
    ],
)
def test_a_name_or_setting_that_is_not_there_is_refused(name, settings, sentence):
    with pytest.raises(InputError) as error:
        named(name, settings)
    assert sentence in str(error.value)


def test_two_unknown_ones_and_other_numbers_of_slots_are_refused():
    mine = OfRule("mine", Adam())
    with pytest.raises(InputError, match="One of mine and mine must be known here"):
        diverge(mine, mine, STREAMS["float64"])
    with pytest.raises(InputError, match="must be one rule, found adam and adagrad"):
        diverge(named("adam:keras", {}), named("adagrad:keras", {}), STREAMS["float64"])
    with pytest.raises(InputError, match="which keeps a; found m, v"):
        diverge(mine, named("adagrad:paper", {}), STREAMS["float64"])
