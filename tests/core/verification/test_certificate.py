"""The certificate's verdicts, each of them reached; and a user's own rule, right and wrong.

The whole matrix is `make verify`; a stated part of it runs in tests/training/views/certificate/test_commands.py.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from core import RULES, Adagrad, Adam, InputError, Rule, Step
from core.engine import optimizer as optimizer_module
from core.rules import Decay, Positive, Rate
from core.verification import EXECUTIONS, FORMULAS, REFERENCES, Claim, OfRule, Streams, claim, matrix, synthetic, verify
from core.verification.libraries import Torch
from core.xp import Array, cast_like, sqrt, where, zeros_like
from tests.cases import DTYPES

STREAMS = {dtype: synthetic(dtype, 60) for dtype in DTYPES}


def quick(subject, reference, **options):
    """One execution, 60 steps."""
    return verify(subject, reference, **{"executions": ["graph"], "streams": STREAMS.get, **options})


def test_the_matrix_is_every_rule_in_every_dialect_against_the_paper_and_its_libraries():
    claims = [one for one in matrix() if isinstance(one, Claim)]
    assert [(one.name, one.dialect) for one in claims] == [(rule, d) for rule in RULES for d in FORMULAS[rule]]
    for one in claims:
        libraries = {n for n, kind in REFERENCES.items() if kind.dialect == one.dialect and kind.has(one.name)}
        assert set(one.references) == {"paper"} | libraries
    assert {name for one in claims for name in one.references} == {"paper", *REFERENCES}
    assert [one.dialect for one in matrix(["adam"], references=["keras"])] == ["keras"]


EVERY = [(rule, dialect) for rule in RULES for dialect in FORMULAS[rule]]
PLACES = {key: [*RULES].index(key[0]) + [*FORMULAS[key[0]]].index(key[1]) for key in EVERY}


@pytest.mark.parametrize(
    ("name", "dialect"),
    [pytest.param(*key, marks=[pytest.mark.whole] if place % 2 else []) for key, place in PLACES.items()],
)
def test_a_dialect_is_certified_by_all_its_references_and_every_planted_error_would_be_seen(name, dialect):
    """In NumPy, as errors are planted: what a comparison sees does not depend on the execution; in one dtype each.

    Every other dialect of a rule; the others are left to `pytest -m whole` and `make verify`. Every rule in every
    dialect and execution is held to its formula in tests/core/test_program.py."""
    (one,) = [claim for claim in matrix([name], [dialect]) if isinstance(claim, Claim)]
    in_numpy = replace(one, subject=lambda settings: OfRule(name, one.subject(settings)))
    rows = [*in_numpy.rows(STREAMS[DTYPES[PLACES[name, dialect] // 2 % 2]])]
    assert [(row.reference, row.verdict, row.missed) for row in rows] == [
        (reference, "certified", ()) for reference in one.references
    ], rows
    assert all(row.planted >= 8 and row.drift is not None for row in rows)


def test_every_execution_is_certified_against_formula_and_library():
    """Of one rule, in Keras's dialect."""
    rows = [row for one in matrix(["adagrad"], ["keras"]) for row in one.rows(STREAMS["float32"].first(30))]
    assert [(row.reference, row.execution) for row in rows] == [(r, e) for r in ("paper", "keras") for e in EXECUTIONS]
    for row in rows:
        assert row.verdict == "certified", row
        assert (row.steps, row.coverage.asked) == (30, None if row.reference == "paper" else 30)


def test_a_stream_that_shows_nothing_certifies_nothing():
    """Gradients of 1 in 30 steps: the rule is right, but an error that changes nothing there would look the same."""
    streams = Streams(np.ones((30, 2), np.float32), ("one", "one"), 0)
    rows = list(matrix(["adagrad"], ["keras"], ["keras"])[0].rows(streams, ["graph"]))
    assert [row.verdict for row in rows] == ["blind"]
    assert rows[0].first is None
    assert "|g| for its square" in rows[0].missed


class Elsewhere(Torch):
    """A reference whose package nobody has."""

    package = "a_library_that_is_not_installed"


def test_a_reference_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(REFERENCES, "torch", Elsewhere)
    rows = list(matrix(["adam"], ["torch"])[0].rows(STREAMS["float32"], ["graph"]))
    assert [(row.reference, row.verdict) for row in rows] == [("paper", "certified"), ("torch", "missing")]
    assert rows[1].missing == "a_library_that_is_not_installed"


def test_a_wrong_default_in_a_dialect_is_found(monkeypatch):
    """The formulas have defaults of their own. Would catch a certificate that reads them from what it judges."""
    dialect = Adam.DIALECTS["torch"]
    wrong = dialect._replace(settings=dialect.settings | {"epsilon": 1e-7})
    monkeypatch.setattr(Adam, "DIALECTS", {**Adam.DIALECTS, "torch": wrong})
    rows = [row for one in matrix(["adam"], ["torch"]) for row in one.rows(STREAMS["float32"], ["graph"])]
    assert [(row.verdict, row.first.value) for row in rows] == [("differs", "denominator"), ("differs", "denominator")]


@pytest.mark.parametrize(("dtype", "execution"), [("bfloat16", "xla-loop"), ("float16", "graph")])
def test_a_rule_is_certified_on_narrow_variables_by_their_masters(dtype, execution, monkeypatch):
    """And not without them: 0.001 is lost beside 1, and the parameter is beyond its bound in the first step."""

    def judged():
        (one,) = matrix(["adam"], ["keras"], ["keras"])
        return [*one.rows(synthetic(dtype, 60), [execution])]

    assert [(row.dtype, row.verdict, row.missed) for row in judged()] == [(dtype, "certified", ())]
    monkeypatch.setattr(optimizer_module, "parameter", lambda variable, master: tf.cast(variable, tf.float32))
    assert [(row.verdict, row.first.value, row.first.step) for row in judged()] == [("differs", "x", 1)]


def test_what_is_no_rule_has_no_masters_to_be_judged_by():
    with pytest.raises(InputError, match="Adam is no rule, and has no float32 masters to be judged by in bfloat16"):
        quick(keras.optimizers.Adam(), "adam:keras", dtypes=["bfloat16"], streams=lambda dtype: synthetic(dtype, 20))


class Moments(NamedTuple):
    mean: Array
    mean_of_squares: Array


@dataclass(frozen=True)
class MyAdam(Rule):
    """Adam by another author: other names of slots, weighted averages, powers in float64; and Keras's ε̂."""

    learning_rate: Rate = 1e-3
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-7
    error: str = ""

    def slots(self, x):
        return Moments(zeros_like(x), zeros_like(x))

    def update(self, g, slots, x, at):
        m = self.beta_1 * slots.mean + (1 - self.beta_1) * g
        v = self.beta_2 * slots.mean_of_squares + (1 - self.beta_2) * (g * g if self.error != "|g|" else sqrt(g * g))
        t = at.t + 1 if self.error == "t" else at.t
        alpha = cast_like((1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t), g)
        root = sqrt(v + self.epsilon) if self.error == "ε" else sqrt(v) + self.epsilon
        m = where(m > 0, m, m * 1.001) if self.error == "odd" else m
        return Step(self.learning_rate * alpha * m / root, Moments(m, v), {})


@pytest.mark.parametrize("reference", ["keras:Adam", keras.optimizers.Adam()], ids=["keras", "it"])
def test_a_right_rule_of_a_user_s_own_is_certified(reference):
    rows = quick(MyAdam, reference)
    assert {row.verdict for row in rows} == {"certified"}
    assert {row.dtype for row in rows} == ({"float32", "float64"} if isinstance(reference, str) else {"float32"})


@pytest.mark.parametrize(
    ("error", "stage", "words"),
    [
        ("|g|", "v", "|g| for its square"),
        ("t", "correction_1", "t counted from 2"),
        ("ε", "denominator", "ε inside the root"),
    ],
)
def test_the_wrong_stage_of_a_user_s_rule_is_named(error, stage, words):
    reference, dtype = ("keras:Adam", "float32") if error == "ε" else ("adam:keras", "float64")
    for row in quick(MyAdam(error=error), reference, dtypes=[dtype]):
        assert row.verdict == "differs"
        assert (row.why.stage, row.why.words) == (stage, (words,))


def test_an_error_that_nobody_foresaw_is_located():
    for row in quick(MyAdam(error="odd"), "keras:adam"):
        assert (row.verdict, row.first.value, row.why) == ("differs", "m", None)


def test_settings_of_one_s_own_are_carried_to_the_reference_unless_it_decides():
    """Would catch a comparison at the reference's own ε, and one that adapts where it should judge."""
    mine = MyAdam(epsilon=1e-3, beta_2=0.99)
    assert {row.verdict for row in quick(mine, "keras:adam")} == {"certified"}
    row = quick(mine, keras.optimizers.Adam(beta_2=0.99))[0]
    assert row.verdict == "differs"
    assert row.why.words == ("ε = 0.001 instead of 1e-07",)


def test_a_keras_optimizer_is_judged_as_it_is():
    rows = quick(keras.optimizers.Adam(epsilon=1e-3), "adam:keras")
    assert {(row.verdict, row.dtype, row.execution) for row in rows} == {
        ("certified", "float32", "eager"),
        ("certified", "float32", "graph"),
        ("certified", "float64", "graph"),
    }
    row = quick(keras.optimizers.Adam(epsilon=1e-8), "torch:adam")[0]
    assert (row.verdict, row.why.stage) == ("differs", "denominator")
    assert "ε̂ for ε" in row.why.words[0]


def adam_in_numpy(g, slots, t, x):
    m = (0.9 * slots["m"] + (1 - 0.9) * g).astype(g.dtype)
    v = (0.999 * slots["v"] + (1 - 0.999) * g * g).astype(g.dtype)
    return (1e-3 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)).astype(g.dtype), {"m": m, "v": v}


def adam_in_place(g, slots, t, x):
    m, v = slots["m"], slots["v"]
    m *= 0.9
    m += (1 - 0.9) * g
    v *= 0.999
    v += (1 - 0.999) * g * g
    g *= 0.0
    return (1e-3 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)).astype(g.dtype), {"m": m, "v": v}


def test_a_function_that_changes_what_it_is_given_changes_nothing_of_ours():
    """Would catch a history that the function writes over, and gradients that it spoils for whoever comes next."""
    rows = quick(adam_in_place, "torch:adam", slots=MOMENTS, dtypes=["float64"])
    assert [row.verdict for row in rows] == ["certified"]
    assert np.any(STREAMS["float64"].gradients[0])


def test_a_function_is_judged():
    rows = quick(adam_in_numpy, "torch:adam", slots=MOMENTS)
    assert [(row.rule, row.dtype, row.verdict) for row in rows] == [
        ("adam_in_numpy", "float32", "certified"), ("adam_in_numpy", "float64", "certified"),
    ]  # fmt: skip
    row = quick(adam_in_numpy, "torch:adam", slots={"m": 0.0, "v": 1.0})[0]
    assert row.why.words == ("slot v starting at 1 instead of 0",)


DECAYING = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5)
MyAdagrad = Adagrad(learning_rate=0.01)


@dataclass(frozen=True)
class Broken(MyAdam):
    def slots(self, x):
        return super().slots(x / 0 if self.error == "slots" and 1 / 0 else x)

    def update(self, g, slots, x, at):
        step = super().update(g, slots, x, at)
        if self.error == "shape":
            return step._replace(delta=tf.reshape(step.delta, [1, *step.delta.shape, 1]))
        if self.error == "stage":
            return step._replace(stages=dict(odd=tf.zeros([4, 2]) if g.shape == (3, 2) else g))
        raise KeyError("momentum")


class OneSlot(NamedTuple):
    mean: Array


@dataclass(frozen=True)
class Momentum(MyAdam):
    def slots(self, x):
        return OneSlot(zeros_like(x))

    def update(self, g, slots, x, at):
        return Step(g, slots, {})


MOMENTS = {"m": 0.0, "v": 0.0}


def there(library):
    """The rules that a library has, as a sentence names them."""
    return ", ".join(filter(REFERENCES[library].has, RULES))


@pytest.mark.parametrize(
    ("subject", "reference", "options", "sentence"),
    [
        (MyAdam, "caffe:adam", {}, "no reference 'caffe:adam'; give library:rule or rule:dialect, from paper, keras"),
        (MyAdam, "keras", {}, f"'keras' must name a rule: keras:RULE, of {there('keras')}."),
        (MyAdam, "adam:caffe", {}, "adam has no dialect 'caffe'; it has: paper, tf1, keras, torch, optax."),
        (MyAdam, keras.optimizers.RMSprop(), {}, "which keeps v; found mean, mean_of_squares."),
        (keras.optimizers.RMSprop(), "keras:adam", {}, "which keeps m, v; found _velocities."),
        (keras.optimizers.SGD(momentum=0.9), "sgd:keras", {}, "which keeps none; found momentums. It may be another"),
        (keras.optimizers.Adam(clipnorm=1.0), "torch:adam", {}, "clipnorm=1.0 of keras's Adam is not what torch:adam"),
        (Momentum, "keras:adam", {}, "which keeps m, v; found mean."),
        (Broken(error="shape"), "keras:adam", {}, "delta must be a float32 tensor of shape (), found float32 (1, 1)."),
        (Broken(error="raise"), "keras:adam", {}, "Broken.update: KeyError: 'momentum'"),
        (MyAdam, "keras:adam", {"dtypes": ["float8"]}, "no dtype 'float8' here; there are: float32, float64, bfloat16"),
        (MyAdam, "keras:adam", {"executions": ["jax"]}, "There is no execution 'jax'"),
        (3, "keras:adam", {}, "must be a Rule, an optimizer of keras, torch, optax or a function, found 3."),
        (adam_in_numpy, "keras:adam", {"slots": ["m", "v"]}, "slots must be numbers by name, found ['m', 'v']."),
        (adam_in_numpy, "keras:adam", {"settings": {"rho": 1.0}}, "has no setting 'rho'"),
        (adam_in_numpy, "keras:adam", {"returns": "θ"}, "returns must be 'delta' or 'x', found 'θ'."),
        (adam_in_numpy, adam_in_numpy, {}, "A function as reference needs slots"),
        (adam_in_numpy, "itself", {}, "Only a rule can be judged against itself"),
        (MyAdam, "keras:Nadamm", {}, "keras:Nadamm cannot be built: module 'keras.optimizers' has no attribute"),
        (MyAdam, "keras:SGD(0.9)", {}, "must be a name with settings, such as SGD(momentum=0.9)."),
        (MyAdam, "tf1-session:adamw", {}, f"tf1-session has the rules {there('tf1-session')} alone."),
        (MyAdam, 3, {}, "A reference must be a name, a Rule, an optimizer or a function, found 3."),
        (MyAdam(learning_rate=tf.constant(1e-3)), "keras:adam", {}, "learning_rate must be a number to be judged"),
        (MyAdam(learning_rate=lambda t: 1e-3), "keras:adam", {}, "to be judged, found function."),
        (keras.optimizers.Adam(DECAYING), "adam:keras", {}, "must be a number to be judged by adam:keras, found a"),
        (MyAdagrad, "adagrad:tf1", {}, "This formula has no epsilon, found 1e-10."),
        (MyAdam, "keras:adam", {"executions": []}, "At least one execution is needed"),
        (MyAdam, "keras:adam", {"dtypes": []}, "At least one dtype is needed"),
        (MyAdam, "keras:adam", {"streams": lambda _: None}, "streams must return Streams of float32"),
        (Broken(error="slots"), "keras:adam", {}, "Broken.slots: ZeroDivisionError"),
        (Broken(error="stage"), "keras:adam", {}, "odd must be a scalar or of shape (3, 2), found float32 (4, 2)."),
        (lambda g, s, t, x: g, "keras:adam", {"slots": MOMENTS}, "must return (Δ, new slots as a dictionary)"),
        (lambda g, s, t, x: (g[None], s), "keras:adam", {"slots": MOMENTS}, "delta must be float32 (), found"),
        (lambda g, s, t, x: (g, {}), "keras:adam", {"slots": MOMENTS}, "must return all slots, found none of the name"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_in_a_sentence(subject, reference, options, sentence):
    with pytest.raises(InputError) as error:
        quick(subject, reference, **options)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_that_a_reference_does_not_hold_in_float64_are_refused_there():
    with pytest.raises(
        InputError, match="MyAdam cannot be judged against keras in float64: one of them keeps its settings in float32"
    ):
        quick(MyAdam, keras.optimizers.Adam(), dtypes=["float64"])
    assert claim(MyAdam, "keras:adam").can_be_asked("float64"), "with the dyadic settings that reveal more"


def test_a_name_that_is_not_in_the_matrix_is_refused():
    for arguments, sentence in [
        ((["nosuch"],), f"no rule 'nosuch'; there are: {', '.join(RULES)}."),
        ((["adam"], ["caffe"]), "no dialect 'caffe'"),
        ((["adam"], None, ["caffe"]), "no reference 'caffe'; there are: paper, keras, tf1-kernel"),
        ((["adam"], ["torch"], ["keras"]), "keras computes none of the dialects torch."),
    ]:
        with pytest.raises(InputError) as error:
            matrix(*arguments)
        assert sentence in str(error.value)


def test_formulas_are_those_of_the_rules():
    assert {name: [*dialects] for name, dialects in FORMULAS.items()} == {
        name: [*rule.DIALECTS] for name, rule in RULES.items()
    }
