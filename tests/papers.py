"""The update rules for one scalar coordinate, transcribed from their papers in 60-digit decimals.

Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; Loshchilov & Hutter, "Decoupled Weight Decay
Regularization", ICLR 2019; Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018; Duchi, Hazan &
Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12 (2011); Zeiler,
"ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701; Tieleman & Hinton, "Lecture 6.5: rmsprop", Coursera,
2012; Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850; Sutskever, Martens, Dahl & Hinton,
"On the importance of initialization and momentum in deep learning", ICML 2013; Robbins & Monro, "A Stochastic
Approximation Method", Ann. Math. Statist. 22 (1951); Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016
workshop; Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020; Chen et al., "Symbolic
Discovery of Optimization Algorithms", NeurIPS 2023; McMahan et al., "Ad Click Prediction: a View from the Trenches",
KDD 2013; Igel & Huesken, "Improving the Rprop Learning Algorithm", NC 2000. What only a library states, its source or
documentation states.

Every function takes a list of float gradients and float settings, converts each exactly, and returns one dict of
Decimals per step; `delta` is always what is subtracted from the parameter. A zero denominator (a zero gradient with no
epsilon) raises, as no paper defines that quotient.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from typing import Literal

DIGITS = Context(prec=60)
FADE = 0.96  # Dozat's, as a float, which the libraries have

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


def nadam(
    gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float, psi: float = 1.0,
    form: Literal["paper", "step", "constant", "kernel"],
) -> Steps:  # fmt: skip
    """Adam that looks ahead: `mu` of step t is beta_1 * (1 - 0.5 * 0.96^(psi * t)), `product` that of all so far.

    "paper": Dozat, Algorithm 2, with mu in the average m (and without the nu in front of n): delta = alpha * (mu_(t+1)
    * m / (1 - product of t + 1) + (1 - mu_t) * g / (1 - product of t)) / (sqrt(v_hat) + epsilon). "step": beta_1 in m:
    PyTorch, _single_tensor_nadam in torch/optim/nadam.py; with psi = 1, Keras, Nadam.update_step in
    keras/src/optimizers/nadam.py. "constant": mu is beta_1: Optax, nadam in optax/_src/alias.py. "kernel": both parts
    corrected by 1 - beta_1^t, and epsilon-hat: tf.raw_ops.ResourceApplyAdam with use_nesterov.
    """
    with localcontext(DIGITS):
        steps, most, product = _moments(gradients, Decimal(beta_1), Decimal(beta_2)), Decimal(beta_1), Decimal(1)
        m = Decimal(0)
        for t, (step, g) in enumerate(zip(steps, map(Decimal, gradients), strict=True), start=1):
            fades = (Decimal(FADE) ** (Decimal(psi) * time) for time in (t, t + 1))
            mu, mu_next = (most * (1 - fade / 2) for fade in fades) if form in ("paper", "step") else (most, most)
            m = (mu if form == "paper" else most) * m + (1 - (mu if form == "paper" else most)) * g
            product = product * mu
            now, ahead = 1 - product, 1 - (product if form == "kernel" else product * mu_next)
            v_hat, correction_2 = step.pop("v_hat"), step["correction_2"]
            denominator = v_hat.sqrt() + Decimal(epsilon)
            if form == "kernel":
                denominator = (step["v"].sqrt() + Decimal(epsilon)) / correction_2.sqrt()
            m_hat = mu_next * m / ahead + (1 - mu) * g / now
            step |= {"m": m, "m_hat": m_hat, "denominator": denominator, "delta": Decimal(alpha) * m_hat / denominator}
            if form in ("paper", "step"):
                del step["correction_1"]
                step |= {"mu": mu, "mu_next": mu_next, "product": product}
    return steps


def radam(
    gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float, threshold: float,
    raw: bool,
) -> Steps:  # fmt: skip
    """Liu et al., Algorithm 2, where rho > threshold (the paper: 4): delta = alpha * r * m_hat / sqrt(v_hat).

    Else delta = alpha * m_hat. The paper has no epsilon; beside sqrt(v_hat): Optax, scale_by_radam in
    optax/_src/transform.py; `raw`, beside sqrt(v): PyTorch, _single_tensor_radam in torch/optim/radam.py (threshold 5).
    """
    with localcontext(DIGITS):
        steps, b = _moments(gradients, Decimal(beta_1), Decimal(beta_2)), Decimal(beta_2)
        longest = 2 / (1 - b) - 1
        for t, step in enumerate(steps, start=1):
            length = longest - 2 * t * b**t / (1 - b**t)
            trusted = length > Decimal(threshold)
            part = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            r = part.sqrt() if trusted else Decimal(1)
            v_hat, eps, root_2 = step.pop("v_hat"), Decimal(epsilon), step["correction_2"].sqrt()
            denominator = (step["v"].sqrt() + eps) / root_2 if raw else v_hat.sqrt() + eps
            delta = Decimal(alpha) * step["m_hat"] * (r / denominator if trusted else 1)
            step |= {"length": length, "r": r, "denominator": denominator, "delta": delta}
    return steps


def adamax(
    gradients: Sequence[float], *, alpha: float, beta_1: float, beta_2: float, epsilon: float, in_slot: bool
) -> Steps:
    """Kingma & Ba, Algorithm 2: u <- max(beta_2 * u, |g|); theta <- theta - alpha / (1 - beta_1^t) * m / u.

    The paper has no epsilon; u + epsilon in the step: Keras, Adamax.update_step in keras/src/optimizers/adamax.py;
    tf.raw_ops.ResourceApplyAdaMax. `in_slot`, |g| + epsilon: PyTorch, _single_tensor_adamax in torch/optim/adamax.py;
    Optax, scale_by_adamax in optax/_src/transform.py.
    """
    with localcontext(DIGITS):
        m, u, eps, steps = Decimal(0), Decimal(0), Decimal(epsilon), []
        for t, g in enumerate(map(Decimal, gradients), start=1):
            m = Decimal(beta_1) * m + (1 - Decimal(beta_1)) * g
            u = max(Decimal(beta_2) * u, abs(g) + (eps if in_slot else 0))
            correction_1, denominator = 1 - Decimal(beta_1) ** t, u if in_slot else u + eps
            row = {"m": m, "u": u, "correction_1": correction_1, "m_hat": m / correction_1, "denominator": denominator}
            steps.append(row | {"delta": Decimal(alpha) / correction_1 * m / denominator})
    return steps


def lion(
    gradients: Sequence[float], *, theta: float, alpha: float, beta_1: float, beta_2: float, decay: float
) -> Steps:
    """Chen et al., Algorithm 2: theta <- theta - alpha * (sign(beta_1 * m + (1 - beta_1) * g) + decay * theta).

    Then m <- beta_2 * m + (1 - beta_2) * g. `theta` is the parameter before the first step, `x` the one after each.
    """
    with localcontext(DIGITS):
        x, m, steps = Decimal(theta), Decimal(0), []
        for g in map(Decimal, gradients):
            c = Decimal(beta_1) * m + (1 - Decimal(beta_1)) * g
            m = Decimal(beta_2) * m + (1 - Decimal(beta_2)) * g
            decayed = Decimal(alpha) * Decimal(decay) * x
            delta = Decimal(alpha) * ((c > 0) - (c < 0)) + decayed
            x = x - delta
            steps.append({"c": c, "m": m, "decayed": decayed, "delta": delta, "x": x})
    return steps


def ftrl(
    gradients: Sequence[float], *, theta: float, alpha: float, power: float, first_n: float, l1: float, l2: float,
    shrinkage: float, beta: float, twice: bool,
) -> Steps:  # fmt: skip
    """McMahan et al., Algorithm 1: theta <- 0 where |z| <= l1, else as follows.

    theta <- -(z - sign(z) * l1) / ((beta + sqrt(n)) / alpha + l2). Before that sigma = (sqrt(n + g^2) - sqrt(n)) /
    alpha, z <- z + g - sigma * theta, n <- n + g^2. With n^-power for sqrt(n), 2 * shrinkage * theta added to g in z,
    and l2 counted `twice`: Keras, Ftrl.update_step in keras/src/optimizers/ftrl.py; tf.raw_ops.ResourceApplyFtrlV2.
    """
    with localcontext(DIGITS):
        x, n, z, steps = Decimal(theta), Decimal(first_n), Decimal(0), []
        rate, bound, exponent = Decimal(alpha), Decimal(l1), -Decimal(power)
        for g in map(Decimal, gradients):
            sigma = ((n + g * g) ** exponent - n**exponent) / rate
            z, n = z + g + 2 * Decimal(shrinkage) * x - sigma * x, n + g * g
            quadratic = (Decimal(beta) + n**exponent) / rate + (2 if twice else 1) * Decimal(l2)
            after = Decimal(0) if abs(z) <= bound else -(z - (bound if z > 0 else -bound)) / quadratic
            row = {"n": n, "sigma": sigma, "z": z, "quadratic": quadratic, "delta": x - after, "x": after}
            x = after
            steps.append(row)
    return steps


def rprop(
    gradients: Sequence[float], *, first_size: float, eta_minus: float, eta_plus: float, smallest: float, largest: float
) -> Steps:
    """Igel & Huesken, Figure 2, iRprop-: a size grows while the gradient keeps its sign, and shrinks where it turns.

    Where it turns there is no step, and the gradient that is kept is 0. PyTorch: _single_tensor_rprop in
    torch/optim/rprop.py.
    """
    with localcontext(DIGITS):
        size, previous, steps = Decimal(first_size), Decimal(0), []
        for g in map(Decimal, gradients):
            if g * previous > 0:
                size = min(size * Decimal(eta_plus), Decimal(largest))
            elif g * previous < 0:
                size, g = max(size * Decimal(eta_minus), Decimal(smallest)), Decimal(0)
            previous = g
            steps.append({"previous": previous, "size": size, "delta": ((g > 0) - (g < 0)) * size})
    return steps
