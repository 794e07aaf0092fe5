"""Dynamic loss scaling: the cost is multiplied before it is differentiated, so that float16 holds the gradients."""

from typing import Any

import tensorflow as tf

from ..errors import InputError

SMALLEST = 2.0**-14
"""The smallest normal number of float16. A scale that halvings have brought below it shows that no scale helps."""


class LossScale(tf.Module):
    """The factor of a cost, which follows the overflows of its gradients.

    A gradient below 6e-8 is 0 in float16, one beyond 65,504 infinite. The cost is multiplied by the scale; its
    gradients come out as many times as large, and are divided by it in float32. A step whose gradients are not all
    finite is dropped and halves the scale; `growth_steps` steps in a row without one double it.

    Micikevicius et al., "Mixed Precision Training" (ICLR 2018), section 3.2. Scale and counter are, step for step,
    those of keras.optimizers.LossScaleOptimizer (Keras 3.15.1), except that a scale that float32 cannot double stays.

    first:        the scale at first; a power of 2 scales without rounding.
    growth_steps: finite steps in a row that double the scale.

    scale:  tf.Variable, float32, by which the next cost is multiplied.
    finite: tf.Variable, int64, finite steps in a row since the scale was last changed.

    To be made in the scope of the strategy where there is one. Raises InputError for a first scale that is not positive
    and finite, and for fewer than one step.
    """

    def __init__(self, first: float = 2.0**15, growth_steps: int = 2_000):
        super().__init__(name="loss_scale")
        if not 0 < first <= float(tf.float32.max):
            raise InputError(f"The first loss scale must be positive and finite in float32, found {first!r}.")
        if growth_steps < 1:
            raise InputError(f"The loss scale must grow after at least 1 finite step, found {growth_steps!r}.")
        self.growth_steps = int(growth_steps)
        self.scale = tf.Variable(tf.constant(first, tf.float32), trainable=False, name="scale")
        self.finite = tf.Variable(tf.constant(0, tf.int64), trainable=False, name="finite")

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All that a step changes, by what a person calls it."""
        return {"loss scale": self.scale, "finite steps in a row": self.finite}

    def scaled(self, cost: tf.Tensor) -> tf.Tensor:
        """The cost to differentiate, of float32 where it is narrower."""
        wide = _wide(cost.dtype)
        return tf.cast(cost, wide) * tf.cast(self.scale, wide)

    def unscaled(self, gradients: Any) -> Any:
        """A nest of gradients of a scaled cost as those of the cost, of float32 where they are narrower."""

        def divided(gradient: tf.Tensor) -> tf.Tensor:
            wide = _wide(gradient.dtype)
            return tf.cast(gradient, wide) / tf.cast(self.scale, wide)

        def of(gradient: Any) -> Any:
            if isinstance(gradient, tf.IndexedSlices):
                return tf.IndexedSlices(divided(gradient.values), gradient.indices, gradient.dense_shape)
            return gradient if gradient is None else divided(gradient)

        return {name: of(gradient) for name, gradient in gradients.items()}

    def after(self, finite: tf.Tensor) -> dict[str, tf.Tensor]:
        """What each of `state` is after a step, by the names there; `finite`: whether all its gradients were."""
        due = finite & (self.finite >= self.growth_steps - 1)
        doubled, halved = self.scale * 2, self.scale / 2
        grown = tf.where(due & tf.math.is_finite(doubled), doubled, self.scale)
        one_more = tf.where(finite & tf.logical_not(due), self.finite + 1, tf.zeros_like(self.finite))
        return {"loss scale": tf.where(finite, grown, halved), "finite steps in a row": one_more}


def _wide(dtype: tf.DType) -> tf.DType:
    return dtype if dtype.size >= tf.float32.size else tf.float32
