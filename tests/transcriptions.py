"""The formulas of the papers and libraries, written out once more from their sources, for NumPy numbers or arrays.

Nothing here comes from core, so that an error there is not repeated here. Every function takes the gradient, the
slots and the step, then the settings by name, and returns the update ("delta"), the new slots and the intermediate
values under the names that the rules use for their stages. All terms of these formulas have positive coefficients,
so the same function on |g| and |slots| gives Σ|terms|, the scale that rounding errors are measured by.
"""

import numpy as np


def adam_algorithm_1(g, slots, t, *, alpha, beta_1, beta_2, epsilon, corrections=None):
    """Kingma & Ba 2015, Algorithm 1; torch/optim/adam.py; Optax's scale_by_adam with eps_root = 0."""
    m = beta_1 * slots["m"] + (1 - beta_1) * g
    v = beta_2 * slots["v"] + (1 - beta_2) * g**2
    c_1, c_2 = corrections or (1 - beta_1**t, 1 - beta_2**t)
    m_hat = m / c_1
    v_hat = v / c_2
    root = np.sqrt(v_hat) + epsilon
    delta = alpha * m_hat / root
    return dict(delta=delta, m=m, v=v, correction_1=c_1, correction_2=c_2, m_hat=m_hat, v_hat=v_hat, denominator=root)


def adam_epsilon_hat(g, slots, t, *, alpha, beta_1, beta_2, epsilon, corrections=None):
    """Kingma & Ba 2015, end of section 2; ApplyAdam in TensorFlow's training_ops.cc; keras/src/optimizers/adam.py."""
    m = slots["m"] + (g - slots["m"]) * (1 - beta_1)
    v = slots["v"] + (g**2 - slots["v"]) * (1 - beta_2)
    c_1, c_2 = corrections or (1 - beta_1**t, 1 - beta_2**t)
    alpha_t = alpha * np.sqrt(c_2) / c_1
    root = np.sqrt(v) + epsilon
    delta = m * alpha_t / root
    return dict(
        delta=delta, m=m, v=v, correction_1=c_1, correction_2=c_2, m_hat=m / c_1, v_hat=v / c_2, denominator=root
    )


def adagrad_outside_root(g, slots, t, *, eta, epsilon):
    """Duchi, Hazan & Singer 2011, Figure 1; torch/optim/adagrad.py; ApplyAdagrad in training_ops.cc with ε = 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a) + epsilon
    return dict(delta=eta * g / root, a=a, denominator=root)


def adagrad_inside_root(g, slots, t, *, eta, epsilon):
    """keras/src/optimizers/adagrad.py; Optax's scale_by_rss wherever the accumulator is not 0."""
    a = slots["a"] + g**2
    root = np.sqrt(a + epsilon)
    return dict(delta=eta * g / root, a=a, denominator=root)


def adadelta(g, slots, t, *, alpha, rho, epsilon):
    """Zeiler 2012, Algorithm 1 (α = 1); ApplyAdadelta in training_ops.cc; Keras, PyTorch and Optax likewise."""
    mean_g2 = rho * slots["mean_g2"] + (1 - rho) * g**2
    rms_dx = np.sqrt(slots["mean_dx2"] + epsilon)
    rms_g = np.sqrt(mean_g2 + epsilon)
    dx = rms_dx / rms_g * g
    mean_dx2 = rho * slots["mean_dx2"] + (1 - rho) * dx**2
    return dict(delta=alpha * dx, mean_g2=mean_g2, mean_dx2=mean_dx2, rms_dx=rms_dx, rms_g=rms_g, dx=dx)
