"""What engines that only update have in common."""

from typing import Any

import numpy as np

SEEN = 1_000
"""How many parameters are looked at after a sample: looking at all would take as long as an update."""


class UpdateCalls:
    """One call an update; the cost is the mean |θ| of the first parameters afterwards."""

    def prepare(self, batches: np.ndarray) -> Any:
        return len(batches)

    def train(self, prepared: Any) -> float:
        for _ in range(prepared):
            self.update()
        return self.mean_size()

    def mean_size(self) -> float:
        """The mean |θ| of the first parameters."""
        return float(np.mean(np.abs(self.first_parameters()), dtype=np.float64))

    def update(self) -> None:
        raise NotImplementedError

    def first_parameters(self) -> np.ndarray:
        """Waits until the updates are done."""
        raise NotImplementedError
