"""Adam's step, out of powers that a real session multiplied."""

import re

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.powers import BETAS, power, recovered, running_products, step_of

from .files import ADAM

v1 = tf.compat.v1
STEPS = [0, 1, 5, 100, 827, 828, 829, 830, 831, 5_000, 50_000, 87_292, 87_293, 100_000]


@pytest.fixture(scope="module")
def session_s_powers():
    """After each of STEPS, by a loop of TensorFlow 1's multiplications."""
    with tf.Graph().as_default(), v1.Session() as session:
        powers = [v1.placeholder("float", []) for _ in BETAS]
        steps = v1.placeholder("int32", [])
        loop = v1.while_loop(
            lambda step, *_: step < steps,
            lambda step, *powers: (step + 1, *(power * beta for power, beta in zip(powers, BETAS, strict=True))),
            (0, *powers),
        )[1:]
        found, values, before = {}, [np.float32(beta) for beta in BETAS], 0
        for step in STEPS:
            values = session.run(loop, {steps: step - before, **dict(zip(powers, values, strict=True))})
            found[step], before = values, step
        return found


@pytest.mark.parametrize("step", STEPS)
def test_powers_are_a_session_s_to_the_bit_and_give_their_step(session_s_powers, step):
    """Would catch powers taken at once, which round otherwise, and a step too many or too few."""
    found = session_s_powers[step]
    assert [power(beta, step).tobytes() for beta in BETAS] == [np.asarray(value).tobytes() for value in found]
    assert step_of(dict(zip(("beta1_power", "beta2_power"), found, strict=True))) == (step if step < 87_293 else None)


def test_the_optimizer_s_own_variables_hold_these_powers():
    """Would catch powers that start at 1, or that are multiplied before the step; flushed from step 828 on."""
    with tf.Graph().as_default(), v1.Session() as session:
        train = ADAM().minimize(v1.Variable(1.0) * 2)
        powers = [v for v in v1.global_variables() if "power" in v.name]
        session.run(v1.global_variables_initializer())
        for step in range(832):
            assert session.run(powers) == [power(beta, step) for beta in BETAS]
            session.run(train)


@pytest.mark.parametrize("beta", BETAS)
def test_every_power_gives_its_step_however_its_last_bits_were_rounded(beta):
    """Three ulp either way; a neighbouring step is 8,000 ulp away at least."""
    products = running_products(beta)
    for step in [*range(0, len(products), 997), len(products) - 1]:
        for ulps in (-3, 3):
            value = products[step] * np.float32(1 + ulps * 2.0**-23)
            others = {0.9: value, 0.999: value} | {b: power(b, step) for b in BETAS if b != beta}
            if value >= np.finfo(np.float32).tiny:
                assert step_of({"beta1_power": others[0.9], "beta2_power": others[0.999]}) == step


ZERO, DENORMAL = np.float32(0), np.float32(1e-39)


def test_a_denormal_power_counts_as_flushed():
    """A build of TensorFlow that keeps them gets stuck among them: 0.9 of the smallest rounds to itself."""
    assert step_of({"beta1_power": DENORMAL, "beta2_power": power(0.999, 900)}) == 900


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (power(0.9, 5), power(0.999, 6), "that of step 5 at β1 = 0.9, but beta2_power = 0.9930211 that of step 6 at"),
        (ZERO, power(0.999, 827), "beta1_power = 0 is that of step 828 or later at β1 = 0.9, but beta2_power = 0.43"),
        (power(0.9, 5), ZERO, "but beta2_power = 0 that of step 87,293 or later at β2 = 0.999"),
        (power(0.8, 5), power(0.999, 5), "beta1_power = 0.262144 is no power of β = 0.9"),
        (power(0.9, 5), power(0.99, 5), "beta2_power = 0.9414802 is no power of β = 0.999"),
        (np.float32(1), np.float32(1), "beta1_power = 1 is no power of β = 0.9 that any step leaves; nearest is step"),
        (np.float32("nan"), ZERO, "beta1_power = nan is no power"),
        (np.float32("inf"), ZERO, "beta1_power = inf is no power"),
        (np.float32(-0.9), ZERO, "beta1_power = -0.9 is no power"),
    ],
)  # fmt: skip
def test_powers_of_no_step_or_of_two_are_refused(first, second, words):
    with pytest.raises(InputError, match=re.escape(words)):
        step_of({"beta1_power": first, "beta2_power": second})


@pytest.mark.parametrize(
    ("betas", "step"),
    [
        ((0.8, 0.99), 300), ((0.5, 0.999), 100), ((0.5, 0.9), 0), ((0.95, 0.9999), 1_500), ((0.9, 0.98), 700),
        ((0.85, 0.997), 400), ((0.9, 0.999), 0),
    ],
)  # fmt: skip
def test_other_betas_of_few_decimals_are_recovered_with_their_step(betas, step):
    powers = [power(beta, step) for beta in betas]
    assert recovered(tuple(map(float, powers))) == betas
    assert step_of(dict(zip(("beta1_power", "beta2_power"), powers, strict=True)), betas) == step


@pytest.mark.parametrize(
    "powers",
    [
        (power(0.123456, 4), power(0.9, 4)),
        (power(0.8, 5), power(0.99, 6)),
        (np.nextafter(power(0.8, 50), np.float32(1)), power(0.99, 50)),
        (ZERO, power(0.99, 500)),
        (np.float32(1), np.float32(1)),
        (np.float32("nan"), ZERO),
    ],
)
def test_betas_of_which_the_bits_do_not_tell_are_not_guessed(powers):
    """Of more decimals, of two steps, an ulp beside, flushed, and none."""
    assert recovered(tuple(map(float, powers))) is None


def test_random_powers_have_no_betas_by_chance():
    random = np.random.default_rng(0)
    pairs = random.uniform(1e-6, 0.999, (100, 2)).astype(np.float32)
    assert [pair for pair in pairs.tolist() if recovered(tuple(pair))] == []


def test_a_first_beta_of_0_is_counted_by_the_second():
    """TensorFlow's power of it is 0 from the start."""
    assert step_of({"beta1_power": ZERO, "beta2_power": power(0.9, 7)}, (0.0, 0.9)) == 7
