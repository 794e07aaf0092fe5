"""A workload that calls everything what would do harm, if a name could."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from training.workloads.workload import Data, Workload

PWNED = "</script><img src=x onerror=window.pwned=1>"
"""Runs in a page that does not escape it."""
STEERS = "\x1b[31m\r\u202e[red]"
MARKUP = "\"'&lt;i&gt; \u2028 `|` $\\frac$ =1+1"
NAME = f"../../../../{PWNED}{STEERS}{MARKUP}"
ABSOLUTE = "/etc/rawstep\nb"


class Evil(Workload):
    defaults = {"batch_size": 4, "epochs": 2, "rule": "adam", "learning_rate": 0.1}  # noqa: RUF012
    judged_by = NAME

    def data(self, seed: int) -> Data:
        x = np.random.default_rng(seed).normal(size=(16, 3)).astype(np.float32)
        examples = (x, x.sum(axis=1))
        return Data(examples, examples, examples, what=NAME)

    def title(self, data: Data) -> str:
        return NAME

    def variables(self, data: Data, seed: int) -> dict[str, np.ndarray]:
        return {NAME: np.zeros((3, 1), np.float32), ABSOLUTE: np.zeros(1, np.float32)}

    def cost(self, variables, x, y):
        return tf.reduce_mean((tf.squeeze(x @ variables[NAME] + variables[ABSOLUTE], 1) - y) ** 2)

    def metrics(self, variables, x, y):
        return {NAME: self.cost(variables, x, y)}

    def followed(self, data, variables):
        return [f"{ABSOLUTE}[0]"]
