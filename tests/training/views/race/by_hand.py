"""Costs, gradients and rules once more, in NumPy and by hand: nothing here comes from core or from training."""

import numpy as np

C, S = np.sqrt(3) / 2, 0.5
"""Cosine and sine of 30°."""


def beale_residuals(x, y):
    return 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y


COSTS = {
    "rosenbrock": lambda x, y: 1 - 2 * x + x * x + 100 * (y * y - 2 * x * x * y + x * x * x * x),
    "beale": lambda x, y: sum(r * r for r in beale_residuals(x, y)),
    "himmelblau": lambda x, y: (x * x + y - 11) * (x * x + y - 11) + (x + y * y - 7) * (x + y * y - 7),
    "rastrigin": lambda x, y: 20 + x * x + y * y - 10 * np.cos(2 * np.pi * x) - 10 * np.cos(2 * np.pi * y),
    "saddle": lambda x, y: x * x * (x * x - 2) / 4 + y * y / 2,
    "quadratic": lambda x, y: (C * x + S * y) ** 2 / 2 + 50 * (C * y - S * x) ** 2,
}

GRADIENTS = {
    "rosenbrock": lambda x, y: (-2 + 2 * x - 400 * x * (y - x * x), 200 * (y - x * x)),
    "beale": lambda x, y: (
        2 * sum(r * d for r, d in zip(beale_residuals(x, y), (y - 1, y * y - 1, y * y * y - 1), strict=True)),
        2 * sum(r * d for r, d in zip(beale_residuals(x, y), (x, 2 * x * y, 3 * x * y * y), strict=True)),
    ),
    "himmelblau": lambda x, y: (
        4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7),
    ),
    "rastrigin": lambda x, y: (
        2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 2 * y + 20 * np.pi * np.sin(2 * np.pi * y),
    ),
    "saddle": lambda x, y: (x * x * x - x, y),
    "quadratic": lambda x, y: (
        C * (C * x + S * y) - 100 * S * (C * y - S * x), S * (C * x + S * y) + 100 * C * (C * y - S * x),
    ),
}  # fmt: skip


def sgd(alpha):
    return lambda g, t, s: (alpha * g, s)


def adam(alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Kingma & Ba, Algorithm 1."""

    def step(g, t, s):
        m, v = s or (0.0, 0.0)
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
        return alpha * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon), (m, v)

    return step


def adagrad(alpha, delta=1e-10):
    """Duchi, Hazan & Singer, Figure 1."""

    def step(g, t, s):
        total = (0.0 if s is None else s) + g**2
        return alpha * g / (delta + np.sqrt(total)), total

    return step


def adadelta(alpha, rho=0.95, epsilon=1e-6):
    """Zeiler, Algorithm 1, its update times α."""

    def step(g, t, s):
        g2, dx2 = s or (0.0, 0.0)
        g2 = rho * g2 + (1 - rho) * g**2
        dx = np.sqrt(dx2 + epsilon) / np.sqrt(g2 + epsilon) * g
        return alpha * dx, (g2, rho * dx2 + (1 - rho) * dx**2)

    return step


RULES = {"sgd": sgd, "adam": adam, "adagrad": adagrad, "adadelta": adadelta}


def run(landscape, step, start, noise):
    """[steps + 1, 2] the way of a rule from a start; noise [steps, 2] is added to the gradients."""
    x, slots, way = np.array(start), None, [np.array(start)]
    for t, drawn in enumerate(noise, start=1):
        delta, slots = step(np.array(GRADIENTS[landscape](*x)) + drawn, t, slots)
        x = x - delta
        way.append(x)
    return np.array(way)
