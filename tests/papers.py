"""The update rules for one scalar coordinate, transcribed from their papers in 60-digit decimals.

Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; Loshchilov & Hutter, "Decoupled Weight Decay
Regularization", ICLR 2019; Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018; Duchi, Hazan &
Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12 (2011); Zeiler,
"ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701; Tieleman & Hinton, "Lecture 6.5: rmsprop", Coursera,
2012; Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850; Sutskever, Martens, Dahl & Hinton,
"On the importance of initialization and momentum in deep learning", ICML 2013; Robbins & Monro, "A Stochastic
Approximation Method", Ann. Math. Statist. 22 (1951). What only a library states, its source or documentation states.

Every function takes a list of float gradients and float settings, converts each exactly, and returns one dict of
Decimals per step; `delta` is always what is subtracted from the parameter. A zero denominator (a zero gradient with no
epsilon) raises, as no paper defines that quotient.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from typing import Literal

DIGITS = Context(prec=60)

Steps = list[dict[str, Decimal]]


def _moments(gradients: Sequence[float], beta_1: Decimal, beta_2: Decimal) -> Steps:
    """Adam's moments and bias corrections: Kingma & Ba, Algorithm 1, up to v_hat (the corrections: section 3)."""
    m = v = Decimal(0)
    steps: Steps = []
    for t, g in enumerate(map(Decimal, gradients), start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * (g * g)
        correction_1, correction_2 = 1 - beta_1**t, 1 - beta_2**t
        corrections = {"correction_1": correction_1, "correction_2": correction_2}
        steps.append({"m": m, "v": v, **corrections, "m_hat": m / correction_1, "v_hat": v / correction_2})
    return steps


def adam(gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float) -> Steps:
    """Kingma & Ba, Algorithm 1: theta <- theta - alpha * m_hat / (sqrt(v_hat) + epsilon)."""
    with localcontext(DIGITS):
        steps = _moments(gradients, Decimal(beta_1), Decimal(beta_2))
        for step in steps:
            step["denominator"] = step["v_hat"].sqrt() + Decimal(epsilon)
            step["delta"] = Decimal(alpha) * step["m_hat"] / step["denominator"]
    return steps


def adam_epsilon_hat(
    gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float
) -> Steps:
    """Kingma & Ba, end of section 2 (the reordered last three lines of Algorithm 1), epsilon being epsilon-hat.

    alpha_t = alpha * sqrt(1 - beta_2^t) / (1 - beta_1^t); theta <- theta - alpha_t * m / (sqrt(v) + epsilon-hat).
    `denominator` is (sqrt(v) + epsilon-hat) / sqrt(1 - beta_2^t), so that delta = alpha * m_hat / denominator.
    """
    with localcontext(DIGITS):
        steps = _moments(gradients, Decimal(beta_1), Decimal(beta_2))
        for step in steps:
            alpha_t = Decimal(alpha) * step["correction_2"].sqrt() / step["correction_1"]
            root_plus_epsilon = step["v"].sqrt() + Decimal(epsilon)
            step["denominator"] = root_plus_epsilon / step["correction_2"].sqrt()
            step["delta"] = alpha_t * step["m"] / root_plus_epsilon
    return steps


def adagrad(gradients: Sequence[float], *, eta: float, delta_0: float, first_accumulator: float) -> Steps:
    """Duchi, Hazan & Singer, Figure 1 (diagonal), with the composite mirror descent update, equation 4, and phi = 0.

    s_t = sqrt(sum of g^2), H_t = delta + s_t, x <- x - eta * g / H_t. The paper's sum starts from nothing
    (first_accumulator = 0); `delta_0` is its delta.
    """
    with localcontext(DIGITS):
        a, steps = Decimal(first_accumulator), []
        for g in map(Decimal, gradients):
            a = a + g * g
            denominator = Decimal(delta_0) + a.sqrt()
            steps.append({"a": a, "denominator": denominator, "delta": Decimal(eta) * g / denominator})
    return steps


def adagrad_inside_root(gradients: Sequence[float], *, eta: float, epsilon: float, first_accumulator: float) -> Steps:
    """As `adagrad` (Duchi, Hazan & Singer, Figure 1), but H_t = sqrt(a_t + epsilon): a variant not in the paper."""
    with localcontext(DIGITS):
        a, steps = Decimal(first_accumulator), []
        for g in map(Decimal, gradients):
            a = a + g * g
            denominator = (a + Decimal(epsilon)).sqrt()
            steps.append({"a": a, "denominator": denominator, "delta": Decimal(eta) * g / denominator})
    return steps


def adadelta(gradients: Sequence[float], *, rho: float, epsilon: float, alpha: float) -> Steps:
    """Zeiler, Algorithm 1: RMS by equation 9, update by equation 14 (without its minus sign, as `dx`).

    `alpha` multiplies only the applied step, after E[dx^2] has accumulated the unscaled dx (the paper: alpha = 1).
    """
    with localcontext(DIGITS):
        decay, eps = Decimal(rho), Decimal(epsilon)
        mean_g2 = mean_dx2 = Decimal(0)
        steps = []
        for g in map(Decimal, gradients):
            mean_g2 = decay * mean_g2 + (1 - decay) * (g * g)
            rms_dx, rms_g = (mean_dx2 + eps).sqrt(), (mean_g2 + eps).sqrt()
            dx = rms_dx / rms_g * g
            mean_dx2 = decay * mean_dx2 + (1 - decay) * (dx * dx)
            row = {"mean_g2": mean_g2, "rms_dx": rms_dx, "rms_g": rms_g, "dx": dx}
            steps.append({**row, "mean_dx2": mean_dx2, "delta": Decimal(alpha) * dx})
    return steps


def sgd(gradients: Sequence[float], *, alpha: float) -> Steps:
    """Robbins & Monro, with a constant step: theta <- theta - alpha * g."""
    with localcontext(DIGITS):
        return [{"delta": Decimal(alpha) * Decimal(g)} for g in gradients]


def momentum_rate_inside(gradients: Sequence[float], *, alpha: float, mu: float) -> Steps:
    """Sutskever et al., equations 1 and 2: v <- mu * v - alpha * g; theta <- theta + v.

    Keras: SGD.update_step in keras/src/optimizers/sgd.py. v is what is added: minus delta.
    """
    with localcontext(DIGITS):
        v, steps = Decimal(0), []
        for g in map(Decimal, gradients):
            v = Decimal(mu) * v - Decimal(alpha) * g
            steps.append({"v": v, "delta": -v})
    return steps


def momentum_rate_outside(gradients: Sequence[float], *, alpha: float, mu: float, dampening: float = 0.0) -> Steps:
    """As `momentum_rate_inside`, with the rate outside: v <- mu * v + (1 - dampening) * g; theta <- theta - alpha * v.

    TF1: tf.raw_ops.ResourceApplyMomentum; Optax: trace in optax/transforms/_accumulation.py (both without dampening);
    PyTorch: _single_tensor_sgd in torch/optim/sgd.py, where the first v is g itself, undamped.
    """
    with localcontext(DIGITS):
        v, steps = None, []
        for g in map(Decimal, gradients):
            v = g if v is None else Decimal(mu) * v + (1 - Decimal(dampening)) * g
            steps.append({"v": v, "delta": Decimal(alpha) * v})
    return steps


def nesterov_rate_inside(gradients: Sequence[float], *, alpha: float, mu: float) -> Steps:
    """Sutskever et al., equations 3 and 4, followed at the point where they take the gradient, phi = theta + mu * v.

    v <- mu * v - alpha * g(phi); theta <- theta + v; so phi <- phi + mu * v - alpha * g with the new v, which is Keras
    with nesterov=True (SGD.update_step in keras/src/optimizers/sgd.py), whose parameter is phi.
    """
    with localcontext(DIGITS):
        v, steps = Decimal(0), []
        for g in map(Decimal, gradients):
            v = Decimal(mu) * v - Decimal(alpha) * g
            steps.append({"v": v, "delta": -(Decimal(mu) * v - Decimal(alpha) * g)})
    return steps


def nesterov_rate_outside(gradients: Sequence[float], *, alpha: float, mu: float) -> Steps:
    """As `nesterov_rate_inside`, with the rate outside: v <- mu * v + g; theta <- theta - alpha * (g + mu * v).

    TF1: tf.raw_ops.ResourceApplyMomentum with use_nesterov; PyTorch: _single_tensor_sgd in torch/optim/sgd.py; Optax:
    trace in optax/transforms/_accumulation.py.
    """
    with localcontext(DIGITS):
        v, steps = Decimal(0), []
        for g in map(Decimal, gradients):
            v = Decimal(mu) * v + g
            steps.append({"v": v, "delta": Decimal(alpha) * (g + Decimal(mu) * v)})
    return steps


def rmsprop(
    gradients: Sequence[float], *, alpha: float, rho: float, epsilon: float, centered: bool, mu: float, first_v: float,
    epsilon_inside: bool, rate_inside: bool,
) -> Steps:  # fmt: skip
    """Tieleman & Hinton, slide 29: v <- rho * v + (1 - rho) * g^2 with rho = 0.9; g is divided by the root of v.

    Centered, with momentum, epsilon and the rate inside: Graves, equations 38 to 41; Keras, RMSprop.update_step in
    keras/src/optimizers/rmsprop.py; TF1, from first_v = 1, tf.raw_ops.ResourceApplyCenteredRMSProp and
    tensorflow/python/training/rmsprop.py. Both outside: PyTorch, _single_tensor_rmsprop in torch/optim/rmsprop.py.
    Epsilon either way, the rate inside: Optax, rmsprop in optax/_src/alias.py, whose trace is -b.
    """
    with localcontext(DIGITS):
        decay, rate, eps = Decimal(rho), Decimal(alpha), Decimal(epsilon)
        v, mean_g, b, steps = Decimal(first_v), Decimal(0), Decimal(0), []
        for g in map(Decimal, gradients):
            v = decay * v + (1 - decay) * (g * g)
            mean_g = decay * mean_g + (1 - decay) * g
            square = v - mean_g * mean_g if centered else v
            denominator = (square + eps).sqrt() if epsilon_inside else square.sqrt() + eps
            b = Decimal(mu) * b + (rate * g if rate_inside else g) / denominator
            row = {"v": v} | ({"mean_g": mean_g} if centered else {}) | {"denominator": denominator}
            steps.append(row | ({"b": b} if mu > 0 else {}) | {"delta": b if rate_inside else rate * b})
    return steps


def adamw(
    gradients: Sequence[float], *, theta: float, alpha: float, beta_1: float, beta_2: float, epsilon: float,
    decay: float, epsilon_hat: bool, form: Literal["unscaled", "sum", "before", "shrink"],
) -> Steps:  # fmt: skip
    """Adam plus decoupled weight decay; `theta` is the parameter before the first step, `x` the one after each.

    "unscaled": Loshchilov & Hutter, Algorithm 2, line 12, with schedule multiplier 1: theta <- theta - (alpha * m_hat /
    (sqrt(v_hat) + epsilon) + decay * theta). The libraries scale the decay by alpha as well: "sum": Optax, adamw in
    optax/_src/alias.py; "before": Keras, _apply_weight_decay in keras/src/optimizers/base_optimizer.py, then Adam with
    epsilon-hat; "shrink": PyTorch, _single_tensor_adam in torch/optim/adam.py.
    """
    adam_form = adam_epsilon_hat if epsilon_hat else adam
    steps = adam_form(gradients, alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    with localcontext(DIGITS):
        before, rate, rate_of_decay = Decimal(theta), Decimal(alpha), Decimal(decay)
        for step in steps:
            decayed = {
                "unscaled": rate_of_decay * before,
                "sum": rate * (rate_of_decay * before),
                "before": before * rate_of_decay * rate,
                "shrink": before - before * (1 - rate * rate_of_decay),
            }[form]
            step |= {"adaptive": step["delta"], "decayed": decayed, "delta": step["delta"] + decayed}
            step["x"] = before = before - step["delta"]
    return steps


def amsgrad(
    gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float,
    form: Literal["paper", "raw", "raw-hat", "corrected"],
) -> Steps:  # fmt: skip
    """Adam whose second moment is the greatest so far, `v_max`.

    "paper": Reddi, Kale & Kumar, Algorithm 2, with neither projection nor epsilon: theta <- theta - alpha * m /
    sqrt(v_max). The libraries correct the bias: "raw": the greatest v, then corrected: PyTorch, _single_tensor_adam in
    torch/optim/adam.py; "raw-hat": the same with epsilon-hat: Keras, Adam.update_step in keras/src/optimizers/adam.py;
    tf.raw_ops.ResourceApplyAdamWithAmsgrad; "corrected": the greatest v_hat: Optax, amsgrad in optax/_src/alias.py.
    """
    with localcontext(DIGITS):
        steps, v_max = _moments(gradients, Decimal(beta_1), Decimal(beta_2)), Decimal(0)
        for step in steps:
            v_hat, correction_2 = step.pop("v_hat"), step["correction_2"]
            step["v_max"] = v_max = max(v_max, v_hat if form == "corrected" else step["v"])
            step["denominator"] = {
                "paper": v_max.sqrt() + Decimal(epsilon),
                "raw": (v_max / correction_2).sqrt() + Decimal(epsilon),
                "raw-hat": (v_max.sqrt() + Decimal(epsilon)) / correction_2.sqrt(),
                "corrected": v_max.sqrt() + Decimal(epsilon),
            }[form]
            if form == "paper":
                del step["correction_1"], step["correction_2"], step["m_hat"]
            step["delta"] = Decimal(alpha) * step["m" if form == "paper" else "m_hat"] / step["denominator"]
    return steps
