"""The least work that training takes, counted from shapes: what a machine can do is set against it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Flop(NamedTuple):
    """Floating-point operations of one training step's matrix products, a multiplication and an addition being two.

    forward:          each layer's outputs from its inputs.
    weight_gradients: of each layer, from its inputs and its outputs' gradients.
    input_gradients:  of each layer but the first, whose inputs are the data.
    """

    forward: int
    weight_gradients: int
    input_gradients: int


def flop(layers: Sequence[int], batch_size: int) -> Flop:
    """The products of one step of a perceptron with these layers, from the inputs to the classes: [784, 256, 10], say.

    Each layer's product takes 2 · batch_size · inputs · units. Nothing else is counted: biases, activations and cost
    come to less than a per cent in layers of hundreds of units.
    """
    products = [2 * batch_size * inputs * units for inputs, units in pairwise(layers)]
    return Flop(sum(products), sum(products), sum(products[1:]))


def update_bytes(slots: int, itemsize: int = 4) -> int:
    """Bytes that an optimizer's update moves to and from memory for each parameter, at least.

    It reads the gradient, the parameter and its slots, and writes the parameter and the slots, each once: 28 B for
    Adam and Adadelta (two slots) in float32, 20 for Adagrad (one), 12 for plain gradient descent (none).

    slots: numbers kept for each parameter. itemsize: bytes of each number, 4 for float32.
    """
    return (1 + 2 * (1 + slots)) * itemsize


class Traffic(NamedTuple):
    """Bytes that one training step moves to and from memory at least, by the step's phases.

    Each phase reads once what it needs of others, and writes once what others need of it. Forward and backward read
    the batch's examples, uint8 pixels and labels, where they are in the data: nothing has to write them elsewhere.

    gather:   the numbers of the batch's examples, read.
    forward:  the examples and all parameters; each layer's outputs.
    backward: the examples, the outputs, all matrices but the first layer's; each parameter's gradient.
    update:   see `update_bytes`.
    """

    gather: int
    forward: int
    backward: int
    update: int


def traffic(layers: Sequence[int], batch_size: int, slots: int) -> Traffic:
    """Of one step of a perceptron in float32 with these layers; slots: see `update_bytes`."""
    matrices = [inputs * units for inputs, units in pairwise(layers)]
    parameters = 4 * (sum(matrices) + sum(layers[1:]))
    batch, outputs = batch_size * (layers[0] + 1), 4 * batch_size * sum(layers[1:])
    return Traffic(
        gather=4 * batch_size,
        forward=batch + parameters + outputs,
        backward=batch + outputs + 4 * sum(matrices[1:]) + parameters,
        update=parameters // 4 * update_bytes(slots),
    )
