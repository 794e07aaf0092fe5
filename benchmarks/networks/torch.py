"""PyTorch's modules, from inputs to logits; images are [examples, colours, rows, columns], as PyTorch has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from training.workloads.attention import EPSILON, sinusoids
from training.workloads.transformer import Transformer

Values = Mapping[str, np.ndarray]


def mlp(workload: Any, values: Values, shape: Sequence[int]) -> nn.Module:
    """Linear layers, ReLU between them."""
    layers: list[nn.Module] = []
    for label in [*(str(number) for number in range(1, len(values) // 2)), "o"]:
        layers += [_linear(values[f"h{label}"], values[f"b{label}"]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn(workload: Any, values: Values, shape: Sequence[int]) -> nn.Module:
    """Conv2d, ReLU and MaxPool2d by turns, and Linear."""
    layers: list[nn.Module] = []
    for number in range(1, len(values) // 2):
        kernel = values[f"k{number}"]
        convolution = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
        _set(convolution, kernel.transpose(3, 2, 0, 1), values[f"b{number}"])
        layers += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
    rows, columns = (size >> number for size in shape[:2])
    pixels = values["ho"].reshape(rows, columns, kernel.shape[3], -1)
    last = pixels.transpose(2, 0, 1, 3).reshape(values["ho"].shape)
    return nn.Sequential(*layers, nn.Flatten(), _linear(last, values["bo"]))


class Decoder(nn.Module):
    """Embedding, then attention, LayerNorm and Linear by turns; the last layer for the last place."""

    def __init__(self, workload: Transformer, values: Values, shape: Sequence[int]):
        super().__init__()
        self.embedded = nn.Embedding.from_pretrained(torch.from_numpy(values["tokens"]), freeze=False)
        self.layers = nn.ModuleList(
            _Layer(
                workload.heads,
                {name.removesuffix(str(n)): value for name, value in values.items() if name.endswith(str(n))},
            )
            for n in range(1, workload.depth + 1)
        )
        self.answers = _linear(values["answers"])
        self.register_buffer("places", torch.from_numpy(sinusoids(*shape, workload.width).astype(np.float32)))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedded(tokens) + self.places
        for layer in self.layers[:-1]:
            x = layer(x, x)
        return self.answers(self.layers[-1](x[:, -1:], x)[:, -1])


class _Layer(nn.Module):
    def __init__(self, heads: int, values: Values):
        super().__init__()
        self.heads = heads
        for name in ("query", "key", "value", "merge", "wide", "narrow"):
            setattr(self, name, _linear(values[name]))
        self.attended, self.out = (nn.LayerNorm(len(values["gain"]), EPSILON) for _ in range(2))
        _set(self.attended, values["gain"], values["shift"])
        _set(self.out, values["out_gain"], values["out_shift"])

    def forward(self, asking: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        queries, keys, values = (
            product(of).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for product, of in ((self.query, asking), (self.key, x), (self.value, x))
        )
        attended = scaled_dot_product_attention(queries, keys, values, is_causal=queries.shape[2] > 1)
        x = self.attended(asking + self.merge(attended.transpose(1, 2).flatten(2)))
        return self.out(x + self.narrow(torch.relu(self.wide(x))))


NETWORKS: Mapping[str, Callable[[Any, Values, Sequence[int]], nn.Module]] = {
    "mlp": mlp,
    "cnn": cnn,
    "transformer": Decoder,
}
"""Each from the workload, the first values and the shape of one example, of images with the colours last."""


def _linear(weight: np.ndarray, bias: np.ndarray | None = None) -> nn.Linear:
    linear = nn.Linear(*weight.shape, bias=bias is not None)
    _set(linear, weight.T, bias)
    return linear


def _set(layer: Any, weight: np.ndarray, bias: np.ndarray | None) -> None:
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(weight))
    if bias is not None:
        layer.bias.data = torch.from_numpy(bias)
