"""PyTorch's modules, from inputs to logits; images are [examples, colours, rows, columns], as PyTorch has them."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

Values = Mapping[str, np.ndarray]


def mlp(values: Values) -> nn.Module:
    """Linear layers, ReLU between them."""
    layers: list[nn.Module] = []
    for label in [*(str(number) for number in range(1, len(values) // 2)), "o"]:
        layers += [_linear(values[f"h{label}"], values[f"b{label}"]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn(values: Values) -> nn.Module:
    """Conv2d, ReLU and MaxPool2d by turns, and Linear."""
    layers: list[nn.Module] = []
    for number in range(1, len(values) // 2):
        kernel = values[f"k{number}"]
        convolution = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
        _set(convolution, kernel.transpose(3, 2, 0, 1), values[f"b{number}"])
        layers += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
    rows = int((values["ho"].shape[0] // kernel.shape[3]) ** 0.5)
    pixels = values["ho"].reshape(rows, rows, kernel.shape[3], -1)
    last = pixels.transpose(2, 0, 1, 3).reshape(values["ho"].shape)
    return nn.Sequential(*layers, nn.Flatten(), _linear(last, values["bo"]))


NETWORKS: Mapping[str, Callable[[Values], nn.Module]] = {"mlp": mlp, "cnn": cnn}
"""Each from the first values."""


def _linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    linear = nn.Linear(*weight.shape)
    _set(linear, weight.T, bias)
    return linear


def _set(layer: nn.Module, weight: np.ndarray, bias: np.ndarray) -> None:
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(weight))
    layer.bias.data = torch.from_numpy(bias)
