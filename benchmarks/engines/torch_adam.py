"""PyTorch as its users run it: a module, `backward`, torch.optim.Adam."""

import numpy as np
import torch

from training.runs.processes import cores

from ..networks import usual_examples
from ..networks.torch import NETWORKS
from ..work import TrainingWork, Work


def prepare_torch(work: Work) -> torch.device:
    """Sets PyTorch up for the work's device, which it returns.

    Denormals are flushed to 0, without which a step of this work takes twenty times as long; and PyTorch has all
    cores, as TensorFlow and JAX have.
    """
    torch.set_flush_denormal(True)
    torch.set_num_threads(cores())
    torch.backends.cuda.matmul.allow_tf32 = work.tf32
    return torch.device("cuda" if work.device == "gpu" else "cpu")


class TorchAdam:
    """On a GPU the module, the examples and the batches are there before the time is taken.

    fused:         one kernel for Adam's update of each tensor.
    compiled:      forward and backward pass by torch.compile, which needs a C++ compiler.
    channels_last: images and kernels lie in memory with the channels last.
    """

    def __init__(self, work: TrainingWork, fused: bool = False, compiled: bool = False, channels_last: bool = False):
        self._device = prepare_torch(work)
        inputs, labels = usual_examples(work)
        model = NETWORKS[work.name](work.workload, work.first_weights(), inputs.shape[1:])
        if inputs.ndim == 4:
            inputs = np.ascontiguousarray(inputs.transpose(0, 3, 1, 2))
        layout = {"memory_format": torch.channels_last} if channels_last else {}
        self._inputs = torch.from_numpy(inputs).to(self._device, **layout)
        self._labels = torch.from_numpy(labels.astype(np.int64)).to(self._device)
        model = model.to(self._device, **layout)
        self._optimizer = torch.optim.Adam(model.parameters(), lr=work.learning_rate, fused=fused)
        cost = torch.nn.CrossEntropyLoss()

        def cost_of(inputs, labels):
            return cost(model(inputs), labels)

        self._cost_of = torch.compile(cost_of) if compiled else cost_of

    def prepare(self, batches: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(batches.astype(np.int64)).to(self._device)

    def train(self, prepared: torch.Tensor) -> float:
        costs = []
        for batch in prepared:
            self._optimizer.zero_grad(set_to_none=True)
            cost = self._cost_of(self._inputs[batch], self._labels[batch])
            cost.backward()
            self._optimizer.step()
            costs.append(cost.detach())
        if self._device.type == "cuda":
            torch.cuda.synchronize()  # the last update too, before the clock is read
        return float(torch.stack(costs).double().mean())
