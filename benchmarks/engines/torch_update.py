"""torch.optim's update alone."""

import torch

from core.verification.libraries import Torch

from ..updates import Updates
from .torch_adam import prepare_torch
from .update_calls import SEEN, UpdateCalls


class TorchUpdate(UpdateCalls):
    """Fused where PyTorch has a fused kernel; elsewhere it takes a tensor after the other."""

    def __init__(self, updates: Updates):
        device = prepare_torch(updates)
        self._parameters = [torch.nn.Parameter(torch.zeros(size, device=device)) for size in updates.shapes()]
        for parameter, gradient in zip(self._parameters, updates.gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient).to(device)
        kind = Torch.named(Torch.spelled(updates.rule).name)
        fused = kind is not torch.optim.Adagrad or device.type == "cpu"
        self.update = Torch.made(kind, updates.settings(Torch) | {"fused": fused}, self._parameters).step

    def first_parameters(self):
        return self._parameters[0][:SEEN].detach().cpu().numpy()
