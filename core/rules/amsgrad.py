"""AMSGrad (Reddi, Kale & Kumar 2018)."""

from typing import Annotated, Literal, NamedTuple

from ..errors import InputError
from ..xp import Array, maximum, sqrt, zeros_like
from .adam import Adam
from .averages import average, one_minus_power
from .rule import At, Dialect, Step
from .slots import SQUARED


class AMSGradSlots(NamedTuple):
    """All start at 0."""

    m: Annotated[Array, "running mean of the gradient"]
    v: Annotated[Array, "running mean of its square", SQUARED]
    v_max: Annotated[Array, "the largest v, or v̂, so far", SQUARED]


class AMSGrad(Adam):
    """AMSGrad: Adam whose denominator never falls.

    Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, Algorithm 2.

        m ← β1·m + (1 − β1)·g           v ← β2·v + (1 − β2)·g²
        v̂ ← max(v̂, v)                   Δ = α·m / √v̂                    θ ← θ − Δ

    The paper has no bias correction and no ε; here ε is 1e-8, as a gradient that was always 0 would give 0/0. Keras,
    TF1 and PyTorch keep the largest raw v and correct it afterwards, so that a step can grow again, which the paper
    means to exclude: after g = 1, then ½ for ever, with β1 = 0, β2 = ½ and α = 1 their steps are 1, 0.61, 0.66, 0.68,
    Optax's 1, 0.5, 0.5, 0.5. Optax keeps the largest corrected v. It shows only where v falls.
    """

    maximum_of: Annotated[Literal["v", "v_hat"], "whether the raw or the corrected v is compared"] = "v"
    bias_correction: Annotated[bool, "divide by 1 − β^t, as all libraries do"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        plain = (self.epsilon_form, self.maximum_of, self.power_in) == ("algorithm-1", "v", "float64")
        if not self.bias_correction and not plain:
            raise InputError("AMSGrad: epsilon_form, maximum_of and power_in mean nothing without bias_correction.")

    def slots(self, x: Array) -> AMSGradSlots:  # pyright: ignore[reportIncompatibleMethodOverride] - one more
        return AMSGradSlots(m=zeros_like(x), v=zeros_like(x), v_max=zeros_like(x))

    def update(self, g: Array, slots: AMSGradSlots, x: Array, at: At) -> Step:  # pyright: ignore[reportIncompatibleMethodOverride]
        m = average(slots.m, g, self.beta_1, self.complement_in, incremental=self.incremental != "neither")
        v = average(slots.v, g * g, self.beta_2, self.complement_in, incremental=self.incremental == "both")
        if not self.bias_correction:
            v_max = maximum(slots.v_max, v)
            root, denominator = sqrt(v_max), sqrt(v_max) + self.epsilon
            stages = dict(denominator=denominator, epsilon_outweighs=self.epsilon > root)
            return Step(self.learning_rate * m / denominator, AMSGradSlots(m, v, v_max), stages)
        c_1, c_2 = (one_minus_power(beta, at.t, x, self.power_in) for beta in (self.beta_1, self.beta_2))
        m_hat, of_v = m / c_1, self.maximum_of == "v"
        v_max = maximum(slots.v_max, v if of_v else v / c_2)
        root = sqrt((v_max / c_2 if of_v else v_max) + self.epsilon_root)
        denominator, delta = root + self.epsilon, self.learning_rate * m_hat / (root + self.epsilon)
        if self.epsilon_form == "epsilon-hat":
            root = sqrt(v_max + self.epsilon_root)
            delta = self.learning_rate * sqrt(c_2) / c_1 * m / (root + self.epsilon)
            denominator = (root + self.epsilon) / sqrt(c_2)
        stages = dict(correction_1=c_1, correction_2=c_2, m_hat=m_hat, denominator=denominator)
        return Step(delta, AMSGradSlots(m, v, v_max), stages | dict(epsilon_outweighs=self.epsilon > root))


CORRECTED = dict(bias_correction=True)
AMSGrad.DIALECTS = {
    "paper": Dialect("Reddi, Kale & Kumar 2018, Algorithm 2", dict(learning_rate=1e-3)),
    "tf1": Dialect(
        "TensorFlow, the kernel ResourceApplyAdamWithAmsgrad", {**Adam.DIALECTS["tf1"].settings, **CORRECTED}
    ),
    "keras": Dialect("Keras, keras/src/optimizers/adam.py, amsgrad", {**Adam.DIALECTS["keras"].settings, **CORRECTED}),
    "torch": Dialect("PyTorch, torch/optim/adam.py, amsgrad", {**Adam.DIALECTS["torch"].settings, **CORRECTED}),
    "optax": Dialect(
        "Optax, optax/_src/transform.py, scale_by_amsgrad",
        {**Adam.DIALECTS["optax"].settings, **CORRECTED, "maximum_of": "v_hat"},
    ),
}
