"""Schedules: the numbers of Keras, Optax and PyTorch, a text both ways, formulas, and rules that follow them."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
import optax
import pytest
import sympy
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from core import Adam, At, InputError, Optimizer, Program, schedules
from core.rules.schedules import (
    KINDS,
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    OneCycle,
    Piecewise,
    Points,
    Polynomial,
    Schedule,
    Warmup,
    parse,
)
from core.verification.rounded import Precision

STEPS = np.arange(10_000.0)
UNIT = np.finfo(np.float64).eps
FLOAT64 = Precision.of(np.float64)
of_keras: Any = keras.optimizers.schedules


class Same(NamedTuple):
    """A schedule of ours and one of a library's, which returns the values of all steps in float64.

    roundings: how often the library rounds a value by step s where we do not, of half a unit each.
    """

    ours: Schedule
    theirs: Callable[[], Any]
    roundings: Any = 0


def keras_(kind: str, rate: float, *args: Any, **options: Any) -> Callable[[], Any]:
    """NumPy's numbers make Keras compute in float64; Python's pass through float32."""
    wide = [np.float64(one) for one in (rate, *args)]
    return lambda: getattr(of_keras, kind)(*wide, **options)(tf.constant(STEPS))


def keras_piecewise() -> Any:
    """Keras's boundaries are the last steps with the value before."""
    values = [np.float64(one) for one in HALVES.values]
    return of_keras.PiecewiseConstantDecay([999, 2499], values)(tf.constant(STEPS))


def keras_warmed_up() -> Any:
    """Keras's warm-up asks for one step at a time."""
    decay = of_keras.CosineDecay(
        np.float64(1e-4), 5000, np.float64(0.1), warmup_target=np.float64(3e-3), warmup_steps=500
    )
    return tf.function(lambda: tf.map_fn(decay, tf.constant(STEPS)))()


def optax_(made: Callable[[], Any]) -> Callable[[], Any]:
    def values() -> Any:
        with jax.enable_x64(True):
            return np.asarray(jax.jit(jax.vmap(made()))(jax.numpy.asarray(STEPS)))

    return values


def torch_(made: Callable[[Any], Any], rate: float = 0.1) -> Callable[[], Any]:
    """The rate of each step, by PyTorch's own steps."""

    def values() -> Any:
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
        scheduler, found = made(optimizer), []
        for _ in STEPS:
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(found) < len(STEPS):
                scheduler.step()
        return found

    return values


def torch_closed(made: Callable[[Any], Any], rate: float = 0.1) -> Callable[[], Any]:
    """PyTorch's closed form, for a recursion whose roundings grow without a simple bound."""

    def values() -> Any:
        scheduler, found = made(torch.optim.SGD([torch.zeros(1)], lr=rate)), []
        for step in range(len(STEPS)):
            scheduler.last_epoch = step
            found += scheduler._get_closed_form_lr()
        return found

    return values


def sequential(optimizer: Any) -> Any:
    first = lr_scheduler.LinearLR(optimizer, 0.01, 1.0, 500)
    return lr_scheduler.SequentialLR(optimizer, [first, lr_scheduler.ExponentialLR(optimizer, 0.9997)], [500])


WAVES = [100 * 2**k for k in range(7)]
HALVES = Piecewise((1000, 2500), (0.1, 0.05, 0.025))
SAME = {
    "piecewise, Keras": Same(HALVES, keras_piecewise),
    # Products with 0.5 are exact.
    "piecewise, Optax": Same(HALVES, optax_(lambda: optax.piecewise_constant_schedule(0.1, {1000: 0.5, 2500: 0.5}))),
    "piecewise, PyTorch": Same(HALVES, torch_(lambda o: lr_scheduler.MultiStepLR(o, [1000, 2500], 0.5))),
    "exponential, Keras": Same(Exponential(0.1, 0.96, 1000), keras_("ExponentialDecay", 0.1, 1000, 0.96)),
    "stairs, Keras": Same(
        Exponential(0.1, 0.96, 49, stairs=True), keras_("ExponentialDecay", 0.1, 49, 0.96, staircase=True)
    ),
    "exponential, Optax": Same(
        Exponential(0.1, 0.96, 1000), optax_(lambda: optax.schedules.exponential_decay(0.1, 1000, 0.96))
    ),
    # Not 49: Optax's stairs fall late where 49 · (1/49) is below 1, as XLA has it; 1/64 is exact.
    "stairs, Optax": Same(
        Exponential(0.1, 0.96, 64, stairs=True),
        optax_(lambda: optax.schedules.exponential_decay(0.1, 64, 0.96, staircase=True)),
    ),
    # One product a step.
    "exponential, PyTorch": Same(
        Exponential(0.1, 0.9997), torch_(lambda o: lr_scheduler.ExponentialLR(o, 0.9997)), STEPS
    ),
    # One product every 49 steps.
    "stairs, PyTorch": Same(
        Exponential(0.1, 0.96, 49, stairs=True), torch_(lambda o: lr_scheduler.StepLR(o, 49, 0.96)), STEPS // 49
    ),
    "inverse time, Keras": Same(InverseTime(0.1, 0.5, 700), keras_("InverseTimeDecay", 0.1, 700, 0.5)),
    "inverse time in stairs, Keras": Same(
        InverseTime(0.1, 0.5, 49, stairs=True), keras_("InverseTimeDecay", 0.1, 49, 0.5, staircase=True)
    ),
    "polynomial, Keras": Same(Polynomial(0.1, 7000, 0.01, 2.0), keras_("PolynomialDecay", 0.1, 7000, 0.01, 2.0)),
    "polynomial that cycles, Keras": Same(
        Polynomial(0.1, 49, 0.01, cycles=True), keras_("PolynomialDecay", 0.1, 49, 0.01, cycle=True)
    ),
    "polynomial, Optax": Same(
        Polynomial(0.1, 7000, 0.01, 2.0), optax_(lambda: optax.schedules.polynomial_schedule(0.1, 0.01, 2.0, 7000))
    ),
    "polynomial, PyTorch": Same(
        Polynomial(0.1, 7000, power=2.0), torch_closed(lambda o: lr_scheduler.PolynomialLR(o, 7000, 2.0))
    ),
    "line, Optax": Same(Polynomial(0.1, 7000, 0.01), optax_(lambda: optax.schedules.linear_schedule(0.1, 0.01, 7000))),
    # A step multiplies by 1 + a / (b + c·d): five operations, and the product.
    "line, PyTorch": Same(
        Polynomial(0.1, 7000, 0.02), torch_(lambda o: lr_scheduler.LinearLR(o, 1.0, 0.2, 7000)), 6 * STEPS
    ),
    "points, Optax": Same(
        # Its values are products of up to three factors, each of two roundings, and the largest term is the peak.
        Points((0, 3000, 8500, 10000), (0.004, 0.1, 0.004, 4e-7)),
        optax_(lambda: optax.schedules.linear_onecycle_schedule(10000, 0.1)),
        6 * 0.1 / np.interp(STEPS, [0, 3000, 8500, 10000], [0.004, 0.1, 0.004, 4e-7]),
    ),
    "cosine, Keras": Same(Cosine(0.1, 7000, 0.02), keras_("CosineDecay", 0.1, 7000, 0.2)),
    "cosine, Optax": Same(
        Cosine(0.1, 7000, 0.02), optax_(lambda: optax.schedules.cosine_decay_schedule(0.1, 7000, 0.2))
    ),
    "cosine, PyTorch": Same(
        Cosine(0.1, 10_000, 0.02), torch_closed(lambda o: lr_scheduler.CosineAnnealingLR(o, 10_000, 0.02))
    ),
    "warmed up, Keras": Same(Warmup(Cosine(3e-3, 5000, 3e-4), 500, 1e-4), keras_warmed_up),
    "warmed up, Optax": Same(
        Warmup(Cosine(3e-3, 5000, 3e-4), 500, 1e-4),
        optax_(lambda: optax.schedules.warmup_cosine_decay_schedule(1e-4, 3e-3, 500, 5500, 3e-4)),
        # Its line is the peak less what is left: four roundings of the peak.
        4 * 3e-3 / Warmup(Cosine(3e-3, 5000, 3e-4), 500, 1e-4)(STEPS),
    ),
    # As "line" and "exponential" above.
    "warmed up, PyTorch": Same(Warmup(Exponential(0.1, 0.9997), 500, 0.001), torch_(sequential), 6 * STEPS),
    "restarts, Keras": Same(
        CosineRestarts(0.1, 100, 0.01, 2.0, 0.5), keras_("CosineDecayRestarts", 0.1, 100, 2.0, 0.5, 0.1)
    ),
    "restarts of one length, Keras": Same(
        CosineRestarts(0.1, 49, 0.01, 1.0, 0.9), keras_("CosineDecayRestarts", 0.1, 49, 1.0, 0.9, 0.1)
    ),
    "restarts, PyTorch": Same(
        CosineRestarts(0.1, 100, 0.01, 3.0),
        torch_(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 100, 3, 0.01)),
    ),
    "restarts, Optax": Same(
        CosineRestarts(0.1, 100, 0.01, 2.0),
        optax_(
            lambda: optax.schedules.sgdr_schedule(
                dict(init_value=0.1, peak_value=0.1, warmup_steps=0, decay_steps=n, end_value=0.01) for n in WAVES
            )
        ),
    ),
    "one cycle, Optax": Same(OneCycle(0.1, 9000), optax_(lambda: optax.schedules.cosine_onecycle_schedule(9000, 0.1))),
    "one cycle, PyTorch": Same(
        OneCycle(0.1, 9999, 2999 / 9999),
        torch_(lambda o: lr_scheduler.OneCycleLR(o, 0.1, 10_000, cycle_momentum=False)),
    ),
}


def bound(same: Same) -> Any:
    """How far both may be off from each other: ours by running error analysis; the library's three times that, as it
    has the same operations on the same terms in another order, and never three for one of ours; and what it has more.
    """
    exact = same.ours(FLOAT64.exact(STEPS))
    return 4 * exact.error + same.roundings * UNIT / 2 * np.abs(exact.value)


def changed(schedule: Schedule) -> list[Schedule]:
    """The schedule with one number wrong, once for each: by a millionth, by a step, or a flag turned."""
    found: list[Schedule] = []
    for one in fields(schedule):
        value = getattr(schedule, one.name)
        if isinstance(value, Schedule):
            found += [replace(schedule, **{one.name: wrong}) for wrong in changed(value)]
        elif isinstance(value, tuple):
            for k in range(len(value)):
                found.append(replace(schedule, **{one.name: (*value[:k], nudged(value[k]), *value[k + 1 :])}))
        elif not (isinstance(schedule, Exponential) and schedule.steps == 1 and one.name == "stairs"):
            found.append(replace(schedule, **{one.name: nudged(value)}))
    return found


def nudged(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * (1 + 1e-6) or 1e-9


@pytest.mark.parametrize("name", SAME)
def test_a_schedule_is_the_library_s_over_10_000_steps_and_no_other_is(name):
    """Would catch a step too many, and any number that is off by a millionth."""
    same = SAME[name]
    theirs, most = np.asarray(same.theirs(), np.float64), bound(same)
    assert theirs.shape == STEPS.shape
    off = np.abs(same.ours(STEPS) - theirs)
    assert np.all(off <= most), (STEPS[off > most], off[off > most], most[off > most])
    assert np.any(np.abs(same.ours(STEPS + 1) - theirs) > most), "a step too many"
    for wrong in changed(same.ours):
        assert np.any(np.abs(wrong(STEPS) - theirs) > most), wrong


EVERY = [*{same.ours: None for same in SAME.values()}, Constant(0.1), Warmup(0.1, 49), Polynomial(0.5, 100, 0.9, 1.5)]


def test_numpy_and_xla_compute_the_same_for_all_steps_in_one_call():
    """Both within what running error analysis allows, and what is whole without any error: see `whole_part`.

    Would catch a cycle that begins a step late where XLA multiplies by 1 / steps.
    """
    assert {name for name, kind in KINDS.items() if kind in map(type, EVERY)} == set(KINDS)
    compiled = tf.function(lambda s: [schedule(s) for schedule in EVERY], jit_compile=True, autograph=False)
    for schedule, found in zip(EVERY, compiled(tf.constant(STEPS)), strict=True):
        exact = schedule(FLOAT64.exact(STEPS))
        plain = schedule(STEPS)
        assert plain.dtype == found.dtype.as_numpy_dtype == np.float64
        assert np.all(np.abs(plain - exact.value) <= exact.error), schedule
        assert np.all(np.abs(found.numpy() - exact.value) <= exact.error), schedule
        assert np.all(plain >= 0), schedule
        assert float(schedule(100.0)) == pytest.approx(float(plain[100]), rel=1e-12)


LENGTHS = [(steps, longer) for steps in (7, 100) for longer in (1.0, 1.1, 1.5, 2.0, 3.0)]


def by_fractions(steps: int, longer: float) -> np.ndarray:
    """Restarts from 1 to 0, each half as high, with starts that are exact."""
    starts, lengths = [Fraction(0)], [Fraction(steps)]
    while starts[-1] <= len(STEPS):
        starts.append(starts[-1] + lengths[-1])
        lengths.append(lengths[-1] * Fraction(longer))
    firsts = [ceil(start - Fraction(1, 1024)) for start in starts]
    k = np.searchsorted(firsts, STEPS, side="right") - 1
    part = (STEPS - np.array(starts, np.float64)[k]) / np.array(lengths, np.float64)[k]
    return 0.5**k * (1 + np.cos(np.pi * part)) / 2


def test_restarts_begin_at_the_very_step():
    """Would catch a logarithm that is rounded below a whole number, as that of 243 by that of 3.

    A part is off by the roundings of a start and of its step, 10,000 units at most in a wave of 7 steps: 3e-13, π times
    that in the cosine.
    """
    kinds = [CosineRestarts(1.0, steps, longer=longer, lower=0.5) for steps, longer in LENGTHS]
    compiled = tf.function(lambda s: [kind(s) for kind in kinds], jit_compile=True, autograph=False)
    for kind, xla in zip(kinds, compiled(tf.constant(STEPS)), strict=True):
        expected = by_fractions(kind.steps, kind.longer)
        for found in (kind(STEPS), xla.numpy()):
            assert np.max(np.abs(found - expected)) < 1e-11, kind


def test_stairs_are_whole_in_numpy_and_xla_in_both_dtypes():
    def stairs(s: Any) -> Any:
        return [Exponential(1.0, 0.5, n, stairs=True)(s) for n in (1, 3, 49, 700)]

    compiled = tf.function(stairs, jit_compile=True, autograph=False)
    for steps in (STEPS[:4000], STEPS[:4000].astype(np.float32)):
        for n, plain, xla in zip((1, 3, 49, 700), stairs(steps), compiled(tf.constant(steps)), strict=True):
            expected = np.log2(np.maximum(0.5 ** (steps.astype(np.float64) // n), 2.0**-60))
            for found in (plain, xla.numpy()):
                assert found.dtype == steps.dtype
                np.testing.assert_allclose(np.log2(np.maximum(found, 2.0**-60)), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_symbols_show_a_formula_of_the_same_values(schedule):
    s = sympy.Symbol("s", real=True)
    given = {one.name: getattr(schedule, one.name) for one in fields(schedule)}
    of_form = [name for name in ("power", "longer") if given.get(name) == 1]  # lines, and waves of one length
    symbols = {
        name: sympy.Symbol(name, positive=True)
        for name, value in given.items()
        if type(value) is float and name not in of_form
    }
    for expression, values in (
        (schedule(s), {}),
        (replace(schedule, **symbols)(s), {symbol: given[name] for name, symbol in symbols.items()}),
    ):
        assert isinstance(expression, sympy.Expr)
        assert expression.free_symbols <= {s, *values}
        for step in (0, 49, 100, 777, 9000):
            found = float(expression.subs({**values, s: step}).evalf())
            assert found == pytest.approx(float(schedule(float(step))), rel=1e-9, abs=1e-15)
    with sympy.evaluate(False):
        unevaluated = schedule(s)
    assert float(unevaluated.subs(s, 777).evalf()) == pytest.approx(float(schedule(777.0)), rel=1e-9)


numbers = st.floats(0, 1e9)
positive = st.floats(0, 1e9, exclude_min=True)
lengths = st.integers(1, 10**7)
sets = st.lists(st.tuples(lengths, numbers), min_size=2, max_size=4, unique_by=lambda one: one[0]).map(sorted)
plain = st.one_of(
    st.builds(Constant, numbers),
    st.builds(lambda at, first: Piecewise(*zip_of(at, first)), sets, numbers),
    st.builds(lambda at: Points(tuple(step for step, _ in at), tuple(value for _, value in at)), sets),
    st.builds(Exponential, numbers, positive, lengths, st.booleans()),
    st.builds(InverseTime, numbers, numbers, lengths, st.booleans()),
    st.builds(Polynomial, numbers, lengths, numbers, positive, st.booleans()),
    st.builds(Cosine, numbers, lengths, numbers),
    st.builds(CosineRestarts, numbers, lengths, numbers, st.floats(1, 9), positive),
    st.builds(OneCycle, numbers, st.integers(4, 10**7), st.floats(0.3, 0.7), positive, positive),
)
anything = st.one_of(plain, st.builds(Warmup, st.one_of(plain, numbers), lengths, numbers))


def zip_of(at: Any, first: float) -> tuple[Any, Any]:
    return tuple(step for step, _ in at), (first, *(value for _, value in at))


@given(anything)
@settings(max_examples=300, deadline=None)
def test_a_schedule_is_its_text_its_repr_its_copy_and_its_pickle(schedule):
    text = str(schedule)
    assert parse(text) == schedule
    assert str(parse(text)) == text
    assert eval(repr(schedule), vars(schedules)) == schedule
    assert copy.deepcopy(schedule) == pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(parse(text)) == hash(schedule)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1e-3", 0.001),
        ("cosine:3e-3,steps=5500,warmup=500", Warmup(Cosine(3e-3, 5000), 500)),
        ("polynomial:1,steps=1e3,warmup=500,warmup-from=.1", Warmup(Polynomial(1, 500), 500, 0.1)),
        ("piecewise:1e-3,1000=3e-4,2000=1e-4", Piecewise((1000, 2000), (1e-3, 3e-4, 1e-4))),
        ("piecewise:1,1000=.5,warmup=100", Warmup(Piecewise((900,), (1, 0.5)), 100)),
        ("exponential: 1e-3, factor=0.96, steps=1000, stairs", Exponential(1e-3, 0.96, 1000, True)),
        ("exponential:1,factor=.9,steps=100,warmup=50", Warmup(Exponential(1, 0.9, 100), 50)),
        ("points:0=0,500=1,10000=0", Points((0, 500, 10000), (0, 1, 0))),
        ("one-cycle:0.1,steps=100,start-divisor=10", OneCycle(0.1, 100, start_divisor=10)),
        ("1e-3,warmup=500", Warmup(1e-3, 500)),
    ],
)
def test_a_text_means_what_a_person_means(text, found):
    assert parse(text) == found
    assert type(parse(text)) is type(found)


NAMES = ", ".join(KINDS)


@pytest.mark.parametrize(
    ("text", "sentence", "name"),
    [
        ("cosin:1", f"must be a number or begin with one of {NAMES}, found 'cosin'.", "cosin"),
        ("", f"must be a number or begin with one of {NAMES}, found ''.", ""),
        ("cosine:1,stps=5", "cannot be used: it has no 'stps', but steps, end.", "stps"),
        ("cosine", "cannot be used: it lacks its first number, the initial.", ""),
        ("cosine:1", "cannot be used: it lacks steps=NUMBER.", ""),
        ("piecewise:5=1", "cannot be used: it lacks its first number, the first value.", ""),
        ("cosine:a,steps=5", "cannot be used: initial must be a number, found 'a'.", ""),
        ("cosine:1,steps=x", "cannot be used: steps must be a number, found 'x'.", ""),
        ("cosine:1,steps=2.5", "cannot be used: Cosine: steps must be a whole number in [1, ∞), found 2.5.", ""),
        ("cosine:1,steps=0", "cannot be used: Cosine: steps must be a whole number in [1, ∞), found 0.", ""),
        ("nan", "cannot be used: Constant: value must lie in [0, ∞), found nan.", ""),
        ("cosine:1,steps=", "cannot be used: an item must be NUMBER, NAME or NAME=NUMBER, found 'steps='.", ""),
        ("cosine:1,,steps=5", "cannot be used: an item must be NUMBER, NAME or NAME=NUMBER, found ''.", ""),
        ("cosine:1,steps=5,steps=6", "cannot be used: steps is there twice.", ""),
        ("cosine:1,2,steps=6", "cannot be used: a number without a name is there twice.", ""),
        ("exponential:1,factor=.9,stairs=yes", "cannot be used: stairs takes no value.", ""),
        ("exponential:1,factor", "cannot be used: factor takes a number, as factor=NUMBER.", ""),
        ("piecewise:1,a=.5", "cannot be used: the step of a value must be a number, found 'a'.", ""),
        ("points:0=1,5", "cannot be used: an item must be STEP=VALUE, found '5'.", ""),
        ("cosine:1,steps=5,warmup-from=1", "cannot be used: warmup-from needs warmup=STEPS.", ""),
        (
            "cosine:1,steps=500,warmup=500",
            "cannot be used: steps must come after the warm-up of 500 steps, which they include.",
            "",
        ),
    ],
)
def test_a_text_that_says_no_schedule_is_refused_in_one_sentence(text, sentence, name):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value) == f"The schedule {text!r} {sentence}"
    assert caught.value.name == name
    assert bool(caught.value.known) == bool(name) or not text


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: Cosine("1", 5), "Cosine: initial must be a number, found '1'."),
        (lambda: Cosine(np.ones(2), 5), "Cosine: initial must be a number, found array([1., 1.])."),
        (lambda: Cosine(-1, 5), "Cosine: initial must lie in [0, ∞), found -1."),
        (lambda: Exponential(1, 0.9, stairs=1), "Exponential: stairs must be True or False, found 1."),
        (lambda: Piecewise(5, (1, 2)), "Piecewise: boundaries must be a tuple of numbers, found 5."),
        (lambda: Piecewise((5, 5), (1, 2, 3)), "Piecewise: boundaries must rise, found 5, 5."),
        (lambda: Piecewise((5,), (1,)), "Piecewise: values must be one more than the 1 boundaries, found 1."),
        (lambda: Piecewise((5,), (1, -2)), "Piecewise: values[1] must lie in [0, ∞), found -2."),
        (lambda: Points((5,), (1,)), "Points: steps and values must be as many, and two at least, found 1 and 1."),
        (
            lambda: OneCycle(1, 3),
            "OneCycle: at least one step must go up and one down, found 0.9 and 2.1 of steps 3 with rise 0.3.",
        ),
        (lambda: Warmup(Warmup(1, 5), 5), "Warmup: then must be another schedule or a number, found a Warmup."),
        (lambda: Warmup(abs, 5), f"Warmup: then must be a number, found {abs!r}."),
    ],
)
def test_a_field_that_cannot_be_used_is_refused_in_one_sentence(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
def test_a_rule_s_numbers_follow_schedules_as_if_each_step_had_a_rule_of_its_own(execution):
    """Would catch a schedule that is read a step late, or once for all steps."""
    rate, beta = Warmup(Cosine(1e-1, 6), 2, 1e-3), Polynomial(0.9, 8, end=0.5)
    g = np.array([[3.0, -4.0]])
    variables = {"w": tf.Variable(tf.ones([1, 2], tf.float64))}
    optimizer = Optimizer(Adam(learning_rate=rate, beta_1=beta), variables)

    def cost(v: Any, one: Any) -> Any:
        return tf.reduce_sum(v["w"] * g) * one[0, 0]

    Program(cost, variables, optimizer, execution).run((tf.ones([8, 1], tf.float64),), [[k] for k in range(8)])
    x = np.ones((1, 2))
    slots = Adam(0.1).slots(x)
    for t in range(1, 9):
        plain = Adam(learning_rate=float(rate(t - 1.0)), beta_1=float(beta(t - 1.0)))
        step = plain.step(g, slots, x, At(np.float64(t)))
        slots, x = step.slots, step.x
    np.testing.assert_allclose(variables["w"].numpy(), x, rtol=1e-13)
    np.testing.assert_allclose(optimizer.slots["w"]["m"].numpy(), slots.m, rtol=1e-13)
