"""How Keras 3 calls what its optimizers hold. Free of Keras, so that asking costs nothing."""

from collections.abc import Mapping

SLOTS: Mapping[str, Mapping[str, str]] = {
    "adam": {"m": "_momentums", "v": "_velocities"},
    "adagrad": {"a": "_accumulators"},
    "adadelta": {"mean_g2": "_accumulated_grads", "mean_dx2": "_accumulated_delta_vars"},
    "sgd": {},
}
"""For each of our rules, where Keras's optimizer of that name keeps the slots; it has no public names for them."""

AROUND_THE_RULE = (
    "amsgrad", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "loss_scale_factor",
    "gradient_accumulation_steps", "momentum", "nesterov",
)  # fmt: skip
"""Options by which a Keras optimizer does more than its rule."""
