"""Wrong formulas, each an error that somebody has made or could make; every one must be caught.

A mutant is a rule of core with other settings, or with the one wrong line written out.
"""

from dataclasses import replace

import numpy as np

from core import Adadelta, Adagrad, Adam, Step
from core.rules import AdadeltaSlots, AdagradSlots, AdamSlots


class AdamCorrectedAtNextStep(Adam):
    """t + 1 for t."""

    def update(self, g, slots, t, x):
        return super().update(g, slots, t + 1, x)


class AdamUncorrected(Adam):
    """No bias correction: β^∞ = 0."""

    def update(self, g, slots, t, x):
        return super().update(g, slots, t * np.inf, x)


class AdamOnOldMoments(Adam):
    """Steps first, averages afterwards: the update is that of the moments before this gradient."""

    def update(self, g, slots, t, x):
        step = super().update(g, slots, t, x)
        m_hat = slots.m / step.stages["correction_1"]
        v_hat = slots.v / step.stages["correction_2"]
        denominator = np.sqrt(v_hat) + self.epsilon
        stages = step.stages | dict(m_hat=m_hat, v_hat=v_hat, denominator=denominator)
        return Step(self.rate(t, g) * m_hat / denominator, step.slots, stages)


class AdamOnAbsoluteGradients(Adam):
    """v averages |g| for g²."""

    def update(self, g, slots, t, x):
        step = super().update(g, slots, t, x)
        v = self.beta_2 * slots.v + (1 - self.beta_2) * np.abs(g)
        v_hat = v / step.stages["correction_2"]
        denominator = np.sqrt(v_hat) + self.epsilon
        stages = step.stages | dict(v_hat=v_hat, denominator=denominator)
        delta = self.rate(t, g) * step.stages["m_hat"] / denominator
        return Step(delta, AdamSlots(step.slots.m, v), stages)


class AdamWithNesterov(Adam):
    """Nadam's look-ahead: β1·m̂ + (1 − β1)·g/(1 − β1^t) for m̂."""

    def update(self, g, slots, t, x):
        step = super().update(g, slots, t, x)
        correction = step.stages["correction_1"]
        m_hat = self.beta_1 * step.stages["m_hat"] + (1 - self.beta_1) * g / correction
        delta = self.rate(t, g) * m_hat / step.stages["denominator"]
        return Step(delta, step.slots, step.stages | dict(m_hat=m_hat))


class AdagradBeforeAdding(Adagrad):
    """Divides by the root of the sum that lacks this gradient."""

    def update(self, g, slots, t, x):
        denominator = np.sqrt(slots.a) + self.epsilon
        return Step(self.rate(t, g) * g / denominator, AdagradSlots(slots.a + g * g), dict(denominator=denominator))


class AdagradForgetting(Adagrad):
    """Averages instead of summing, as RMSProp does."""

    def update(self, g, slots, t, x):
        a = 0.9 * slots.a + 0.1 * g * g
        denominator = np.sqrt(a) + self.epsilon
        return Step(self.rate(t, g) * g / denominator, AdagradSlots(a), dict(denominator=denominator))


class AdadeltaMutant(Adadelta):
    """Adadelta with each of its lines open to a change."""

    def root(self, mean):
        return np.sqrt(mean + self.epsilon)

    def numerator(self, mean_dx2, dx):
        return self.root(mean_dx2)

    def accumulated(self, dx):
        return dx

    def update(self, g, slots, t, x):
        mean_g2 = self.rho * slots.mean_g2 + (1 - self.rho) * g * g
        rms_g = self.root(mean_g2)
        rms_dx = self.numerator(slots.mean_dx2, self.root(slots.mean_dx2) / rms_g * g)
        dx = rms_dx / rms_g * g
        mean_dx2 = self.rho * slots.mean_dx2 + (1 - self.rho) * self.accumulated(dx) ** 2
        delta = self.learning_rate * dx
        return Step(delta, AdadeltaSlots(mean_g2, mean_dx2), dict(rms_dx=rms_dx, rms_g=rms_g, dx=dx))


class AdadeltaRateInside(AdadeltaMutant):
    """E[Δx²] from the update after the learning rate."""

    def accumulated(self, dx):
        return self.learning_rate * dx


class AdadeltaEpsilonOutside(AdadeltaMutant):
    """√E + ε for √(E + ε)."""

    def root(self, mean):
        return np.sqrt(mean) + self.epsilon


class AdadeltaAccumulatesFirst(AdadeltaMutant):
    """E[Δx²] with this step's update already in it, in the numerator."""

    def numerator(self, mean_dx2, dx):
        return self.root(self.rho * mean_dx2 + (1 - self.rho) * dx * dx)


class AdadeltaPlainNumerator(AdadeltaMutant):
    """The learning rate alone where √(E[Δx²] + ε) should stand: RMSProp."""

    def numerator(self, mean_dx2, dx):
        return np.ones_like(mean_dx2)


class AdadeltaAccumulatesGradients(AdadeltaMutant):
    """E[Δx²] from the gradient."""

    def update(self, g, slots, t, x):
        step = super().update(g, slots, t, x)
        mean_dx2 = self.rho * slots.mean_dx2 + (1 - self.rho) * g * g
        return step._replace(slots=AdadeltaSlots(step.slots.mean_g2, mean_dx2))


_adagrad = Adagrad(0.01)

MUTANTS = {
    "adam": {
        "ε̂ for ε": Adam(epsilon_form="epsilon-hat"),
        "next to no ε": Adam(epsilon=1e-300),
        "ε inside the root": Adam(epsilon=1e-300, epsilon_root=1e-8),
        "ε = 1e-7": Adam(epsilon=1e-7),
        "bias correction at t + 1": AdamCorrectedAtNextStep(),
        "no bias correction": AdamUncorrected(),
        "β's swapped": Adam(beta_1=0.999, beta_2=0.9),
        "moments after the step": AdamOnOldMoments(),
        "|g| for g²": AdamOnAbsoluteGradients(),
        "Nesterov": AdamWithNesterov(),
        "β2 rounded to float32": Adam(beta_2=float(np.float32(0.999))),
    },
    "adagrad": {
        "ε inside the root": replace(_adagrad, epsilon_form="inside-root"),
        "next to no ε": replace(_adagrad, epsilon=1e-300),
        "first accumulator 0.1": replace(_adagrad, initial_accumulator_value=0.1),
        "this gradient left out": AdagradBeforeAdding(0.01),
        "an average for the sum": AdagradForgetting(0.01),
    },
    "adadelta": {
        "learning rate inside the accumulator": AdadeltaRateInside(learning_rate=0.5),
        "ε outside the root": AdadeltaEpsilonOutside(),
        "next to no ε": Adadelta(epsilon=1e-300),
        "ρ and 1 − ρ swapped": Adadelta(rho=1 - 0.95),
        "E[Δx²] before the step": AdadeltaAccumulatesFirst(),
        "no E[Δx²]": AdadeltaPlainNumerator(),
        "gradients in E[Δx²]": AdadeltaAccumulatesGradients(),
    },
}
