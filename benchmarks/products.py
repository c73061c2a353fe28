"""How many floating-point operations a function's matrix products and convolutions take, counted in its jaxpr."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def products(function: Callable[..., Any], *arguments: Any) -> float:
    """Two operations for each multiplication of a product, loops included; a `while` loop counts once."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr: Jaxpr) -> float:
    total = 0.0
    for equation in jaxpr.eqns:
        times = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        total += times * sum(map(_count, _inner(equation.params.values())))
        shapes = [variable.aval.shape for variable in (*equation.invars[:2], *equation.outvars[:1])]
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            total += 2.0 * math.prod(shapes[2]) * math.prod(shapes[0][axis] for axis in contracted)
        if equation.primitive.name == "conv_general_dilated":
            # each output takes a kernel of all input channels; holes in the input, if any, are counted as numbers
            out_channels = shapes[1][equation.params["dimension_numbers"].rhs_spec[0]]
            total += 2.0 * math.prod(shapes[2]) * math.prod(shapes[1]) / out_channels
    return total


def _inner(parameters: Any) -> list[Jaxpr]:
    """The jaxprs among an equation's parameters."""
    found = []
    for value in parameters:
        for each in value if isinstance(value, tuple | list) else (value,):
            if isinstance(each, ClosedJaxpr):
                found.append(each.jaxpr)
            elif isinstance(each, Jaxpr):
                found.append(each)
    return found
