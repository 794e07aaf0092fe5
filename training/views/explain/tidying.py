"""Expressions made readable: the same on paper, in the order in which a rule or a schedule writes them."""

import math
from typing import Any

from sympy import (
    Add,
    Expr,
    Float,
    Function,
    Integer,
    Mul,
    Not,
    Piecewise,
    Pow,
    Rational,
    evaluate,
    pi,
    preorder_traversal,
)


def readable(expression: Any) -> Any:
    """The same without sums with 0 and products with 1, and with cases around the whole; terms keep their order.

    Sums of sums are one sum, and products of products one product, so that they print as one fraction: the same on
    paper, if not to the last bit. Call it where sympy does not evaluate.
    """
    pieces = _outermost_cases(expression)
    if pieces and expression not in pieces and len({tuple(case for _, case in piece.args) for piece in pieces}) == 1:
        return Piecewise(
            *(
                (readable(expression.xreplace({piece: piece.args[number][0] for piece in pieces})), case)
                for number, (_, case) in enumerate(pieces[0].args)
            )
        )
    return _tidy(expression)


def _outermost_cases(expression: Any) -> list[Any]:
    found, parts = [], preorder_traversal(expression)
    for part in parts:
        if isinstance(part, Piecewise):
            found.append(part)
            parts.skip()
    return found


def _tidy(expression: Any) -> Any:
    if not expression.args:
        return _whole(expression)
    if isinstance(expression, Piecewise):
        pairs: Any = expression.args
        return Piecewise(*_in_one([(readable(value), _tidy(case)) for value, case in pairs]))
    arguments = [_tidy(argument) for argument in expression.args]
    if isinstance(expression, Not) and arguments[0].is_Relational:
        return arguments[0].negated  # which needs no brackets
    if isinstance(expression, Add):
        return _of(Add, _parts(Add, arguments), neutral=0)
    if isinstance(expression, Mul):
        return _of(Mul, _with_powers(_parts(Mul, arguments)), neutral=1)
    if isinstance(expression, Pow) and expression.exp == Rational(1, 2) and (of := _summed_squares(arguments[0])):
        return Function("norm", real=True)(of)
    return expression.func(*arguments)


def _in_one(cases: list[Any]) -> list[Any]:
    """Cases within the last of these among them."""
    *first, (value, otherwise) = cases
    return [*first, *value.args] if isinstance(value, Piecewise) and otherwise == True else cases  # noqa: E712


def _summed_squares(expression: Any) -> Any:
    """What a sum over all axes has the squares of, if it has."""
    inner = expression.args[0] if expression.func.__name__ == "sum" and len(expression.args) == 1 else expression
    return inner.base if inner is not expression and inner.is_Pow and inner.exp == 2 else None


def _parts(kind: type[Expr], arguments: list[Any]) -> list[Any]:
    return [part for one in arguments for part in (one.args if isinstance(one, kind) else [one])]


def _of(kind: type[Expr], arguments: list[Any], neutral: int) -> Any:
    if kind is Mul and 0 in arguments:
        return Integer(0)
    kept = [argument for argument in arguments if argument != neutral]
    return kind(*kept) if len(kept) > 1 else kept[0] if kept else Integer(neutral)


def _with_powers(factors: list[Any]) -> list[Any]:
    """x·x as x², and one sign in front."""
    exponents: dict[Any, int] = {}
    for factor in factors:
        whole = factor.is_Pow and factor.exp.is_Integer and factor.exp > 0
        base, exponent = (factor.base, int(factor.exp)) if whole else (factor, 1)
        exponents[base] = exponents.get(base, 0) + exponent
    sign = [Integer(-1)] if exponents.pop(Integer(-1), 0) % 2 else []
    return sign + [base if exponent == 1 else Pow(base, exponent) for base, exponent in exponents.items()]


def computed(expression: Any) -> Any:
    """The same with all numbers in it computed as far as they go, and π for itself. Call it as `readable`."""
    if not expression.args:
        return pi if expression == Float(math.pi) else _whole(expression)
    arguments: list[Any] = [computed(argument) for argument in expression.args]
    kind = expression.func
    if not any(one.free_symbols or one == pi for one in arguments) and not _divides(kind, arguments):
        with evaluate(True):
            return _whole(kind(*arguments))
    if kind is Mul and 0 in arguments:
        return Integer(0)
    if kind is Pow and arguments[0] == 1:
        return Integer(1)
    if kind is Add or kind is Mul:
        return _of(kind, _numbers_in_one(kind, _parts(kind, arguments)), neutral=0 if kind is Add else 1)
    if kind is Piecewise:
        kept = next(number for number, (_, case) in enumerate(arguments) if case == True)  # noqa: E712
        return kind(*arguments[: kept + 1]) if kept else arguments[0][0]
    return kind(*arguments)


def _whole(number: Any) -> Any:
    return Integer(int(number)) if number.is_Float and float(number).is_integer() else number


def _divides(kind: Any, arguments: list[Any]) -> bool:
    return kind is Pow and arguments[1].is_negative


def _numbers_in_one(kind: Any, arguments: list[Any]) -> list[Any]:
    """One number in the place of the first."""
    numbers = [one for one in arguments if one.is_Integer or one.is_Float]
    if len(numbers) < 2:
        return arguments
    with evaluate(True):
        number = _whole(kind(*numbers))
    first = arguments.index(numbers[0])
    return [
        number if place == first else one for place, one in enumerate(arguments) if place == first or one not in numbers
    ]
