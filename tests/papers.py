"""Adam, AdaGrad, Adadelta and SGD for one scalar coordinate, transcribed from their papers in 60-digit decimals.

Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; Duchi, Hazan & Singer, "Adaptive Subgradient
Methods for Online Learning and Stochastic Optimization", JMLR 12 (2011); Zeiler, "ADADELTA: An Adaptive Learning Rate
Method", arXiv:1212.5701; Robbins & Monro, "A Stochastic Approximation Method", Ann. Math. Statist. 22 (1951). Every
function takes a list of float gradients and float settings, converts each exactly, and returns one dict of Decimals per
step; `delta` is always what is subtracted from the parameter. A zero denominator (a zero gradient with no epsilon)
raises, as no paper defines that quotient.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext

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
