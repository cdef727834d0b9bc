"""Python's own values kept small. What one step makes of a few digits or of nested lists, no limit of time can stop."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ibert_builder.errors import ForbiddenCode

# Operators that make gigabytes of a few digits within one step of Python.
GROWING: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Mult: ("*", operator.mul),
    ast.Pow: ("**", operator.pow),
    ast.LShift: ("<<", operator.lshift),
    ast.Mod: ("%", operator.mod),
}
LARGEST = 4_096  # bits of a number, characters of a text, items of a list with all that is in it
DEEPEST_VALUE = 50  # lists within one another
LONGEST_RANGE = 10_000

_CONTAINERS = (list, tuple, set, dict)


def small(value: Any) -> Any:
    """A value, unless it is a large one of Python's own.

    Lists within lists count as often as they appear, since comparing, hashing and printing them goes through all of it.

    Raises:
        ForbiddenCode: it is too large.
    """
    kind = type(value)
    if kind is str or kind is bytes:
        if len(value) > LARGEST:
            raise ForbiddenCode(f"the code makes too long a text (at most {LARGEST} characters)")
    elif kind in _CONTAINERS:
        _count(value)
    return value


def _count(value: Any) -> None:
    level, counted, depth = [value], 0, 0
    while level:
        depth += 1
        counted += sum(map(len, level))
        if counted > LARGEST:
            raise ForbiddenCode(
                f"the code makes too long a list (at most {LARGEST} items, with all that is in them)"
            )
        if depth > DEEPEST_VALUE:
            raise ForbiddenCode(
                f"the code nests lists too deeply (at most {DEEPEST_VALUE} within one another)"
            )
        level = [
            item
            for container in level
            for item in (
                [*container.keys(), *container.values()] if isinstance(container, dict) else container
            )
            if type(item) in _CONTAINERS
        ]


def bounded(sign: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator that refuses to make large values."""

    def apply(left: Any, right: Any) -> Any:
        if _size(sign, left, right) > LARGEST:
            raise ForbiddenCode(f"'{sign}' makes too much of plain values (at most {LARGEST} bits or items)")
        return small(operation(left, right))

    return apply


def _size(sign: str, left: Any, right: Any) -> int:
    """The size of a result, as far as it is one of Python's own: of numbers in bits, of the rest in items."""
    if sign == "%":
        return LARGEST + 1 if isinstance(left, str | bytes) else 0  # the width may stand in the text
    if sign == "+":
        return sum(len(side) for side in (left, right) if isinstance(side, str | bytes | list | tuple))
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


def bounded_range(*bounds: Any) -> range:
    """A `range` that is not too long."""
    numbers = range(*bounds)
    if len(numbers[:LONGEST_RANGE]) == LONGEST_RANGE:
        raise ForbiddenCode(f"the range is too long (below {LONGEST_RANGE})")
    return numbers


def bounded_round(number: Any, digits: Any = None) -> Any:
    """A `round` that does not raise ten to any power."""
    if isinstance(digits, int) and abs(digits) > LARGEST:
        raise ForbiddenCode(f"'round' takes too many digits (at most {LARGEST})")
    return round(number) if digits is None else round(number, digits)
