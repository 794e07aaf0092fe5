"""Plain stochastic gradient descent: Robbins & Monro 1951, one formula everywhere."""

import numpy as np

from ..card import Card, Spelling
from ..formulas import Formula


def sgd(g, slots, *, learning_rate):
    """Robbins & Monro 1951; ApplyGradientDescent in training_ops.cc; Keras, PyTorch and Optax without momentum."""
    return dict(delta=g * learning_rate)


def formula(learning_rate):
    return Formula(sgd, dict(learning_rate=learning_rate), ())


PLAIN = dict(momentum=0.0)

CARD = Card(
    formulas={
        "paper": formula(0.01),
        "tf1": formula(0.01),
        "keras": formula(0.01),
        "torch": formula(1e-3),
        "optax": formula(0.01),
    },
    libraries={
        "keras": Spelling("SGD", options=PLAIN, idle=("nesterov",)),
        "tf1-kernel": Spelling("ApplyGradientDescent", settings={"learning_rate": "alpha", "g": "delta"}),
        "tf1-session": Spelling("GradientDescent"),
        "torch": Spelling("SGD", options=PLAIN, idle=("dampening",)),
        "optax": Spelling("sgd"),
    },
    revealing=(dict(learning_rate=2.0**-3),),
    errors={
        sgd: {
            "learning rate squared": lambda new, old, s: {new.delta: s.learning_rate * s.learning_rate * old.g},
            "the sign of g for g": lambda new, old, s: {new.delta: s.learning_rate * np.sign(old.g)},
            "the square of g for g": lambda new, old, s: {new.delta: s.learning_rate * old.g * old.g},
        }
    },
)
