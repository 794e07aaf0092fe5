"""RMSprop, plain, centred and with momentum: Tieleman & Hinton 2012, Graves 2013, and PyTorch's other places."""

import numpy as np

from ..card import Card, Plan, Spelling
from ..formulas import Formula, average
from ..rounded import either


def inside(g, slots, *, learning_rate, rho, epsilon, momentum):
    """Tieleman & Hinton 2012; Graves 2013, section 4.2; keras/src/optimizers/rmsprop.py; Apply(Centered)RMSProp in
    training_ops.cc; Optax's scale_by_rms and scale_by_stddev, the rate and then trace."""
    values = dict(v=average(slots["v"], g**2, rho))
    under = values["v"] + epsilon
    if "mean_g" in slots:
        values |= dict(mean_g=average(slots["mean_g"], g, rho))
        orders = (lambda v, mean: v - mean**2 + epsilon, lambda v, mean: v + epsilon - mean**2)
        under = either((values["v"], values["mean_g"]), *orders)
    root = np.sqrt(under)
    step = either((g, root), lambda g, root: g * learning_rate / root, lambda g, root: g * (1 / root) * learning_rate)
    values |= dict(denominator=root)
    if "b" in slots:
        step = slots["b"] * momentum + step
        values |= dict(b=step)
    return values | dict(delta=step)


def outside(g, slots, *, learning_rate, rho, epsilon, momentum):
    """torch/optim/rmsprop.py: ε outside the root, and the rate outside the velocity."""
    values = dict(v=average(slots["v"], g**2, rho))
    under = values["v"]
    if "mean_g" in slots:
        values |= dict(mean_g=average(slots["mean_g"], g, rho))
        under = values["v"] - values["mean_g"] ** 2
    root = np.sqrt(under) + epsilon
    values |= dict(denominator=root)
    if "b" in slots:
        b = slots["b"] * momentum + g / root
        return values | dict(b=b, delta=b * learning_rate)
    orders = (lambda g, root: g * learning_rate / root, lambda g, root: g / root * learning_rate)
    return values | dict(delta=either((g, root), *orders))


def slots(settings):
    """In the libraries' order, by which a user's own are compared."""
    return ("v", *(["b"] if np.any(settings["momentum"]) else []), *(["mean_g"] if settings["centered"] else []))


def formula(compute, learning_rate, rho, epsilon, starts=None, **more):
    settings = dict(learning_rate=learning_rate, rho=rho, epsilon=epsilon, momentum=0.0, centered=False)
    places = {"complement_in": more.pop("complement_in", "float64")}
    return Formula(compute, settings | more, slots, starts or {}, **places)


def to_the_other_epsilon(own: Formula, other: Formula) -> Plan:
    settings = {name: own.settings[name] for name in other.settings if name in own.settings}
    starts = [one.first(np.zeros(1))["v"][0] for one in (own.given({"momentum": 0.0}), other)]
    if "initial_mean_square" in other.settings:
        settings["initial_mean_square"] = float(starts[0])
    elif starts[0] != starts[1]:
        return Plan(settings, "TF1 starts its mean square at 1, and no other library can", "learning_rate")
    if own.compute is other.compute:
        return Plan(settings)
    return Plan(settings, "no ε inside the root is one outside it: √(v + ε) is not √v + ε', whatever ε' is", "epsilon")


ERRORS = {
    "v averages about the mean": lambda new, old, s: {new.v: average(old.v, (old.g - old.v) ** 2, s.rho)},
    "v never falls": lambda new, old, s: {new.v: np.maximum(new.v, old.v)},
    "a sum for the mean square": lambda new, old, s: {new.v: old.v + old.g**2},
    "the largest g² for the mean square": lambda new, old, s: {new.v: np.maximum(old.v, old.g**2)},
    "learning rate inside v": lambda new, old, s: {new.v: average(old.v, (s.learning_rate * old.g) ** 2, s.rho)},
}
KEPT = {"v": "ms", "mean_g": "mg", "b": "mom"}
CENTERED = Spelling("ApplyCenteredRMSProp", KEPT, unused=("mom",))

CARD = Card(
    formulas={
        "paper": formula(inside, 1e-3, 0.9, 1e-8),
        "tf1": formula(inside, 0.01, 0.9, 1e-10, {"v": 1.0}, complement_in="variable"),
        "keras": formula(inside, 1e-3, 0.9, 1e-7),
        "torch": formula(outside, 1e-2, 0.99, 1e-8),
        "optax": formula(inside, 0.01, 0.9, 1e-8, {"v": "initial_mean_square"}, initial_mean_square=0.0),
    },
    libraries={
        "keras": Spelling(
            "RMSprop",
            {"v": "_velocities", "mean_g": "_average_gradients", "b": "_momentums"},
            surprise="its text calls ε Kingma & Ba's ε̂, outside the root; it stands inside: at g = 1e-4, ρ = 0.9, "
            "ε = 1e-7 and a rate of 1 the first step is 0.315, not 3.15",
        ),
        "tf1-kernel": Spelling("ApplyRMSProp", KEPT, unused=("mom",), with_={"centered": CENTERED}),
        "tf1-session": Spelling(
            "RMSProp",
            {"v": "rms", "mean_g": "mg", "b": "momentum"},
            {"rho": "decay"},
            surprise="its mean square starts at 1: at g = 1, ρ = 0.9 and a rate of 1 the first step is 1, not 3.16",
        ),
        "torch": Spelling(
            "RMSprop",
            {"v": "square_avg", "mean_g": "grad_avg", "b": "momentum_buffer"},
            {"rho": "alpha"},
            surprise="centred, with a constant gradient of 1.5 and alpha = 0.1, float32 is NaN at step 7",
        ),
        "optax": Spelling(
            "rmsprop",
            {"v": "nu", "mean_g": "mu", "b": "-trace"},
            {"rho": "decay", "initial_mean_square": "initial_scale"},
        ),
    },
    revealing=(
        dict(learning_rate=2.0**-3, rho=0.96875, epsilon=2.0**-7, momentum=0.875, initial_mean_square=2.0**-4),
        dict(learning_rate=0.5, epsilon=2.0**-10, centered=True),
    ),
    scheduled=dict(momentum=0.9),
    errors={inside: ERRORS, outside: ERRORS},
    translate=to_the_other_epsilon,
)
