"""Floating-point operations of XLA's instructions, counted much as XLA's own cost analysis counts them.

One for each number in the result of an elementwise instruction, roots and exponentials included; a multiplication and
an addition for each pair of numbers in a product. Comparisons, selections, conversions and integers are none.
"""

from collections.abc import Sequence
from math import isqrt, prod
from typing import NamedTuple

from .module import Instruction, Module, elements, is_floating

ELEMENTWISE = {
    "abs", "add", "atan2", "cbrt", "cosine", "divide", "erf", "exponential", "exponential-minus-one", "log",
    "log-plus-one", "logistic", "maximum", "minimum", "multiply", "negate", "power", "remainder", "rsqrt", "sine",
    "sqrt", "subtract", "tan", "tanh",
}  # fmt: skip
MATRIX_CALLS = ("gemm", "matmul", "dot")
"""In the names of libraries' matrix products, as in __cublas$gemm or __onednn$matmul."""


class Arithmetic(NamedTuple):
    """Floating-point operations in matrix products, and all others."""

    products: int
    elementwise: int


def arithmetic(module: Module, instructions: Sequence[Instruction]) -> Arithmetic:
    """Of some instructions, those that they call included."""
    products = elementwise = 0
    for one in instructions:
        if one.opcode in ("dot", "convolution", "custom-call"):
            products += _product(module, one)
        elif one.opcode in ("reduce", "reduce-window", "scatter"):
            elementwise += _applied(module, one)
        elif one.opcode in ELEMENTWISE and is_floating(one.shape):
            elementwise += elements(one.shape)
        else:
            called = [part for computation in one.called_computation_ids for part in module.instructions(computation)]
            inner = arithmetic(module, called)
            products, elementwise = products + inner.products, elementwise + inner.elementwise
    return Arithmetic(products, elementwise)


def is_product(instruction: Instruction) -> bool:
    """Whether this is a matrix product, XLA's or a library's."""
    target = instruction.custom_call_target.lower()
    return instruction.opcode in ("dot", "convolution") or any(name in target for name in MATRIX_CALLS)


def _product(module: Module, product: Instruction) -> int:
    """2 · the numbers of the result · the terms that each of them sums up."""
    if not is_product(product):
        return 0
    shapes = [operand.shape for operand in module.operands(product)]
    result = product.shape.tuple_shapes[0] if product.shape.tuple_shapes else product.shape
    if product.opcode == "dot":
        contracted = [shapes[0].dimensions[axis] for axis in product.dot_dimension_numbers.lhs_contracting_dimensions]
        return 2 * elements(result) * prod(contracted)
    if product.opcode == "convolution":
        outputs = shapes[1].dimensions[product.convolution_dimension_numbers.kernel_output_feature_dimension]
        return 2 * elements(result) * elements(shapes[1]) // outputs
    # Of [m, k], [k, n] and [m, n], whichever is transposed, mk · kn · mn = (mnk)².
    return 2 * isqrt(elements(shapes[0]) * elements(shapes[1]) * elements(result))


def _applied(module: Module, instruction: Instruction) -> int:
    """Of a small computation that an instruction applies to many numbers."""
    (computation,) = instruction.called_computation_ids
    once = sum(arithmetic(module, module.instructions(computation)))
    read, result = module.operands(instruction)[0].shape, instruction.shape
    if result.tuple_shapes:
        result = result.tuple_shapes[0]
    if instruction.opcode == "reduce":
        return once * (elements(read) - elements(result))
    if instruction.opcode == "reduce-window":  # XLA counts the padding too
        return once * elements(result) * (prod(axis.size for axis in instruction.window.dimensions) - 1)
    return once * elements(module.operands(instruction)[-1].shape)
