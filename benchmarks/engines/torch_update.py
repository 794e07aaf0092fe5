"""torch.optim's update alone."""

import torch

from ..updates import Updates
from .torch_adam import prepare_torch
from .update_calls import SEEN, UpdateCalls


class TorchUpdate(UpdateCalls):
    """Fused where PyTorch has a fused kernel: for Adam and Adagrad; Adadelta takes a tensor after the other."""

    def __init__(self, updates: Updates):
        device = prepare_torch(updates)
        rule = updates.own_rule()
        self._parameters = [torch.nn.Parameter(torch.zeros(size, device=device)) for size in updates.shapes()]
        for parameter, gradient in zip(self._parameters, updates.gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient).to(device)
        lr, eps = rule.learning_rate, rule.epsilon
        if updates.rule == "adam":
            optimizer = torch.optim.Adam(self._parameters, lr, eps=eps, fused=True)
        elif updates.rule == "adagrad":
            start = rule.initial_accumulator_value
            optimizer = torch.optim.Adagrad(
                self._parameters, lr, initial_accumulator_value=start, eps=eps, fused=device.type == "cpu"
            )
        else:
            optimizer = torch.optim.Adadelta(self._parameters, lr, rho=rule.rho, eps=eps)
        self.update = optimizer.step

    def first_parameters(self):
        return self._parameters[0][:SEEN].detach().cpu().numpy()
