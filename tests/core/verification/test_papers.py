"""The transcriptions of the papers against the libraries that compute the same rules."""

from decimal import Decimal
from functools import cache

import jax
import numpy as np
import optax
import pytest
import tensorflow as tf
from keras import Variable, optimizers
from torch import float64, optim, tensor

from tests import papers

# Of mixed sign, from large to tiny to zero, each exactly a float32.
GRADIENTS = [float(np.float32(g)) for g in (0.3, -2.0, 250.0, -1e3, 40.0, 0.7, 1e-3, -2e-5, 1e-7, 1e-9, 0.0, 0.0)]


def of_torch(optimizer, slots, **settings):
    x = tensor([0.0], dtype=float64)
    optimizer = optimizer([x], **settings)

    def step(t, g, before):
        x.fill_(before).grad = tensor([g], dtype=float64)
        optimizer.step()
        return x, {name: optimizer.state[x][slot] for name, slot in slots.items()}

    return step


def of_optax(optimizer, slots):
    state = optimizer.init(jax.numpy.zeros(1, float))

    def step(t, g, before):
        nonlocal state
        x = jax.numpy.array([before])
        update, state = optimizer.update(jax.numpy.array([g]), state, x)
        # The trace of optax.rmsprop is of what is added to the parameter.
        return x + update, {n: optax.tree.get(state, slot) * (-1 if n == "b" else 1) for n, slot in slots.items()}

    return step


def of_keras(optimizer, slots):
    x = Variable([0.0])

    def step(t, g, before):
        x.assign([before])
        optimizer.apply([tf.constant([g])], [x])
        return x, {name: getattr(optimizer, slot)[0] for name, slot in slots.items()}

    return step


def of_kernel(kernel, slots, first_v=0.0, nesterov=None, **settings):
    x, *variables = [tf.Variable([first_v if name == "v" else 0.0], dtype=tf.float64) for name in ("x", *slots)]
    flags = {} if nesterov is None else dict(use_nesterov=nesterov)
    handles = {slot: variable.handle for slot, variable in zip(slots.values(), variables, strict=True)}

    def step(t, g, before):
        x.assign([before])
        powers = {f"{beta}_power": settings[beta] ** t for beta in settings if beta.startswith("beta")}
        numbers = {name: np.float64(value) for name, value in (settings | powers).items()}
        getattr(tf.raw_ops, f"ResourceApply{kernel}")(var=x.handle, grad=np.array([g]), **handles, **numbers, **flags)
        return x, dict(zip(slots, variables, strict=True))

    return step


# Keras computes in float32, so from settings that float32 holds exactly.
MU, MU_2 = dict(alpha=0.01, mu=0.9), dict(alpha=2.0**-6, mu=0.875)
ADAM = dict(alpha=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
ADAM_2 = dict(alpha=2.0**-6, beta_1=0.75, beta_2=0.9375, epsilon=2.0**-10)
RMS = dict(alpha=0.01, rho=0.9, epsilon=1e-3, centered=True, mu=0.5, first_v=0.0, epsilon_inside=True, rate_inside=True)
RMS_2 = RMS | dict(alpha=2.0**-6, rho=0.875, epsilon=2.0**-10)
OUTSIDE, FROM_1 = dict(epsilon_inside=False, rate_inside=False), dict(first_v=1.0)
W = dict(theta=2.0, decay=0.25, epsilon_hat=False)
INSIDE_K, ACCUM, TRACE, BUFFER = {"v": "momentums"}, {"v": "accum"}, {"v": "trace"}, {"v": "momentum_buffer"}
RMS_K = {"v": "_velocities", "mean_g": "_average_gradients", "b": "_momentums"}
RMS_OP, RMS_O, RMS_T = {"v": "ms", "b": "mom"}, {"v": "nu", "mean_g": "mu", "b": "trace"}, {"v": "square_avg"}
ADAM_K, ADAM_O, ADAM_T = {"m": "_momentums", "v": "_velocities"}, {"m": "mu", "v": "nu"}, {"m": "exp_avg", "v": "exp_avg_sq"}
CASES = {
    "momentum_rate_inside Keras": (MU_2, lambda alpha, mu: of_keras(optimizers.SGD(alpha, mu), INSIDE_K)),
    "momentum_rate_inside kernel": (MU, lambda alpha, mu: of_kernel("KerasMomentum", ACCUM, lr=alpha, momentum=mu)),
    "momentum_rate_outside kernel": (MU, lambda alpha, mu: of_kernel("Momentum", ACCUM, lr=alpha, momentum=mu)),
    "momentum_rate_outside Optax": (MU, lambda alpha, mu: of_optax(optax.sgd(alpha, mu), TRACE)),
    "momentum_rate_outside PyTorch": (MU | dict(dampening=0.3), lambda alpha, mu, dampening: of_torch(
        optim.SGD, BUFFER, lr=alpha, momentum=mu, dampening=dampening)),
    "nesterov_rate_inside Keras": (MU_2, lambda alpha, mu: of_keras(optimizers.SGD(alpha, mu, True), INSIDE_K)),
    "nesterov_rate_inside kernel": (MU, lambda alpha, mu: of_kernel(
        "KerasMomentum", ACCUM, nesterov=True, lr=alpha, momentum=mu)),
    "nesterov_rate_outside kernel": (MU, lambda alpha, mu: of_kernel(
        "Momentum", ACCUM, nesterov=True, lr=alpha, momentum=mu)),
    "nesterov_rate_outside Optax": (MU, lambda alpha, mu: of_optax(optax.sgd(alpha, mu, True), TRACE)),
    "nesterov_rate_outside PyTorch": (MU, lambda alpha, mu: of_torch(
        optim.SGD, BUFFER, lr=alpha, momentum=mu, nesterov=True)),
    "rmsprop Keras": (RMS_2, lambda alpha, rho, epsilon, centered, mu, **_: of_keras(
        optimizers.RMSprop(alpha, rho, mu, epsilon, centered), RMS_K)),
    "rmsprop kernel": (RMS | FROM_1 | dict(centered=False), lambda alpha, rho, epsilon, mu, **_: of_kernel(
        "RMSProp", RMS_OP, 1.0, lr=alpha, rho=rho, momentum=mu, epsilon=epsilon)),
    "rmsprop centered kernel": (RMS | FROM_1, lambda alpha, rho, epsilon, mu, **_: of_kernel(
        "CenteredRMSProp", RMS_OP | {"mean_g": "mg"}, 1.0, lr=alpha, rho=rho, momentum=mu, epsilon=epsilon)),
    "rmsprop Optax": (RMS | FROM_1, lambda alpha, rho, epsilon, centered, mu, first_v, **_: of_optax(
        optax.rmsprop(alpha, rho, epsilon, first_v, centered=centered, momentum=mu), RMS_O)),
    "rmsprop epsilon outside Optax": (RMS | dict(epsilon_inside=False), lambda alpha, rho, epsilon, mu, **_: of_optax(
        optax.rmsprop(alpha, rho, epsilon, eps_in_sqrt=False, centered=True, momentum=mu), RMS_O)),
    "rmsprop PyTorch": (RMS | OUTSIDE, lambda alpha, rho, epsilon, mu, **_: of_torch(
        optim.RMSprop, RMS_T | {"mean_g": "grad_avg", "b": "momentum_buffer"}, lr=alpha, alpha=rho, eps=epsilon,
        momentum=mu, centered=True)),
    "rmsprop plain PyTorch": (RMS | OUTSIDE | dict(centered=False, mu=0.0), lambda alpha, rho, epsilon, **_: of_torch(
        optim.RMSprop, RMS_T, lr=alpha, alpha=rho, eps=epsilon)),
    "adamw unscaled Optax": (ADAM | W | dict(form="unscaled"), lambda alpha, beta_1, beta_2, epsilon, decay, **_: of_optax(
        optax.chain(optax.scale_by_adam(beta_1, beta_2, epsilon), optax.scale(-alpha), optax.add_decayed_weights(-decay)),
        ADAM_O)),
    "adamw Optax": (ADAM | W | dict(form="sum"), lambda alpha, beta_1, beta_2, epsilon, decay, **_: of_optax(
        optax.adamw(alpha, beta_1, beta_2, epsilon, weight_decay=decay), ADAM_O)),
    "adamw Keras": (ADAM_2 | W | dict(form="before", epsilon_hat=True), lambda alpha, beta_1, beta_2, epsilon, decay, **_:
        of_keras(optimizers.AdamW(alpha, decay, beta_1, beta_2, epsilon), ADAM_K)),
    "adamw PyTorch": (ADAM | W | dict(form="shrink"), lambda alpha, beta_1, beta_2, epsilon, decay, **_: of_torch(
        optim.AdamW, ADAM_T, lr=alpha, betas=(beta_1, beta_2), eps=epsilon, weight_decay=decay)),
    "amsgrad paper Optax": (ADAM | dict(form="paper"), lambda alpha, beta_1, beta_2, epsilon, form: of_optax(
        optax.amsgrad(alpha, beta_1, beta_2, epsilon, bias_correction_mu=False, bias_correction_nu=False),
        ADAM_O | {"v_max": "nu_max"})),
    "amsgrad Optax": (ADAM | dict(form="corrected"), lambda alpha, beta_1, beta_2, epsilon, form: of_optax(
        optax.amsgrad(alpha, beta_1, beta_2, epsilon), ADAM_O | {"v_max": "nu_max"})),
    "amsgrad PyTorch": (ADAM | dict(form="raw"), lambda alpha, beta_1, beta_2, epsilon, form: of_torch(
        optim.Adam, ADAM_T | {"v_max": "max_exp_avg_sq"}, lr=alpha, betas=(beta_1, beta_2), eps=epsilon, amsgrad=True)),
    "amsgrad Keras": (ADAM_2 | dict(form="raw-hat"), lambda alpha, beta_1, beta_2, epsilon, form: of_keras(
        optimizers.Adam(alpha, beta_1, beta_2, epsilon, amsgrad=True), ADAM_K | {"v_max": "_velocity_hats"})),
    "amsgrad kernel": (ADAM | dict(form="raw-hat"), lambda alpha, beta_1, beta_2, epsilon, form: of_kernel(
        "AdamWithAmsgrad", {"m": "m", "v": "v", "v_max": "vhat"}, lr=alpha, beta1=beta_1, beta2=beta_2, epsilon=epsilon)),
}  # fmt: skip


@cache
def computed(case):
    """What the library keeps and subtracts, step by step, and the error that its dtype allows.

    12 steps of some 10 roundings each; 1 - beta_2^t, v less the square of the mean and moments of mixed sign lose
    another digit or two.
    """
    settings, library = CASES[case]
    x, rows = settings.get("theta", 0.0), []
    with jax.enable_x64(True):
        step = library(**settings)
        for t, g in enumerate(GRADIENTS, start=1):
            after, slots = step(t, g, x)
            dtype, after = np.asarray(after).dtype.name, Decimal(float(np.asarray(after)[0]))
            rows.append({name: Decimal(float(np.asarray(value)[0])) for name, value in slots.items()})
            rows[-1] |= {"x": after} if "theta" in settings else {"delta": -after}
            x = float(after) if "theta" in settings else 0.0
    return rows, {"float32": Decimal("1e-5"), "float64": Decimal("1e-13")}[dtype]


def differs(case, settings):
    """Where the library and the transcription differ, as (t, name)."""
    rows, tolerance = computed(case)
    steps = getattr(papers, case.split()[0])(GRADIENTS, **settings)
    pairs = [(t, n, row[n], step.get(n)) for t, (row, step) in enumerate(zip(rows, steps, strict=True), 1) for n in row]
    return [(t, n) for t, n, found, exact in pairs if exact is None or abs(found - exact) > tolerance * abs(exact)]


@pytest.mark.parametrize("case", CASES)
def test_a_transcription_states_what_the_library_computes(case):
    assert differs(case, CASES[case][0]) == []


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_setting_would_be_noticed(case):
    settings = CASES[case][0]
    for name, value in settings.items():
        if isinstance(value, bool):
            wrong = not value
        elif isinstance(value, str):
            wrong = "sum" if value == "unscaled" else "unscaled" if case.startswith("adamw") else "paper" if value != "paper" else "raw"
        else:
            wrong = value + 2.0**-10
        if not (name == "rate_inside" and settings["mu"] == 0):
            assert differs(case, settings | {name: wrong}), name
