"""PyTorch as its users run it: a Sequential module, `backward`, torch.optim.Adam."""

import numpy as np
import torch

from training.runs.processes import cores

from ..workload import Work, Workload


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
    """On a GPU the module, the images and the batches are there before the time is taken.

    fused:    one kernel for Adam's update of each tensor.
    compiled: forward and backward pass by torch.compile, which needs a C++ compiler.
    """

    def __init__(self, workload: Workload, fused: bool = False, compiled: bool = False):
        self._device = prepare_torch(workload)
        images, labels = workload.examples()
        self._images = torch.from_numpy(images.astype(np.float32) * np.float32(1 / 255)).to(self._device)
        self._labels = torch.from_numpy(labels.astype(np.int64)).to(self._device)
        first_weights = workload.first_weights()
        layers: list[torch.nn.Module] = []
        for label in [*(str(number) for number in range(1, len(first_weights) // 2)), "o"]:
            weight = torch.from_numpy(first_weights[f"h{label}"])
            linear = torch.nn.Linear(*weight.shape)
            linear.weight.data = weight.T.contiguous()
            linear.bias.data = torch.from_numpy(first_weights[f"b{label}"])
            layers += [linear, torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1]).to(self._device)
        self._optimizer = torch.optim.Adam(model.parameters(), lr=workload.learning_rate, fused=fused)
        cost = torch.nn.CrossEntropyLoss()

        def cost_of(pixels, labels):
            return cost(model(pixels), labels)

        self._cost_of = torch.compile(cost_of) if compiled else cost_of

    def prepare(self, batches: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(batches.astype(np.int64)).to(self._device)

    def train(self, prepared: torch.Tensor) -> float:
        costs = []
        for batch in prepared:
            self._optimizer.zero_grad(set_to_none=True)
            cost = self._cost_of(self._images[batch], self._labels[batch])
            cost.backward()
            self._optimizer.step()
            costs.append(cost.detach())
        if self._device.type == "cuda":
            torch.cuda.synchronize()  # the last update too, before the clock is read
        return float(torch.stack(costs).double().mean())
