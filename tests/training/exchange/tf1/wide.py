"""A workload of a user's own that trains in float64."""

from dataclasses import dataclass

import numpy as np

from training.workloads.regression import Regression


@dataclass(frozen=True, kw_only=True)
class Wide(Regression):
    def variables(self, data, seed):
        return {name: value.astype(np.float64) for name, value in super().variables(data, seed).items()}
