"""Right implementations of Adam, Adagrad, Adadelta and SGD, none of them written as rawstep's are.

Each computes what its reference computes, except for rounding. A judge has to certify it, or to say that it differs by
rounding alone where it rounds β^t, 1 − β or its constants to float32; whoever calls one of them wrong is wrong.

A function that asks for its settings by keyword is called with the reference's; the others have them in their code.
"""

import ctypes
import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial, wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
import optax
import torch

from core import Rule, Step
from core.rules import Decay, NonNegative, Positive, Rate
from core.xp import cast_like, full_like, sqrt, zeros_like

FLOAT32, FLOAT64 = ("float32",), ("float64",)
PARAMETER = {"returns": "x"}

Update = Callable[..., tuple[Any, dict[str, Any]]]


class Right(NamedTuple):
    """An implementation, and what it computes.

    how:      in plain words, how it is written otherwise.
    subject:  makes it: a function, a rule, an optimizer, a class of them, or a transformation.
    options:  slots, settings and returns, as `verify` takes them.
    dtypes:   those that make sense for it.
    rounding: it differs in these dtypes, by rounding alone, to float32 where the reference has float64 (or otherwise).
    """

    name: str
    how: str
    subject: Callable[[], Any]
    reference: str
    options: Mapping[str, Any] = MappingProxyType({})
    dtypes: tuple[str, ...] = ("float32", "float64")
    rounding: bool = False


# Adam, in parts: how averages are taken, powers raised and 1 − β subtracted, and how the step is put together.


def weighted(old, new, beta, complement):
    return beta * old + complement * new


def incremental(old, new, beta, complement):
    return old + (new - old) * complement


def algorithm_1(m, v, c_1, c_2, rate, epsilon):
    return rate * (m / c_1) / (np.sqrt(v / c_2) + epsilon)


def rearranged(m, v, c_1, c_2, rate, epsilon):
    return rate / c_1 * m / (np.sqrt(v) / c_2**0.5 + epsilon)


def reciprocals(m, v, c_1, c_2, rate, epsilon):
    return m * (rate / c_1) * (1 / (np.sqrt(v) * (1 / c_2**0.5) + epsilon))


def epsilon_moving(m, v, c_1, c_2, rate, epsilon):
    """Algorithm 1 in the ε̂ form, with an ε̂ that changes from step to step."""
    return rate * c_2**0.5 / c_1 * m / (np.sqrt(v) + epsilon * c_2**0.5)


def epsilon_hat(m, v, c_1, c_2, rate, epsilon):
    return m * (rate * c_2**0.5 / c_1) / (np.sqrt(v) + epsilon)


def float32(value):
    return float(np.float32(value))


def running(beta, t):
    """β·β·…·β in Python's numbers."""
    return math.prod([beta] * t)


def running_float32(beta, t):
    return np.multiply.reduce(np.full(t, beta, np.float32))


def logarithm_float32(beta, t):
    """exp(t·ln β), each of its three operations rounded to float32."""
    logarithm = np.float32(math.log(np.float32(beta)))
    return np.float32(math.exp(np.float32(t) * logarithm))


def complement_float32(beta):
    return np.float32(1) - np.float32(beta)


def adam(step=algorithm_1, average=weighted, power=pow, complement=lambda beta: 1 - beta, constant=float, names="mv"):
    """Adam of these parts; its slots have the names given."""
    of_m, of_v = names

    def update(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
        rate, beta_1, beta_2, epsilon = map(constant, (learning_rate, beta_1, beta_2, epsilon))
        m = average(slots[of_m], g, beta_1, complement(beta_1))
        v = average(slots[of_v], g * g, beta_2, complement(beta_2))
        return step(m, v, 1 - power(beta_1, t), 1 - power(beta_2, t), rate, epsilon), {of_m: m, of_v: v}

    return update


def adam_in_one_expression(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    return (
        learning_rate * (beta_1 * slots["m"] + (1 - beta_1) * g) / (1 - beta_1**t)
        / (np.sqrt((beta_2 * slots["v"] + (1 - beta_2) * g * g) / (1 - beta_2**t)) + epsilon),
        {"v": beta_2 * slots["v"] + (1 - beta_2) * g * g, "m": beta_1 * slots["m"] + (1 - beta_1) * g},
    )  # fmt: skip


def adam_of_differences(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    """1 − β^t as −expm1(t·ln β), which cancels no digits: nearer to the formula than the formula's own rounding."""
    c_1, c_2 = (-math.expm1(t * math.log(beta)) for beta in (beta_1, beta_2))
    m, v = incremental(slots["m"], g, beta_1, 1 - beta_1), weighted(slots["v"], g * g, beta_2, 1 - beta_2)
    return algorithm_1(m, v, c_1, c_2, learning_rate, epsilon), {"m": m, "v": v}


def adam_by_heart(g, slots, t, x):
    """As one writes it down for a single use: 0.001 for 1 − 0.999, which in float64 is 4 units another number."""
    m = slots["m"] + 0.1 * (g - slots["m"])
    v = 0.999 * slots["v"] + 0.001 * np.square(g)
    return m / (1 - 0.9**t) * 0.001 / (1e-8 + np.sqrt(v / (1 - 0.999**t))), dict(m=m, v=v)


def adam_in_place(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    """All in the arrays that it is given: θ, m and v are new afterwards, and g has been workspace."""
    m, v = slots["m"], slots["v"]
    m *= beta_1
    m += (1 - beta_1) * g
    np.multiply(g, g, out=g)
    g *= 1 - beta_2
    v *= beta_2
    v += g
    np.sqrt(v, out=g)
    g /= math.sqrt(1 - beta_2**t)
    g += epsilon
    np.divide(m, g, out=g)
    g *= learning_rate / (1 - beta_1**t)
    x -= g
    return x, slots


def adam_one_by_one(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    """Number for number in Python's floats, rounded where they are put into the arrays."""
    delta, m, v = (np.empty_like(g) for _ in range(3))
    for at in np.ndindex(g.shape):
        gradient = float(g[at])
        mean = beta_1 * float(slots["m"][at]) + (1 - beta_1) * gradient
        square = beta_2 * float(slots["v"][at]) + (1 - beta_2) * gradient**2
        root = math.sqrt(square / (1 - beta_2**t)) + epsilon
        m[at], v[at], delta[at] = mean, square, learning_rate * mean / ((1 - beta_1**t) * root)
    return delta, {"m": m, "v": v}


def adam_as_tf1(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    """TensorFlow 1's kernel: all constants, 1 − β and the running products of β in the gradient's dtype."""
    rate, beta_1, beta_2, epsilon = map(g.dtype.type, (learning_rate, beta_1, beta_2, epsilon))
    power_1, power_2 = (np.multiply.reduce(np.full(t, beta)) for beta in (beta_1, beta_2))
    m = slots["m"] + (g - slots["m"]) * (1 - beta_1)
    v = slots["v"] + (g * g - slots["v"]) * (1 - beta_2)
    return rate * np.sqrt(1 - power_2) / (1 - power_1) * m / (np.sqrt(v) + epsilon), {"m": m, "v": v}


def adam_in_torch(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
    """PyTorch's operations and their order, lerp, addcmul and addcdiv, without its optimizer."""
    x, m, v, g = (torch.from_numpy(array.copy()) for array in (x, slots["m"], slots["v"], g))
    m.lerp_(g, 1 - beta_1)
    v.mul_(beta_2).addcmul_(g, g, value=1 - beta_2)
    x.addcdiv_(m, v.sqrt().div_(math.sqrt(1 - beta_2**t)).add_(epsilon), value=-learning_rate / (1 - beta_1**t))
    return x.numpy(), {"m": m.numpy(), "v": v.numpy()}


@jax.jit
def _adam_in_jax(g, m, v, t, learning_rate, beta_1, beta_2, epsilon):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
    delta = learning_rate * (m / (1 - beta_1**t)) / (jax.numpy.sqrt(v / (1 - beta_2**t)) + epsilon)
    return delta.astype(g.dtype), m.astype(g.dtype), v.astype(g.dtype)


def adam_in_jax(wide):
    """Compiled by XLA; with 64-bit types, in this call alone, or without them: then all scalars are float32."""

    def update(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
        with jax.enable_x64(wide):
            values = _adam_in_jax(g, slots["m"], slots["v"], t, learning_rate, beta_1, beta_2, epsilon)
            delta, m, v = map(np.asarray, values)
        return delta, {"m": m, "v": v}

    return update


ADAM_IN_C = """
#include <tgmath.h>
#ifdef FUSED
#define TIMES_PLUS(a, b, c) fma(a, b, c)
#else
#define TIMES_PLUS(a, b, c) ((a) * (b) + (c))
#endif
void adam(long n, REAL *x, REAL *m, REAL *v, const REAL *g, long t, SCALAR lr, SCALAR b1, SCALAR b2, SCALAR eps) {
    SCALAR w1 = 1 - b1, w2 = 1 - b2, c1 = 1 - pow(b1, (SCALAR)t), root = sqrt(1 - pow(b2, (SCALAR)t));
    for (long i = 0; i < n; i++) {
        m[i] = TIMES_PLUS(b1, m[i], w1 * g[i]);
        v[i] = TIMES_PLUS(b2, v[i], w2 * g[i] * g[i]);
        x[i] INTO lr / c1 * m[i] / (sqrt(v[i]) / root + eps);
    }
}
"""
"""On arrays of REAL, with constants and corrections in SCALAR; INTO is -= for the parameter, and = for the update."""


@cache
def compiled(real: str, scalar: str, *flags: str) -> Callable[..., None]:
    """The function in C, by the system's compiler."""
    with TemporaryDirectory() as folder:
        source, library = Path(folder, "adam.c"), Path(folder, "adam.so")
        source.write_text(ADAM_IN_C)
        given = [f"-DREAL={real}", f"-DSCALAR={scalar}", *flags]
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", *given, "-o", library, source, "-lm"], check=True)
        function = ctypes.CDLL(str(library)).adam
    numbers = [ctypes.c_double if scalar == "double" else ctypes.c_float] * 4
    function.argtypes = [ctypes.c_long, *[ctypes.c_void_p] * 4, ctypes.c_long, *numbers]
    function.restype = None
    return function


def adam_in_c(*flags, scalar="double", moves=True):
    """A function that works in place on θ, m and v, and returns θ; or on m and v alone, and returns Δ."""

    def update(g, slots, t, x, *, learning_rate, beta_1, beta_2, epsilon):
        function = compiled("float" if g.dtype == np.float32 else "double", scalar, *flags, f"-DINTO={'-' * moves}=")
        arrays = (x if moves else np.empty_like(g), slots["m"], slots["v"], g)
        x, m, v, g = (np.require(array, requirements=["C", "W"]) for array in arrays)
        function(g.size, *(a.ctypes.data for a in (x, m, v, g)), t, learning_rate, beta_1, beta_2, epsilon)
        return x, {"m": m, "v": v}

    return update


# Optimizers by hand, for each library's own interface, and rules for rawstep's.


class AdamByHand(torch.optim.Optimizer):
    """Adam with its state under names of its own, and the step counted by a Python integer."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(count=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
                state["count"] += 1
                state["mean"] = beta_1 * state["mean"] + (1 - beta_1) * p.grad
                state["square"] = beta_2 * state["square"] + (1 - beta_2) * p.grad**2
                mean = state["mean"] / (1 - beta_1 ** state["count"])
                root = torch.sqrt(state["square"] / (1 - beta_2 ** state["count"]))
                p -= group["lr"] * mean / (root + group["eps"])


class KerasSubclass(keras.optimizers.Adam):
    """Keras's Adam under another name."""


class AdagradByHand(keras.optimizers.Optimizer):
    """Adagrad on Keras's base class, with a slot of its own name and division last."""

    def __init__(self, learning_rate=1e-3, initial_accumulator_value=0.1, epsilon=1e-7, **options):
        super().__init__(learning_rate=learning_rate, **options)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def build(self, variables):
        if not self.built:
            super().build(variables)
            start = keras.initializers.Constant(self.initial_accumulator_value)
            self.sums = [self.add_variable_from_reference(v, "sum", initializer=start) for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        total = self.sums[self._get_variable_index(variable)]
        self.assign(total, total + gradient * gradient)
        root = keras.ops.sqrt(total + self.epsilon)
        self.assign_sub(variable, gradient * keras.ops.cast(learning_rate, variable.dtype) / root)

    def get_config(self):
        own = dict(initial_accumulator_value=self.initial_accumulator_value, epsilon=self.epsilon)
        return super().get_config() | own


class AverageState(NamedTuple):
    steps: Any
    mean: Any
    square: Any


def optax_by_hand(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Adam as a transformation with a state of its own, on trees."""
    tree = jax.tree_util.tree_map

    def init(params):
        zeros = tree(jax.numpy.zeros_like, params)
        return AverageState(jax.numpy.zeros([], "int32"), zeros, zeros)

    def update(updates, state, params=None):
        steps = state.steps + 1
        mean = tree(lambda m, g: m + (1 - b1) * (g - m), state.mean, updates)
        square = tree(lambda v, g: b2 * v + (1 - b2) * g * g, state.square, updates)
        c_1, c_2 = 1 - b1**steps, 1 - b2**steps

        def step(m, v):
            return (-learning_rate * m / c_1 / (jax.numpy.sqrt(v / c_2) + eps)).astype(m.dtype)

        return tree(step, mean, square), AverageState(steps, mean, square)

    return optax.GradientTransformation(init, update)


class Averages(NamedTuple):
    first: Any
    second: Any


@dataclass(frozen=True)
class TheirAdam(Rule):
    """A user's rule, with other names of slots, no stages, and both averages in increments."""

    learning_rate: Rate = 1e-3
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Positive = 1e-8

    def slots(self, x):
        return Averages(zeros_like(x), zeros_like(x))

    def update(self, g, slots, x, at):
        first = slots.first + (1 - self.beta_1) * (g - slots.first)
        second = slots.second + (1 - self.beta_2) * (g * g - slots.second)
        c_1, c_2 = (cast_like(1 - beta**at.t, g) for beta in (self.beta_1, self.beta_2))
        delta = self.learning_rate / c_1 * first / (sqrt(second) / sqrt(c_2) + self.epsilon)
        return Step(delta, Averages(first, second), {})


class History(NamedTuple):
    history: Any


@dataclass(frozen=True)
class TheirAdagrad(Rule):
    """Keras's Adagrad as a user's rule, whose only stage is each number's own rate."""

    learning_rate: Rate = 1e-3
    initial_accumulator_value: NonNegative = 0.1
    epsilon: Positive = 1e-7

    def slots(self, x):
        return History(full_like(x, self.initial_accumulator_value))

    def update(self, g, slots, x, at):
        history = slots.history + g * g
        rate = self.learning_rate / sqrt(history + self.epsilon)
        return Step(rate * g, History(history), dict(own_rate=rate))


class Nothing(NamedTuple):
    """No slots."""


@dataclass(frozen=True)
class TheirSGD(Rule):
    """Gradient descent as a user's rule; its learning rate has no default."""

    learning_rate: Rate

    def slots(self, x):
        return Nothing()

    def update(self, g, slots, x, at):
        return Step(g * self.learning_rate, slots, {})


# Adagrad, Adadelta and SGD.


def adagrad_outside(root=lambda a, g: np.sqrt(a + g * g), constant=float):
    """With ε outside the root, and the reciprocal of the sum; `root` is that of the new accumulator."""

    def update(g, slots, t, x, *, learning_rate, epsilon):
        rate, epsilon = constant(learning_rate), constant(epsilon)
        delta = rate * (g * (1 / (root(slots["a"], g) + epsilon)))
        return delta, {"a": slots["a"] + g * g}

    return update


def adagrad_moving(g, slots, t, x, *, learning_rate, epsilon):
    """With ε inside the root, returning the parameter."""
    a = slots["a"] + np.square(g)
    return x - g / np.sqrt(epsilon + a) * learning_rate, {"a": a}


def adagrad_by_heart(g, slots, t, x):
    """Keras's defaults in the code."""
    slots["a"] += g**2
    return 0.001 * g / np.sqrt(slots["a"] + 1e-7), slots


def one_root(d, a, g):
    return np.sqrt(d / a) * g


def product_first(d, a, g):
    return np.sqrt(d) * g / np.sqrt(a)


def reciprocal_root(d, a, g):
    return g * (np.sqrt(d) * (1 / np.sqrt(a)))


def adadelta(step=one_root, average=weighted, complement=lambda rho: 1 - rho, constant=float):
    """Adadelta with this way from the two means, ε added to each, and the gradient to Δx."""

    def update(g, slots, t, x, *, learning_rate, rho, epsilon):
        rate, rho, epsilon = map(constant, (learning_rate, rho, epsilon))
        a = average(slots["mean_g2"], g * g, rho, complement(rho))
        dx = step(slots["mean_dx2"] + epsilon, a + epsilon, g)
        return rate * dx, {"mean_g2": a, "mean_dx2": average(slots["mean_dx2"], dx * dx, rho, complement(rho))}

    return update


def adadelta_without_rate(g, slots, t, x, *, rho, epsilon):
    """As the paper has it."""
    return adadelta()(g, slots, t, x, learning_rate=1.0, rho=rho, epsilon=epsilon)


def sgd(g, slots, t, x, *, learning_rate):
    return learning_rate * g, {}


def sgd_dividing(g, slots, t, x, *, learning_rate):
    return g / (1 / learning_rate), slots


def sgd_in_place(g, slots, t, x, *, learning_rate):
    g *= learning_rate
    x -= g
    return x, slots


def sgd_float32(g, slots, t, x, *, learning_rate):
    return np.float32(learning_rate) * g, {}


# A function made of another one, and the parameter that a torch optimizer asks for.


def moving(update: Update) -> Update:
    """Returns the parameter in place of the update."""

    @wraps(update)
    def moved(g, slots, t, x, **settings):
        delta, slots = update(g, slots, t, x, **settings)
        return x - delta, slots

    return moved


def inside(wide: Any, update: Update) -> Update:
    """Computes in a wider dtype, and rounds what comes out to the gradient's."""

    @wraps(update)
    def rounded(g, slots, t, x, **settings):
        wider = {name: slot.astype(wide) for name, slot in slots.items()}
        delta, wider = update(g.astype(wide), wider, t, x.astype(wide), **settings)
        return delta.astype(g.dtype), {name: slot.astype(g.dtype) for name, slot in wider.items()}

    return rounded


def fixed(update: Update, **settings: float) -> Update:
    """With settings that nobody can change."""

    def with_them(g, slots, t, x):
        return update(g, slots, t, x, **settings)

    return with_them


def given(subject: Any) -> Callable[[], Any]:
    return lambda: subject


def of_torch(kind: type[torch.optim.Optimizer], **options: Any) -> Callable[[], torch.optim.Optimizer]:
    return lambda: kind([torch.nn.Parameter(torch.zeros(3))], **options)


OTHER = dict(learning_rate=3e-4, beta_1=0.8, beta_2=0.99, epsilon=1e-5)
SLOW = dict(learning_rate=1.0, rho=0.999, epsilon=1e-6)
"""A ρ whose 1 − ρ shows where it was subtracted; that of 0.95 does not."""

_OF_LIBRARIES = (
    Right("torch-adam-class", "PyTorch's class, which chooses its own way", given(torch.optim.Adam), "adam:torch"),
    Right("torch-adam-foreach", "PyTorch, all tensors at once",
          of_torch(torch.optim.Adam, foreach=True), "torch:Adam"),
    Right("torch-adam-fused", "PyTorch's fused kernel", of_torch(torch.optim.Adam, fused=True), "torch:Adam"),
    Right("torch-adam-other-settings", "PyTorch's fused kernel with settings of one's own",
          of_torch(torch.optim.Adam, fused=True, lr=3e-4, betas=(0.8, 0.99), eps=1e-5), "torch:Adam"),
    Right("torch-adamw-without-decay", "PyTorch's AdamW, whose decay is 0",
          of_torch(torch.optim.AdamW, weight_decay=0.0), "adam:paper"),
    Right("torch-adam-by-hand", "a PyTorch optimizer of one's own, with other names in its state",
          of_torch(AdamByHand), "torch:Adam"),
    Right("torch-adagrad", "PyTorch, tensor by tensor", of_torch(torch.optim.Adagrad, foreach=False), "torch:Adagrad"),
    Right("torch-adagrad-fused", "PyTorch's fused kernel", of_torch(torch.optim.Adagrad, fused=True), "adagrad:torch"),
    Right("torch-adadelta", "PyTorch, tensor by tensor",
          of_torch(torch.optim.Adadelta, foreach=False), "adadelta:torch"),
    Right("torch-adadelta-foreach", "PyTorch, all tensors at once",
          of_torch(torch.optim.Adadelta, foreach=True), "torch:Adadelta"),
    Right("torch-sgd", "PyTorch, tensor by tensor", of_torch(torch.optim.SGD, foreach=False), "sgd:torch"),
    Right("torch-sgd-fused", "PyTorch's fused kernel", of_torch(torch.optim.SGD, fused=True), "torch:SGD"),
    Right("keras-adam", "Keras's own", keras.optimizers.Adam, "keras:Adam", dtypes=FLOAT32),
    Right("keras-adam-subclass", "a subclass that changes nothing", KerasSubclass, "adam:keras", dtypes=FLOAT32),
    Right("keras-adagrad", "Keras's own", keras.optimizers.Adagrad, "adagrad:keras", dtypes=FLOAT32),
    Right("keras-adagrad-by-hand", "a Keras optimizer of one's own, with another name for its slot",
          AdagradByHand, "keras:Adagrad", dtypes=FLOAT32),
    Right("keras-adadelta", "Keras's own", keras.optimizers.Adadelta, "keras:Adadelta", dtypes=FLOAT32),
    Right("keras-adadelta-as-the-paper", "Keras's own with the paper's settings",
          partial(keras.optimizers.Adadelta, learning_rate=1.0, rho=0.95, epsilon=1e-6),
          "adadelta:paper", dtypes=FLOAT32),
    Right("keras-sgd", "Keras's own", keras.optimizers.SGD, "sgd:keras", dtypes=FLOAT32),
    Right("optax-adam", "Optax's own", partial(optax.adam, 1e-3), "optax:adam"),
    Right("optax-adam-of-parts", "Optax's parts, chained by hand",
          lambda: optax.chain(optax.scale_by_adam(), optax.scale(-1e-3)), "adam:optax"),
    Right("optax-adam-by-hand", "a transformation of one's own, with other names in its state",
          optax_by_hand, "optax:adam"),
    Right("optax-adagrad", "Optax's own", partial(optax.adagrad, 0.01), "adagrad:optax"),
    Right("optax-adadelta", "Optax's own", partial(optax.adadelta, 1.0), "optax:adadelta"),
    Right("optax-sgd", "Optax's own", partial(optax.sgd, 0.01), "sgd:optax"),
)  # fmt: skip

_FUNCTIONS = (
    Right("adam-rearranged", "averages in increments, α/(1 − β1^t) first, √v and √(1 − β2^t) apart",
          given(adam(rearranged, incremental)), "adam:torch"),
    Right("adam-reciprocals", "multiplies by 1/√(1 − β2^t), and by 1 over the denominator",
          given(adam(reciprocals)), "adam:paper"),
    Right("adam-moving-epsilon", "the ε̂ form with ε̂ = ε·√(1 − β2^t), which is Algorithm 1",
          given(adam(epsilon_moving)), "torch:Adam"),
    Right("adam-one-expression", "a single expression, slots computed once more",
          given(adam_in_one_expression), "adam:paper"),
    Right("adam-expm1", "1 − β^t as −expm1(t·ln β)", given(adam_of_differences), "adam:paper"),
    Right("adam-running-powers", "β^t a product of t numbers, in float64 for float32",
          given(adam(power=running)), "adam:torch", dtypes=FLOAT32),
    Right("adam-in-float64", "all in float64, rounded at the end",
          given(inside(np.float64, adam())), "torch:Adam"),
    Right("adam-in-long-double", "all in long double, rounded at the end",
          given(inside(np.longdouble, adam(rearranged))), "adam:paper"),
    Right("adam-one-by-one", "a loop over numbers", given(adam_one_by_one), "adam:paper"),
    Right("adam-by-heart", "PyTorch's defaults in the code, 0.1 and 0.001 for 1 − β",
          given(adam_by_heart), "torch:Adam", dtypes=FLOAT32),
    Right("adam-other-settings", "settings of one's own that nobody can change",
          given(fixed(adam(rearranged), **OTHER)), "adam:paper", {"settings": OTHER}),
    Right("adam-other-names", "slots of other names",
          given(adam(names=("mu", "nu"))), "torch:Adam", {"slots": {"mu": 0.0, "nu": 0.0}}),
    Right("adam-in-place", "all in the arrays that it is given, g as workspace; returns θ",
          given(adam_in_place), "adam:torch", PARAMETER),
    Right("adam-in-torch", "lerp, addcmul and addcdiv on tensors; returns θ",
          given(adam_in_torch), "torch:Adam", PARAMETER),
    Right("adam-in-jax", "jax.jit, with 64-bit types inside alone", given(adam_in_jax(wide=True)), "adam:paper"),
    Right("adam-keras-form", "Keras's ε̂ form with powers in float64",
          given(adam(epsilon_hat, incremental)), "adam:keras"),
    Right("adam-keras-form-moving", "Keras's ε̂ form, averages weighted, powers in float64; returns θ",
          given(moving(adam(epsilon_hat))), "keras:Adam", PARAMETER, FLOAT32),
    Right("adam-as-tf1", "the kernel's arithmetic in NumPy", given(adam_as_tf1), "tf1-kernel:adam"),
    Right("rule-adam", "a rule with other names of slots and no stages", given(TheirAdam), "torch:Adam"),
    Right("rule-adagrad", "a rule with another name of its slot, and a stage of its own",
          given(TheirAdagrad()), "adagrad:keras"),
    Right("rule-sgd", "a rule without a default for its rate", given(TheirSGD), "sgd:paper"),
    Right("adagrad-reciprocal", "multiplies by 1/(√a + ε), the learning rate last",
          given(adagrad_outside()), "adagrad:paper"),
    Right("adagrad-hypot", "√(a + g²) as the hypotenuse of √a and g",
          given(adagrad_outside(lambda a, g: np.hypot(np.sqrt(a), g))), "torch:Adagrad"),
    Right("adagrad-moving", "divides before it multiplies; returns θ",
          given(adagrad_moving), "adagrad:keras", PARAMETER),
    Right("adagrad-by-heart", "Keras's defaults in the code, its slot changed in place",
          given(adagrad_by_heart), "adagrad:keras", {"slots": {"a": 0.1}}),
    Right("adadelta-one-root", "one root of the ratio", given(adadelta()), "adadelta:paper"),
    Right("adadelta-product-first", "√(E[Δx²] + ε)·g first, averages in increments",
          given(adadelta(product_first, incremental)), "torch:Adadelta"),
    Right("adadelta-reciprocal", "multiplies by 1/√(E[g²] + ε); returns θ",
          given(moving(adadelta(reciprocal_root))), "adadelta:keras", PARAMETER),
    Right("adadelta-in-float64", "all in float64, rounded at the end",
          given(inside(np.float64, adadelta())), "optax:adadelta"),
    Right("adadelta-without-rate", "no learning rate, as in the paper", given(adadelta_without_rate), "adadelta:paper"),
    Right("sgd", "no slots", given(sgd), "sgd:paper"),
    Right("sgd-dividing", "divides by 1/α", given(sgd_dividing), "keras:SGD", dtypes=FLOAT32),
    Right("sgd-in-place", "in θ itself; returns it", given(sgd_in_place), "torch:SGD", PARAMETER),
)  # fmt: skip

_ROUNDING = (
    Right("adam-running-powers-float32", "β^t a running product in float32",
          given(adam(power=running_float32)), "adam:paper", rounding=True),
    Right("adam-running-powers-float32-beside-torch", "β^t a running product in float32; returns θ",
          given(moving(adam(rearranged, incremental, running_float32))), "torch:Adam", PARAMETER, FLOAT32, True),
    Right("adam-logarithm-float32", "β^t as exp(t·ln β) in float32",
          given(adam(power=logarithm_float32)), "adam:paper", rounding=True),
    Right("adam-complement-float32", "1 − β subtracted in float32",
          given(adam(complement=complement_float32)), "adam:torch", {}, FLOAT32, True),
    Right("adam-constants-float32", "its four constants rounded to float32",
          given(adam(constant=float32)), "adam:paper", {}, FLOAT64, True),
    Right("adam-in-jax-narrow", "jax.jit without 64-bit types: β^t and 1 − β in float32",
          given(adam_in_jax(wide=False)), "adam:paper", {}, FLOAT32, True),
    Right("adam-complement-beside-tf1", "1 − β in float64, where TensorFlow 1 has float32",
          given(adam(epsilon_hat, incremental)), "tf1-kernel:adam", {}, FLOAT32, True),
    Right("optax-adam-beside-torch", "Optax's own, whose β^t is a float32",
          partial(optax.adam, 1e-3), "torch:Adam", {}, FLOAT32, True),
    Right("optax-adam-injected", "Optax's own with its settings in its state: β^t and 1 − β in float32",
          lambda: optax.inject_hyperparams(optax.adam)(1e-3), "optax:adam", {}, FLOAT32, True),
    Right("adagrad-constants-float32", "its two constants rounded to float32",
          given(adagrad_outside(constant=float32)), "adagrad:torch", {}, FLOAT64, True),
    Right("adadelta-complement-float32", "1 − ρ subtracted in float32, with a ρ that shows it",
          given(fixed(adadelta(complement=complement_float32), **SLOW)),
          "adadelta:paper", {"settings": SLOW}, FLOAT32, True),
    Right("adadelta-constants-float32", "its three constants rounded to float32",
          given(adadelta(constant=float32)), "adadelta:paper", {}, FLOAT64, True),
    Right("sgd-constants-float32", "its rate rounded to float32", given(sgd_float32), "sgd:keras", {}, FLOAT64, True),
)  # fmt: skip

IN_C = (
    Right("adam-in-c", "C, constants and corrections in double; θ, m and v in place",
          given(adam_in_c()), "torch:Adam", PARAMETER),
    Right("adam-in-c-update", "the same, returning Δ", given(adam_in_c(moves=False)), "adam:paper"),
    Right("adam-in-c-as-written", "the same at -O3, with nothing contracted or reordered",
          given(adam_in_c("-O3", "-ffp-contract=off", "-fno-fast-math")), "adam:torch", PARAMETER),
    Right("adam-in-c-fused", "the same, with fused multiply-adds",
          given(adam_in_c("-DFUSED", moves=False)), "torch:Adam"),
    Right("adam-in-c-float", "C with float for every number: β^t and 1 − β in float32",
          given(adam_in_c(scalar="float")), "adam:paper", PARAMETER, FLOAT32, True),
)  # fmt: skip

RIGHT: tuple[Right, ...] = (*_OF_LIBRARIES, *_FUNCTIONS, *_ROUNDING, *IN_C)
