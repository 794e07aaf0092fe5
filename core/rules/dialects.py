"""Which settings make a rule compute what a library computes: one row a library, with its source.

Settings not named are the class's defaults, that is, the paper's; a row without a learning rate belongs to a
library that asks its user for one. The libraries' defaults are those of TensorFlow 2.21, Keras 3.15,
PyTorch 2.13 and Optax 0.2.8.
"""

from .rule import Dialect

ADAM = {
    "paper": Dialect("Kingma & Ba 2015, Algorithm 1", dict(learning_rate=1e-3)),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdamOptimizer and the kernel ResourceApplyAdam",
        dict(
            learning_rate=1e-3,
            epsilon_form="epsilon-hat",
            incremental="both",
            complement_in="variable",
            power_in="variable",
        ),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adam.py",
        dict(learning_rate=1e-3, epsilon=1e-7, epsilon_form="epsilon-hat", incremental="both", power_in="variable"),
    ),
    "torch": Dialect("PyTorch, torch/optim/adam.py", dict(learning_rate=1e-3, incremental="m")),
    "optax": Dialect("Optax, optax/_src/transform.py, scale_by_adam", dict(power_in="variable")),
}

ADAGRAD = {
    "paper": Dialect("Duchi, Hazan & Singer 2011, Figure 1", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdagradOptimizer and the kernel ResourceApplyAdagrad",
        dict(epsilon=0.0, initial_accumulator_value=0.1),
    ),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adagrad.py",
        dict(learning_rate=1e-3, epsilon=1e-7, epsilon_form="inside-root", initial_accumulator_value=0.1),
    ),
    "torch": Dialect("PyTorch, torch/optim/adagrad.py", dict(learning_rate=1e-2)),
    "optax": Dialect(
        "Optax, optax/_src/transform.py, scale_by_rss",
        dict(epsilon=1e-7, epsilon_form="inside-root", initial_accumulator_value=0.1, rest_at_zero=True),
    ),
}

ADADELTA = {
    "paper": Dialect("Zeiler 2012, Algorithm 1", dict(learning_rate=1.0)),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.AdadeltaOptimizer and the kernel ResourceApplyAdadelta",
        dict(learning_rate=1e-3, epsilon=1e-8, complement_in="variable"),
    ),
    "keras": Dialect("Keras, keras/src/optimizers/adadelta.py", dict(learning_rate=1e-3, epsilon=1e-7)),
    "torch": Dialect("PyTorch, torch/optim/adadelta.py", dict(learning_rate=1.0, rho=0.9)),
    "optax": Dialect("Optax, optax/_src/transform.py, scale_by_adadelta", dict(rho=0.9)),
}

SGD = {
    "paper": Dialect("Robbins & Monro 1951", {}),
    "tf1": Dialect(
        "TensorFlow, tf.compat.v1.train.GradientDescentOptimizer and the kernel ResourceApplyGradientDescent", {}
    ),
    "keras": Dialect("Keras, keras/src/optimizers/sgd.py", dict(learning_rate=1e-2)),
    "torch": Dialect("PyTorch, torch/optim/sgd.py", dict(learning_rate=1e-3)),
    "optax": Dialect("Optax, optax/_src/alias.py, sgd", {}),
}
