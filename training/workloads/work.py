"""The least work that training takes, counted from shapes: what a machine can do is set against it."""

from collections.abc import Sequence
from typing import NamedTuple


class Product(NamedTuple):
    """A matrix product, or a convolution, that a cost computes of each example.

    multiplications: and as many additions, of one example.
    parameters:      numbers of the operand that is trained; 0 where both operands are computed, as in attention.
    outputs:         numbers of the result, of one example.
    first:           whether the other operand is data, which need no gradient.
    """

    multiplications: int
    parameters: int
    outputs: int
    first: bool = False


class Flop(NamedTuple):
    """Floating-point operations of one training step's matrix products, a multiplication and an addition being two.

    forward:          each product from its operands.
    weight_gradients: of the operand that is trained, from the other and the result's gradient.
    input_gradients:  of each operand that is computed.
    """

    forward: int
    weight_gradients: int
    input_gradients: int


def flop(products: Sequence[Product], batch_size: int) -> Flop:
    """The products of one step. Nothing else is counted: biases, activations and cost come to less than a per cent in
    dense layers of hundreds of units."""
    forward = sum(one.multiplications for one in products)
    weights = sum(one.multiplications for one in products if one.parameters)
    inputs = sum(one.multiplications * (1 if one.parameters else 2) for one in products if not one.first)
    return Flop(*(2 * batch_size * count for count in (forward, weights, inputs)))


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
    the batch's examples where they are in the data: nothing has to write them elsewhere.

    gather:   the numbers of the batch's examples, read.
    forward:  the examples and all parameters; each product's outputs.
    backward: the examples, the outputs, the operands whose products have input gradients; each parameter's gradient.
    update:   see `update_bytes`.
    """

    gather: int
    forward: int
    backward: int
    update: int


def traffic(products: Sequence[Product], parameters: int, example_bytes: int, batch_size: int, slots: int) -> Traffic:
    """Of one step in float32 with this many parameters. slots: see `update_bytes`."""
    batch, outputs = batch_size * example_bytes, 4 * batch_size * sum(one.outputs for one in products)
    inner = 4 * sum(one.parameters for one in products if not one.first)
    return Traffic(
        gather=4 * batch_size,
        forward=batch + 4 * parameters + outputs,
        backward=batch + outputs + inner + 4 * parameters,
        update=parameters * update_bytes(slots),
    )
