"""The rules in NumPy against formulas written independently of them, in a wider dtype."""

import ast
import inspect
from contextlib import suppress
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core import RULES, SGD, Adadelta, Adagrad, Adam, At, InputError
from core.rules import Decay, named
from core.rules.settings import hints
from core.rules.slots import squares
from core.verification.judge import judge
from core.verification.streams import Streams, synthetic
from core.verification.trajectory import numpy_trajectory
from tests.cases import CASES, DTYPES, IDS, assert_close, checkered

OF_EACH = dict(zip(IDS, CASES.values(), strict=True))


@pytest.mark.parametrize(("case", "dtype"), checkered(OF_EACH, DTYPES))
def test_every_step_stays_within_the_bound_of_its_formula(case, dtype):
    """Would catch any formula, constant or order of operations that is not the transcribed one."""
    assert_close(case, numpy_trajectory(case.rule, synthetic(dtype, 300)))


@pytest.mark.parametrize("case", CASES.values(), ids=IDS)
def test_long_double_runs_in_long_double(case):
    """Would catch a constant or a power that passes through float64 on its way: then errors are 2048 times as large."""
    run = numpy_trajectory(case.rule, synthetic(np.longdouble, 50))
    # PyTorch subtracts 1 − α·λ in Python's float64, and so does our rule: what comes of it is no long double.
    assert_close(case, replace(run, after={name: value for name, value in run.after.items() if name != "x"}))


FORMS = {"epsilon_form": np.float64, "complement_in": np.float32, "power_in": np.float32}
"""Settings of form that change what a step computes, with a dtype in which it shows; rules may have others."""


def shows(case, field):
    """Whether it can: ε must be there, and a power of a β near 1, whose 1 − β^t loses digits."""
    if field == "power_in":
        return "correction_2" in case.formula.corrected
    return field != "epsilon_form" or bool(case.rule.epsilon)


@pytest.mark.parametrize(("key", "field"), [
    pytest.param(key, field, id=f"{'-'.join(key)}-{field}")
    for key, case in CASES.items()
    for field in FORMS if hasattr(case.rule, field) and shows(case, field)
])  # fmt: skip
def test_another_form_of_the_formula_is_caught_in_every_dialect(key, field):
    """One setting of form turned over, all numbers kept. (TF1 allows its running product half a unit a step.)

    Or it is refused, where it would mean nothing.
    """
    case, choices = CASES[key], get_args(get_args(hints(RULES[key[0]])[field])[0])
    for other in choices:
        if other != getattr(case.rule, field):
            with suppress(InputError):
                rule, formula = replace(case.rule, **{field: other}), replace(case.formula, running=False)
                assert not judge(formula, numpy_trajectory(rule, synthetic(FORMS[field], 300))).agrees, other


def settled(rule, g=0.7, steps=3000):
    """The slots after this many equal gradients, in float32 and by the same rule in long double, relatively apart."""
    slots = {}
    for dtype in (np.float32, np.longdouble):
        x = np.full(1, g, dtype)
        slots[dtype] = rule.slots(x)
        for t in range(1, steps + 1):
            slots[dtype] = rule.step(x, slots[dtype], x, At(np.longdouble(t))).slots
    pairs = zip(*slots.values(), strict=True)
    return {
        name: float(np.abs(narrow[0] / wide[0] - 1))
        for name, (narrow, wide) in zip(slots[np.float32]._fields, pairs, strict=True)
    }


def test_averages_settle_where_the_library_s_form_settles():
    """What a step from the same state cannot show: float32's 0.999 and 0.001 add up to 1 + 1.3e-8.

    Roundings aside, a weighted average therefore settles 1.3e-5 too high; one in increments does not.
    """
    assert settled(Adam.dialect("keras"))["v"] < 5e-6
    assert settled(replace(Adam.dialect("keras"), incremental="neither"))["v"] > 1e-5


@pytest.mark.parametrize(("name", "dialect"), CASES, ids=IDS)
def test_slots_start_where_the_dialect_says(name, dialect):
    case, x = CASES[name, dialect], np.ones((2, 3), np.float32)
    slots, expected = named(case.rule.slots(x)), case.formula.first(x)
    assert slots.keys() == expected.keys()
    for slot, value in slots.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, expected[slot])


@pytest.mark.parametrize("rule", [case.rule for case in CASES.values()], ids=IDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_a_rule_keeps_the_dtype_and_shape_of_its_gradient(rule, dtype):
    x = np.ones((2, 3), dtype)
    step = rule.step(x, rule.slots(x), x, At(np.float64(1) if dtype == np.float32 else dtype(1)))
    before = named(rule.slots(x))
    for name, value in {"delta": step.delta, "x": step.x, **named(step.slots)}.items():
        assert value.dtype == dtype
        assert value.shape == before.get(name, x).shape in ((2, 3), ())


def test_no_step_is_taken_where_optax_accumulator_is_zero():
    """Would catch the guard left out: 1e-30 squared is 0 in float32, and without the guard g/√ε is a step."""
    rule = Adagrad.dialect("optax", learning_rate=1.0, initial_accumulator_value=0.0)
    g = np.array([1e-30, 1e-3], np.float32)
    delta = rule.step(g, rule.slots(g), g, At(np.float64(1))).delta
    assert delta[0] == 0.0
    assert delta[1] > 0.0
    assert replace(rule, rest_at_zero=False).step(g, rule.slots(g), g, At(np.float64(1))).delta[0] > 0.0


def test_a_rule_takes_the_step_as_a_plain_integer():
    """Would catch β cast to the integer's dtype, which makes it 0 and the correction 1."""
    g = np.array([0.5])
    step = Adam().step(g, Adam().slots(g), g, At(1))
    assert step.stages["correction_1"] == pytest.approx(0.1)


def test_a_schedule_is_read_at_the_number_of_steps_before():
    rule = replace(Adagrad(0.5), learning_rate=lambda step: 1 / (1 + step))
    x = np.float32([0])
    assert [rule.resolved(np.float64(t), x).learning_rate for t in (1, 4)] == [np.float32(1), np.float32(0.25)]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_rule_is_longer_than_thirty_lines_of_code(rule):
    """Statements of the class, signatures included; the docstring and blank lines do not count."""
    tree = ast.parse(inspect.getsource(rule)).body[0]
    assert isinstance(tree, ast.ClassDef)
    docstring = range(tree.body[0].lineno, tree.body[0].end_lineno + 1)
    source = inspect.getsource(rule).splitlines()
    code = [line for number, line in enumerate(source, start=1) if line.strip() and number not in docstring]
    assert len(code) <= 30


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Adam(learning_rate=-1), "Adam: learning_rate must lie in [0, ∞), found -1."),
        (lambda: Adam(learning_rate=-1), "found -1"),
        (lambda: Adam(learning_rate=float("nan")), "found nan"),
        (lambda: Adam(learning_rate=float("inf")), "found inf"),
        (lambda: Adam(learning_rate="fast"), "must be a number in [0, ∞), found 'fast'"),
        (lambda: Adam(beta_1=1.0), "Adam: beta_1 must lie in [0, 1), found 1."),
        (lambda: Adam(epsilon=0), "Adam: epsilon must lie in (0, ∞), found 0."),
        (lambda: Adam(epsilon_form="hat"), "must be one of 'algorithm-1', 'epsilon-hat', found 'hat'"),
        (lambda: Adadelta(rho=-0.1), "Adadelta: rho must lie in [0, 1), found -0.1."),
        (lambda: Adam(beta_1=[0.9]), "must be a number in [0, 1), found [0.9]"),
        (lambda: Adagrad(0.1, rest_at_zero="yes"), "Adagrad: rest_at_zero must be True or False, found 'yes'."),
        (lambda: Adadelta.dialect("optax"), "Adadelta in the optax dialect has no default learning rate"),
        (lambda: Adagrad(0.1, epsilon=0), "initial_accumulator_value must be above 0 where epsilon is 0"),
        (lambda: Adagrad(0.1, initial_accumulator_value=-1), "must lie in [0, ∞), found -1"),
        (lambda: Adam.dialect("caffe"), f"no dialect 'caffe'; it has: {', '.join(Adam.DIALECTS)}."),
        (lambda: Adam.dialect("keras", rho=0.9), "Adam has no setting 'rho'"),
        (lambda: Adagrad.dialect("tf1"), "Adagrad in the tf1 dialect has no default learning rate"),
        (lambda: SGD.dialect("tf1"), "SGD in the tf1 dialect has no default learning rate: give learning_rate."),
        (lambda: Adam.dialect("optax"), "Adam in the optax dialect has no default learning rate"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_name(build, sentence):
    with pytest.raises(InputError) as error:
        build()
    assert sentence in str(error.value)


def test_numbers_become_python_floats():
    """Would catch NumPy scalars kept as settings: np.float64 promotes float32 arrays."""
    rule = Adam(learning_rate=np.float64(0.5), beta_1=np.float32(0.5), epsilon=1)
    assert [type(value) for value in (rule.learning_rate, rule.beta_1, rule.epsilon)] == [float] * 3


gradients = arrays(
    np.float64, 5, elements=st.floats(-1e4, 1e4).map(lambda g: 0.0 if abs(g) < 1e-30 else g), fill=st.nothing()
)
cases = st.sampled_from(list(CASES.values()))


def followed(rule, stream):
    """All values of all steps of a rule on gradients [steps, 5]."""
    return numpy_trajectory(rule, Streams(np.array(stream), ("drawn",) * 5, 0)).after


@given(cases.filter(lambda case: not case.formula.reads_x), st.lists(gradients, min_size=1, max_size=6))
def test_mirrored_gradients_give_mirrored_updates_and_each_coordinate_goes_alone(case, stream):
    """Would catch a lost sign, and any mixing of coordinates."""
    stream = np.array(stream)
    straight, mirrored, turned = (followed(case.rule, s)["delta"] for s in (stream, -stream, stream[:, ::-1]))
    np.testing.assert_array_equal(mirrored, -straight)
    np.testing.assert_array_equal(turned, straight[:, ::-1])


@given(cases, st.lists(gradients, min_size=1, max_size=6))
def test_accumulators_of_squares_are_never_negative_and_nothing_is_nan(case, stream):
    found = followed(case.rule, stream)
    assert all(np.all(np.isfinite(value)) for value in found.values())
    for slot in squares(case.rule.slots(np.ones(5))):
        assert np.all(found[slot] >= 0)


@given(st.lists(gradients, min_size=1, max_size=20))
@settings(max_examples=50)
def test_adam_moves_no_further_than_its_paper_says(stream):
    """Kingma & Ba, section 2.1: |Δ| ≤ α·(1 − β1)/√(1 − β2) where that exceeds α, as it does for the defaults."""
    assert np.all(np.abs(followed(Adam(), stream)["delta"]) <= 1e-3 * 0.1 / np.sqrt(1e-3) * (1 + 1e-9))


class Mixin:
    epsilon = 1e-3


class Assigned(Adam):
    epsilon = 1e-3


class Inherited(Mixin, Adam):
    pass


class Added(Adam):
    extra: Decay = 0.5


@pytest.mark.parametrize(("kind", "setting", "value"), [
    (Assigned, "epsilon", 1e-3), (Inherited, "epsilon", 1e-3), (Added, "extra", 0.5),
])  # fmt: skip
def test_a_setting_in_a_class_body_is_a_setting_without_a_decorator(kind, setting, value):
    """Python's dataclasses ignore it: the rule trained with its parent's ε, and its author did not know."""
    assert getattr(kind(), setting) == value
    assert getattr(kind(**{setting: 0.25}), setting) == 0.25
    assert getattr(kind.dialect("torch", **{setting: 0.25}), setting) == 0.25
    assert replace(kind(), learning_rate=0.1) == kind(learning_rate=0.1) != kind()
    with pytest.raises(InputError, match=setting):
        kind(**{setting: -1.0})
    with pytest.raises(FrozenInstanceError, match="use replace"):
        kind().epsilon = 1.0


def test_a_decorated_rule_is_what_it_was():
    @dataclass(frozen=True)
    class Decorated(Adam):
        extra: Decay = 0.5

    assert (Decorated(0.1).extra, Decorated(0.1).learning_rate) == (0.5, 0.1)
    with pytest.raises(FrozenInstanceError):
        Decorated().extra = 0.1


def test_a_property_for_a_setting_is_refused_where_the_class_is_made():
    with pytest.raises(InputError, match="epsilon is a setting and must be a value, found a property"):

        class Computed(Adam):
            @property
            def epsilon(self):
                return 1e-3
