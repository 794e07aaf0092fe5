"""The transcriptions of the papers against the libraries that compute the same rules, step by step."""

import inspect
from functools import partial

import jax
import numpy as np
import optax
import pytest
import tensorflow as tf
from keras import Variable, optimizers
from tensorflow import raw_ops as ops
from torch import float64, optim, tensor

from tests import papers

# Of mixed sign, from large to tiny to zero. Keras computes in float32, which holds them and all settings exactly.
GRADIENTS = [float(np.float32(g)) for g in (0.3, -2.0, 250.0, -1e3, 40.0, 0.7, 1e-3, -2e-5, 1e-7, 1e-9, 0.0, 0.0)]


def keras_steps(make, slots, x, keep, **settings):
    """The parameter and the slots after each step; the parameter moves on (keep = 1) or starts from 0 again (0)."""
    x, optimizer = Variable([x]), make(**settings)
    for g in GRADIENTS:
        x.assign(x * keep)
        optimizer.apply([tf.constant([g])], [x])
        yield x, {name: getattr(optimizer, slot)[0] for name, slot in slots.items()}


def torch_steps(make, slots, x, keep, **settings):
    betas = [settings.pop(beta) for beta in ("beta_1", "beta_2") if beta in settings]
    x = tensor([x], dtype=float64)
    optimizer = make([x], **settings | ({"betas": betas} if betas else {}))
    for g in GRADIENTS:
        x.mul_(keep).grad = tensor([g], dtype=float64)
        optimizer.step()
        yield x, {name: optimizer.state[x][slot] for name, slot in slots.items()}


def optax_steps(make, slots, x, keep, **settings):
    x, optimizer = jax.numpy.array([x]), make(**settings)
    state = optimizer.init(x)
    for g in GRADIENTS:
        update, state = optimizer.update(jax.numpy.array([g]), state, x * keep)
        x = x * keep + update
        yield x, {name: optax.tree.get(state, slot) * (-1 if name == "b" else 1) for name, slot in slots.items()}


def tf1_steps(make, slots, x, keep, first_v=0.0, **settings):
    x, kept = tf.Variable(np.array([x])), {name: tf.Variable(np.array([first_v * (name in "vn")])) for name in slots}
    takes, handles = inspect.signature(make).parameters, {slot: kept[name].handle for name, slot in slots.items()}
    for t, g in enumerate(GRADIENTS, start=1):
        x.assign(x * keep)
        betas = [name for name in ("beta1", "beta2") if f"{name}_power" in takes]
        powers = {f"{name}_power": settings[name] ** t for name in betas}
        make(var=x.handle, grad=np.array([g]), **handles, **{n: np.float64(v) for n, v in (settings | powers).items()})
        yield x, kept


NAMES = (
    "alpha mu dampening rho epsilon first_v centered epsilon_inside beta_1 beta_2 decay first_n power l1 l2 shrinkage"
)
OF_FTRL = "initial_accumulator_value learning_rate_power l1_regularization_strength l2_regularization_strength"
KERAS = (keras_steps, 1e-6, "learning_rate momentum - rho epsilon - centered - beta_1 beta_2 weight_decay "
         f"{OF_FTRL} l2_shrinkage_regularization_strength")  # fmt: skip
TORCH = (torch_steps, 2e-15, "lr momentum dampening alpha eps - centered - beta_1 beta_2 weight_decay - - - - -")
NARROW = (torch_steps, 1e-7, TORCH[2])  # of whose numbers one is in float32
OPTAX = (optax_steps, 2e-15, "learning_rate momentum - decay eps initial_scale centered eps_in_sqrt b1 b2 weight_decay "
         "- - - - -")  # fmt: skip
TF1 = (tf1_steps, 2e-15, "lr momentum - rho epsilon first_v - - beta1 beta2 - first_v lr_power l1 l2 l2_shrinkage")
MU, ADAM = dict(alpha=0.25, mu=0.875), dict(alpha=0.25, beta_1=0.75, beta_2=0.9375, epsilon=0.125)
W, HAT, PLAIN = ADAM | dict(theta=16.0, decay=0.25, epsilon_hat=False), dict(form="raw-hat"), dict(centered=False)
RMS = dict(alpha=0.5, rho=0.75, epsilon=0.25, centered=True, mu=0.5, first_v=0.0, epsilon_inside=True, rate_inside=True)
RMS_1, RMS_T = RMS | dict(first_v=1.0), RMS | dict(epsilon_inside=False, rate_inside=False)
SCHEDULED = ADAM | dict(psi=0.25, form="step")
LION, MAX = dict(theta=16.0, alpha=0.25, beta_1=0.75, beta_2=0.9375, decay=0.25), ADAM | dict(in_slot=True)
FTRL = dict(theta=-1.5, alpha=0.25, power=-0.5, first_n=0.25, l1=0.5, l2=0.125, shrinkage=0.0625, beta=0.0, twice=True)
SIZES = dict(first_size=0.0625, eta_minus=0.25, eta_plus=3.0, smallest=0.015625, largest=0.0625)
MV_K, MV_T, MV_O = dict(m="_momentums", v="_velocities"), dict(m="exp_avg", v="exp_avg_sq"), dict(m="mu", v="nu")
CASES = [
    ("momentum_rate_inside", KERAS, MU, optimizers.SGD, dict(v="momentums")),
    ("momentum_rate_inside", TF1, MU, ops.ResourceApplyKerasMomentum, dict(v="accum")),
    ("momentum_rate_outside", TF1, MU, ops.ResourceApplyMomentum, dict(v="accum")),
    ("momentum_rate_outside", OPTAX, MU, optax.sgd, dict(v="trace")),
    ("momentum_rate_outside", TORCH, MU | dict(dampening=0.25), optim.SGD, dict(v="momentum_buffer")),
    ("nesterov_rate_inside", KERAS, MU, partial(optimizers.SGD, nesterov=True), dict(v="momentums")),
    ("nesterov_rate_inside", TF1, MU, partial(ops.ResourceApplyKerasMomentum, use_nesterov=True), dict(v="accum")),
    ("nesterov_rate_outside", TF1, MU, partial(ops.ResourceApplyMomentum, use_nesterov=True), dict(v="accum")),
    ("nesterov_rate_outside", OPTAX, MU, partial(optax.sgd, nesterov=True), dict(v="trace")),
    ("nesterov_rate_outside", TORCH, MU, partial(optim.SGD, nesterov=True), dict(v="momentum_buffer")),
    ("rmsprop", KERAS, RMS, optimizers.RMSprop, dict(v="_velocities", mean_g="_average_gradients", b="_momentums")),
    ("rmsprop", TF1, RMS_1, ops.ResourceApplyCenteredRMSProp, dict(v="ms", mean_g="mg", b="mom")),
    ("rmsprop", TF1, RMS_1 | PLAIN, ops.ResourceApplyRMSProp, dict(v="ms", b="mom")),
    ("rmsprop", OPTAX, RMS_1, optax.rmsprop, dict(v="nu", mean_g="mu", b="trace")),
    ("rmsprop", OPTAX, RMS | dict(epsilon_inside=False), optax.rmsprop, dict(v="nu", mean_g="mu", b="trace")),
    ("rmsprop", TORCH, RMS_T, optim.RMSprop, dict(v="square_avg", mean_g="grad_avg", b="momentum_buffer")),
    ("rmsprop", TORCH, RMS_T | PLAIN | dict(mu=0.0), optim.RMSprop, dict(v="square_avg")),
    ("adamw", OPTAX, W | dict(form="unscaled"), lambda learning_rate, weight_decay, **adam: optax.chain(
        optax.scale_by_adam(**adam), optax.scale(-learning_rate), optax.add_decayed_weights(-weight_decay)), MV_O),
    ("adamw", OPTAX, W | dict(form="sum"), optax.adamw, MV_O),
    ("adamw", KERAS, W | dict(form="before", epsilon_hat=True), optimizers.AdamW, MV_K),
    ("adamw", TORCH, W | dict(form="shrink"), optim.AdamW, MV_T),
    ("amsgrad", OPTAX, ADAM | dict(form="paper"), partial(
        optax.amsgrad, bias_correction_mu=False, bias_correction_nu=False), MV_O | dict(v_max="nu_max")),
    ("amsgrad", OPTAX, ADAM | dict(form="corrected"), optax.amsgrad, MV_O | dict(v_max="nu_max")),
    ("amsgrad", TORCH, ADAM | dict(form="raw"), partial(optim.Adam, amsgrad=True), MV_T | dict(v_max="max_exp_avg_sq")),
    ("amsgrad", KERAS, ADAM | HAT, partial(optimizers.Adam, amsgrad=True), MV_K | dict(v_max="_velocity_hats")),
    ("amsgrad", TF1, ADAM | HAT, ops.ResourceApplyAdamWithAmsgrad, dict(m="m", v="v", v_max="vhat")),
    ("nadam", KERAS, SCHEDULED | dict(psi=1.0), optimizers.Nadam, MV_K),
    ("nadam", NARROW, SCHEDULED, partial(optim.NAdam, momentum_decay=0.25), MV_T),
    ("nadam", OPTAX, ADAM | dict(form="constant"), optax.nadam, MV_O),
    ("nadam", TF1, ADAM | dict(form="kernel"), partial(ops.ResourceApplyAdam, use_nesterov=True), dict(
        m="m", v="v")),
    ("radam", TORCH, ADAM | dict(threshold=5.0, raw=True), optim.RAdam, MV_T),
    ("radam", OPTAX, ADAM | dict(threshold=6.0, raw=False), partial(optax.radam, threshold=6.0), MV_O),
    ("adamax", TORCH, MAX, optim.Adamax, dict(m="exp_avg", u="exp_inf")),
    ("adamax", OPTAX, MAX, optax.adamax, dict(m="mu", u="nu")),
    ("adamax", KERAS, MAX | dict(in_slot=False), optimizers.Adamax, dict(m="_m", u="_u")),
    ("adamax", TF1, MAX | dict(in_slot=False), ops.ResourceApplyAdaMax, dict(m="m", u="v")),
    ("lion", OPTAX, LION, optax.lion, dict(m="mu")),
    ("lion", KERAS, LION, optimizers.Lion, dict(m="_momentums")),
    ("ftrl", KERAS, FTRL, optimizers.Ftrl, dict(n="_accumulators", z="_linears")),
    ("ftrl", (tf1_steps, 2e-14, TF1[2]), FTRL, ops.ResourceApplyFtrlV2, dict(n="accum", z="linear")),
    ("rprop", TORCH, SIZES, lambda x: optim.Rprop(x, 0.0625, etas=(0.25, 3.0), step_sizes=(0.015625, 0.0625)), dict(
        previous="prev", size="step_size")),
]  # fmt: skip
FORMS = dict(unscaled="sum", sum="unscaled", before="unscaled", shrink="unscaled", raw="raw-hat")
FORMS |= dict(step="constant", constant="kernel", kernel="constant")
WRONG = {float: lambda x: x + 2.0**-10, bool: lambda flag: not flag, str: lambda form: FORMS.get(form, "raw")}


@pytest.mark.parametrize(("rule", "library", "settings", "make", "slots"), CASES)
def test_a_transcription_is_what_the_library_computes_and_a_wrong_setting_shows(rule, library, settings, make, slots):
    """The errors allowed are of 12 steps of some 10 roundings each; measured: 3e-16, and 2.4e-7 for Keras."""
    (run, tolerance, names), moves, kept = library, "theta" in settings, {}
    pairs = [pair for pair in zip(NAMES.split(), names.split(), strict=True) if "-" not in pair]
    named = {theirs: settings[ours] for ours, theirs in pairs if ours in settings}
    with jax.enable_x64(True):
        for t, (x, row) in enumerate(run(make, slots, settings.get("theta", 0.0), float(moves), **named)):
            kept |= {(t, name): float(value[0]) for name, value in row.items()}
            kept[t, "x" if moves else "delta"] = float(x[0]) if moves else -float(x[0])

    def transcribed(**wrong):
        steps = getattr(papers, rule)(GRADIENTS, **settings | wrong)
        return pytest.approx({(t, name): float(steps[t].get(name, "nan")) for t, name in kept}, rel=tolerance, abs=0)

    assert kept == transcribed()
    by = {"threshold": 4.0} | ({"beta_1": -0.75} if rule == "lion" else {})  # what decides shows where it decides
    for name in settings.keys() - ({"rate_inside"} if settings.get("mu") == 0 else set()):
        assert kept != transcribed(
            **{name: settings[name] + by[name] if name in by else WRONG[type(settings[name])](settings[name])}
        ), name
