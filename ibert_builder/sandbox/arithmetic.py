"""Python's own values kept small: what operators and `range` make of a few digits within one step, which no limit stops."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ibert_builder.errors import ForbiddenCode
from ibert_builder.sandbox.policy import Rules

# Operators that make gigabytes of a few digits, within one step of Python.
GROWING: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Mult: ("*", operator.mul),
    ast.Pow: ("**", operator.pow),
    ast.LShift: ("<<", operator.lshift),
    ast.Mod: ("%", operator.mod),
}
LARGEST = 4_096  # bits of a number, items of a text or list, that an operator may make of Python's own values
LONGEST_RANGE = 10_000


class Bounding(ast.NodeTransformer):
    """Puts bounded functions in place of growing operators. Their names are signs, so that no code can use or hide them."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) not in GROWING:
            return node
        function = ast.Name(GROWING[type(node.op)][0], ast.Load())
        return ast.fix_missing_locations(
            ast.copy_location(ast.Call(function, [node.left, node.right], []), node)
        )


def _bounded(sign: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if _size(sign, left, right) > LARGEST:
            raise ForbiddenCode(f"'{sign}' makes too much of plain values (at most {LARGEST} bits or items)")
        return operation(left, right)

    return apply


def _size(sign: str, left: Any, right: Any) -> int:
    """The size of a result, as far as it is one of Python's own: of numbers in bits, of the rest in items."""
    if sign == "%":
        return LARGEST + 1 if isinstance(left, str | bytes) else 0  # the width may stand in the text
    if not isinstance(left, int):
        left, right = right, left  # 3 * "a" is "a" * 3; the other two operators know numbers only
    if not isinstance(left, int):
        return 0
    if isinstance(right, int):
        bits = abs(left).bit_length()
        return {"*": bits + abs(right).bit_length(), "**": bits * max(right, 0), "<<": bits + max(right, 0)}[
            sign
        ]
    return left * len(right) if isinstance(right, str | bytes | list | tuple) else 0


def _range(*bounds: Any) -> range:
    numbers = range(*bounds)
    if len(numbers[:LONGEST_RANGE]) == LONGEST_RANGE:
        raise ForbiddenCode(f"the range is too long (below {LONGEST_RANGE})")
    return numbers


_OWN = {sign: _bounded(sign, operation) for sign, operation in GROWING.values()}


def builtins_for(rules: Rules) -> dict[str, Any]:
    """What code finds as Python's builtins: those of its rules, and what bounds its operators."""
    found = {name: getattr(builtins, name) for name in rules.builtins if hasattr(builtins, name)}
    return {**found, **_OWN, **({"range": _range} if "range" in found else {})}
